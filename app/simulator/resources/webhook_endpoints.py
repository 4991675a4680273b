"""Webhook endpoints. Source: https://docs.stripe.com/api/webhook_endpoints."""

import ipaddress
from urllib.parse import urlsplit

from app.simulator.protocol import lists
from app.simulator.protocol.call import Call, operation
from app.simulator.protocol.errors import StripeError, missing_resource
from app.simulator.protocol.fields import merge_metadata
from app.simulator.store import JSON, ids

MAX_ENDPOINTS = 16  # of one account, in test mode


def in_path(call: Call) -> JSON:
    """Return the endpoint of the path. Raises StripeError (404)."""
    name = call.path["webhook_endpoint"]
    found = call.store.webhook_endpoints.find(name, call.account)
    if found is None:
        raise missing_resource("webhook endpoint", name, "id", status=404)
    return found


@operation("POST /v1/webhook_endpoints")
def create(call: Call) -> JSON:
    """Create an endpoint. Only this answer shows the secret."""
    given = call.params
    _check_url(call)
    if len(call.store.webhook_endpoints.newest(call.account)) >= MAX_ENDPOINTS:
        message = f"You have reached the maximum of {MAX_ENDPOINTS} test webhook endpoints."
        raise StripeError(message)
    endpoint: JSON = {
        "id": call.new_id("we"),
        "object": "webhook_endpoint",
        "api_version": given.get("api_version"),
        "application": None,
        "created": call.now,
        "description": given.get("description") or None,
        "enabled_events": given["enabled_events"],
        "livemode": False,
        "metadata": merge_metadata({}, given.get("metadata")),
        "status": "enabled",
        "url": given["url"],
    }
    call.put(call.store.webhook_endpoints, endpoint)
    secret = ids.webhook_secret()
    call.add_note(endpoint["id"], secret=secret)
    return endpoint | {"secret": secret}


@operation("GET /v1/webhook_endpoints/{webhook_endpoint}")
def retrieve(call: Call) -> JSON:
    return in_path(call)


@operation("POST /v1/webhook_endpoints/{webhook_endpoint}")
def update(call: Call) -> JSON:
    endpoint, given = in_path(call), call.params
    _check_url(call)
    changes: JSON = {name: given[name] for name in ("url", "enabled_events") if name in given}
    if "description" in given:
        changes["description"] = given["description"] or None
    if "metadata" in given:
        changes["metadata"] = merge_metadata(endpoint["metadata"], given["metadata"])
    if "disabled" in given:
        changes["status"] = "disabled" if given["disabled"] else "enabled"
    return call.change(call.store.webhook_endpoints, endpoint, **changes)


@operation("DELETE /v1/webhook_endpoints/{webhook_endpoint}")
def delete(call: Call) -> JSON:
    key = in_path(call)["id"]
    del call.store.webhook_endpoints[key]
    return {"id": key, "object": "webhook_endpoint", "deleted": True}


@operation("GET /v1/webhook_endpoints")
def index(call: Call) -> JSON:
    return lists.page(call, call.store.webhook_endpoints, "webhook endpoint")


def _check_url(call: Call) -> None:
    if "url" not in call.params:
        return
    host = _host(call.params["url"])
    if host is None:
        raise StripeError("Not a valid URL", code="url_invalid", param="url")
    if call.fault_settings.strict_urls and not _is_public(host):
        raise StripeError(
            "Invalid URL: URL must be publicly accessible. Consider using a tool like the Stripe CLI to "
            "test webhooks locally: https://github.com/stripe/stripe-cli",
            code="url_invalid",
            param="url",
        )


def _host(url: str) -> str | None:
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    return parts.hostname if parts.scheme in {"http", "https"} else None


def _is_public(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_global
    except ValueError:
        return "." in host and not host.endswith((".local", ".localhost", ".internal", ".test"))
