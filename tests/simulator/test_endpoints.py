"""Webhook endpoints, events and the customer portal, as at Stripe."""

from typing import Any

import pytest
import stripe

from app.simulator import Simulator
from tests.support.cases import for_each
from tests.support.simulator import Raw

JSON = dict[str, Any]


def test_shows_the_secret_of_an_endpoint_once(sdk: stripe.StripeClient) -> None:
    made = sdk.v1.webhook_endpoints.create(
        {"url": "http://localhost/x", "enabled_events": ["*"], "metadata": {"managed_by": "us"}}
    )
    changed = sdk.v1.webhook_endpoints.update(
        made.id,
        {
            "disabled": True,
            "description": "ours",
            "enabled_events": ["customer.updated"],
            "metadata": {"a": "b"},
            "url": "https://portal.example.com/hook",
        },
    )
    again = sdk.v1.webhook_endpoints.update(made.id, {"disabled": False, "description": ""})
    moved = sdk.v1.webhook_endpoints.update(made.id, {"url": "https://portal.example.com/new"})

    assert str(made.secret).startswith("whsec_")
    assert len(str(made.secret)) == 38
    assert "secret" not in sdk.v1.webhook_endpoints.retrieve(made.id)
    assert (changed.status, changed.description) == ("disabled", "ours")
    assert (again.status, again.description) == ("enabled", None)
    assert (moved.url, moved.status) == ("https://portal.example.com/new", "enabled")
    assert [endpoint.id for endpoint in sdk.v1.webhook_endpoints.list().data] == [made.id]
    assert sdk.v1.webhook_endpoints.delete(made.id).deleted is True
    with pytest.raises(stripe.InvalidRequestError) as refused:
        sdk.v1.webhook_endpoints.retrieve(made.id)
    assert refused.value.http_status == 404


@for_each(
    ("url", "lenient", "strict"),
    [
        ("https://portal.example.com/hook", True, True),
        ("http://203.0.112.7/hook", True, True),
        ("http://localhost:5000/hook", True, False),
        ("http://127.0.0.1/hook", True, False),
        ("http://10.0.0.1/hook", True, False),
        ("http://portal.local/hook", True, False),
        ("ftp://portal.example.com/", False, False),
        ("nothing", False, False),
        ("http://[::1", False, False),
    ],
)
def test_checks_the_urls_of_endpoints(
    *, url: str, lenient: bool, strict: bool, simulator: Simulator, sdk: stripe.StripeClient
) -> None:
    for setting, allowed in ((False, lenient), (True, strict)):
        simulator.fault_settings.strict_urls = setting
        if allowed:
            sdk.v1.webhook_endpoints.create({"url": url, "enabled_events": ["*"]})
        else:
            with pytest.raises(stripe.InvalidRequestError) as refused:
                sdk.v1.webhook_endpoints.create({"url": url, "enabled_events": ["*"]})
            assert (refused.value.code, refused.value.param) == ("url_invalid", "url")


def test_limits_endpoints_and_checks_event_types(sdk: stripe.StripeClient, raw: Raw) -> None:
    create: Any = {"url": "https://x.example/", "enabled_events": ["*"]}
    for _ in range(16):
        sdk.v1.webhook_endpoints.create(create)

    with pytest.raises(stripe.InvalidRequestError, match="maximum of 16") as refused:
        sdk.v1.webhook_endpoints.create(create)
    with pytest.raises(stripe.InvalidRequestError, match="enabled_events"):
        sdk.v1.webhook_endpoints.create(create | {"enabled_events": ["customer.*"]})

    assert refused.value.code is None


def test_lists_events_for_thirty_days(simulator: Simulator, sdk: stripe.StripeClient) -> None:
    customer = sdk.v1.customers.create({"name": "Ada"})
    simulator.advance(60)
    sdk.v1.customers.update(customer.id, {"name": "Ada L"})
    sdk.v1.setup_intents.create({})

    def types(**params: Any) -> list[str]:
        return [event.type for event in sdk.v1.events.list(params).data]  # type: ignore[arg-type]

    assert types() == ["setup_intent.created", "customer.updated", "customer.created"]
    assert types(type="customer.created") == ["customer.created"]
    assert types(type="customer.*") == ["customer.updated", "customer.created"]
    assert types(types=["customer.updated", "setup_intent.created"]) == [
        "setup_intent.created",
        "customer.updated",
    ]
    assert types(delivery_success=False) == []
    newest = sdk.v1.events.list().data[0]
    assert sdk.v1.events.retrieve(newest.id).api_version == "2026-05-27.dahlia"
    with pytest.raises(stripe.InvalidRequestError, match="up to 20"):
        types(types=["customer.created"] * 21)
    with pytest.raises(stripe.InvalidRequestError, match="only specify one"):
        types(type="customer.created", types=["customer.updated"])
    simulator.advance(31 * 24 * 3600)
    assert types() == []
    with pytest.raises(stripe.InvalidRequestError, match="No such event"):
        sdk.v1.events.retrieve(newest.id)


def test_accepts_a_cursor_of_another_type(sdk: stripe.StripeClient) -> None:
    customer = sdk.v1.customers.create({"name": "Ada"})
    (created,) = sdk.v1.events.list().data
    sdk.v1.customers.update(customer.id, {"name": "Eve"})

    newer = sdk.v1.events.list({"type": "customer.updated", "ending_before": created.id})

    assert [event.type for event in newer.data] == ["customer.updated"]


def test_configures_and_opens_the_portal(sdk: stripe.StripeClient) -> None:
    customer = sdk.v1.customers.create({})
    features: Any = {
        "customer_update": {"allowed_updates": ["email"], "enabled": True},
        "payment_method_update": {"enabled": True},
        "subscription_cancel": {
            "enabled": False,
            "cancellation_reason": {"enabled": True, "options": ["other"]},
        },
    }
    own = sdk.v1.billing_portal.configurations.create(
        {
            "features": features,
            "business_profile": {"headline": "Hello"},
            "default_return_url": "https://x.example/",
            "login_page": {"enabled": True},
            "metadata": {"a": "b"},
        }
    )
    renamed = sdk.v1.billing_portal.configurations.update(
        own.id,
        {
            "name": "Ours",
            "active": False,
            "business_profile": {"headline": ""},
            "features": {"customer_update": {"allowed_updates": "", "enabled": False}},
        },
    )

    by_default = sdk.v1.billing_portal.sessions.create({"customer": customer.id})
    again = sdk.v1.billing_portal.sessions.create({"customer": customer.id})
    named: Any = sdk.v1.billing_portal.sessions.create(
        {"customer": customer.id, "configuration": own.id, "expand": ["configuration"]}
    )

    assert own.features.payment_method_update.enabled is True
    assert own.features.subscription_cancel.cancellation_reason.options == ["other"]
    assert (renamed.name, renamed.active, renamed.business_profile.headline) == ("Ours", False, None)
    assert renamed.features.customer_update.allowed_updates == []
    assert by_default.configuration == again.configuration
    assert named.configuration.id == own.id
    assert named.return_url == "https://x.example/"
    assert sdk.v1.billing_portal.configurations.retrieve(own.id).name == "Ours"
    assert [c.id for c in sdk.v1.billing_portal.configurations.list({"is_default": False}).data] == [own.id]


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({}, "Missing required param: customer"),
        ({"customer": "cus_nope"}, "No such customer"),
        ({"customer": "", "configuration": "bpc_nope"}, "No such configuration"),
        ({"customer": "", "flow_data": {"type": "payment_method_update"}}, "flow_data"),
    ],
)
def test_refuses_wrong_portal_sessions(params: JSON, message: str, sdk: stripe.StripeClient) -> None:
    if params.get("customer") == "":
        params = params | {"customer": sdk.v1.customers.create({}).id}

    with pytest.raises(stripe.InvalidRequestError, match=message):
        sdk.v1.billing_portal.sessions.create(params)  # type: ignore[arg-type]
