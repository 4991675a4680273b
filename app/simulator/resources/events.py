"""Events. Source: https://docs.stripe.com/api/events."""

from app.simulator.protocol import lists
from app.simulator.protocol.call import Call, operation
from app.simulator.protocol.errors import StripeError, missing_resource, mutually_exclusive
from app.simulator.store import JSON

RETENTION = 30 * 24 * 3600  # seconds


@operation("GET /v1/events/{id}")
def retrieve(call: Call) -> JSON:
    """Return one event of the last 30 days. Raises StripeError (404)."""
    found = call.store.events.find(call.path["id"], call.account)
    if found is None or found["created"] < call.now - RETENTION:
        raise missing_resource("event", call.path["id"], "id", status=404)
    return found


@operation("GET /v1/events")
def index(call: Call) -> JSON:
    """List the last 30 days. `delivery_success` false means pending or failed at any endpoint."""
    given, now = call.params, call.clock.precise()
    if "type" in given and "types" in given:
        raise mutually_exclusive("type", "types")
    if len(given.get("types", [])) > 20:
        raise StripeError("You may only specify up to 20 event types.", param="types")
    types = given.get("types") or [given.get("type", "*")]
    delivered = given.get("delivery_success")

    def matches(event: JSON) -> bool:
        return (
            event["created"] >= call.now - RETENTION
            and call.note(event["id"]).get("listed", 0) <= now
            and any(_matches(event["type"], kind) for kind in types)
            and (delivered is None or (event["pending_webhooks"] == 0) == delivered)
        )

    return lists.page(call, call.store.events, "event", matches)


@operation("POST /v1/events/{id}/retry")
def resend(call: Call) -> JSON:
    """Deliver an event again, for `stripe events resend`: to one endpoint, or to all that take it."""
    event = retrieve(call)
    chosen = call.params.get("webhook_endpoint")
    endpoints = [one["id"] for one in call.endpoints_for(event["type"]) if chosen in {None, one["id"]}]
    if chosen is not None and not endpoints:
        raise missing_resource("webhook_endpoint", chosen, "webhook_endpoint")
    for endpoint in endpoints:
        call.queue(event["id"], endpoint)
    return event


def _matches(kind: str, pattern: str) -> bool:
    return pattern in {"*", kind} or (pattern.endswith(".*") and kind.startswith(pattern[:-1]))
