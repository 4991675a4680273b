"""What goes wrong at Stripe reaches us as one of our own few exceptions, with Stripe's words kept."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from app.core.db import utcnow
from app.gateway import (
    CheckoutSessionOptions,
    StripeFailed,
    StripeFailureStored,
    StripeGateway,
    StripeInProgress,
    StripeKeyRejected,
    StripeObjectMissing,
    StripePermissionMissing,
    StripeRefused,
    StripeUnavailable,
)
from app.simulator import DEFAULT_API_KEY, Simulator, add_key, revoke_key
from tests.support.cases import for_each
from tests.support.stripe_calls import StripeCalls
from tests.support.stripe_scripted import Answer, Connect, Scripted, failure

CUSTOMER = {"id": "cus_1", "object": "customer", "invoice_settings": {"default_payment_method": None}}


def create_customer(gateway: StripeGateway, key: str = "gangway-customer-1", **wanted: Any) -> str:
    """Ask for a customer."""
    metadata = wanted.pop("metadata", {})
    return gateway.create_customer({"name": "Ada"} | wanted, metadata=metadata, idempotency_key=key)


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("429", "Stripe asks us to slow down."),
        ("lock", "Stripe asks us to slow down."),
        ("500", "Stripe had a problem."),
        ("503", "Stripe had a problem."),
        ("timeout", "Stripe can't be reached."),
        ("timeout_after", "Stripe can't be reached."),
        ("reset", "Stripe can't be reached."),
        ("reset_after", "Stripe can't be reached."),
    ],
)
def test_says_that_stripe_is_not_available(
    fault: str, words: str, gateway: StripeGateway, simulator: Simulator
) -> None:
    simulator.faults.add(fault, times=100)

    with pytest.raises(StripeUnavailable) as caught:
        gateway.account()

    assert (caught.value.detail, caught.value.status, caught.value.retry_after) == (words, 412, None)


@for_each("fault", ["500", "503", "timeout", "timeout_after", "reset", "reset_after", "lock", "429"])
def test_says_nothing_of_a_key_that_was_not_rejected(
    fault: str, gateway: StripeGateway, simulator: Simulator
) -> None:
    simulator.faults.add(fault, times=100)

    with pytest.raises(StripeUnavailable):
        create_customer(gateway)


def test_says_that_the_key_is_unknown(connect: Connect) -> None:
    with pytest.raises(StripeKeyRejected) as caught:
        connect("sk_test_unknown").customer("cus_1")

    assert "sk_test" not in caught.value.detail


def test_says_that_the_key_was_revoked(gateway: StripeGateway, simulator: Simulator) -> None:
    revoke_key(simulator.store, DEFAULT_API_KEY)

    with pytest.raises(StripeKeyRejected):
        gateway.account()


def test_says_which_right_the_key_lacks(connect: Connect, simulator: Simulator) -> None:
    add_key(simulator.store, "rk_test_little", permissions=["rak_customer_read"])

    with pytest.raises(StripePermissionMissing, match="rak_customer_write"):
        create_customer(connect("rk_test_little"))


@for_each(
    "ask",
    [
        lambda gateway: gateway.customer("cus_none"),
        lambda gateway: gateway.session("cs_test_none"),
        lambda gateway: gateway.expire_session("cs_test_none"),
        lambda gateway: gateway.payment_methods("cus_none"),
        lambda gateway: gateway.update_customer("cus_none", name="Ada", email=None, details=None),
        lambda gateway: gateway.set_default_method("cus_none", "pm_none"),
        lambda gateway: gateway.delete_webhook_endpoint("we_none"),
    ],
)
def test_says_that_stripe_has_no_such_thing(
    ask: Callable[[StripeGateway], object], gateway: StripeGateway
) -> None:
    with pytest.raises(StripeObjectMissing, match="No such"):
        ask(gateway)


def test_gives_stripes_words_about_a_parameter(gateway: StripeGateway) -> None:
    customer = create_customer(gateway)

    with pytest.raises(StripeRefused) as caught:
        gateway.set_default_method(customer, "pm_none")

    assert caught.value.status == 400
    assert caught.value.code == "resource_missing"
    assert caught.value.fields == {"invoice_settings[default_payment_method]": caught.value.detail}
    assert "pm_none" in caught.value.detail


def test_gives_stripes_words_about_a_state(gateway: StripeGateway) -> None:
    page = gateway.open_setup_session(
        create_customer(gateway),
        CheckoutSessionOptions(currency="EUR", success_url="http://127.0.0.1:8000/return"),
        metadata={},
        idempotency_key="gangway-session-1",
    )
    gateway.expire_session(page.id)

    with pytest.raises(StripeRefused) as caught:
        gateway.expire_session(page.id)

    assert "expired" in caught.value.detail


def test_tells_a_key_that_was_used_for_another_request(gateway: StripeGateway, simulator: Simulator) -> None:
    first = create_customer(gateway)

    with pytest.raises(StripeFailureStored):
        create_customer(gateway, name="Eve")

    assert list(simulator.store.customers) == [first]


def test_finds_a_customer_by_its_metadata(gateway: StripeGateway) -> None:
    since, mark = utcnow(), {"om_payer_id": "01J00000000000000000000000"}
    created = create_customer(gateway, metadata=mark | {"om_app_id": "01J00000000000000000000001"})
    create_customer(gateway, key="another")

    assert gateway.find_customer(mark, since=since) == created
    assert gateway.find_customer({"om_payer_id": "another"}, since=since) is None
    assert gateway.find_customer(mark, since=since + timedelta(days=1)) is None


@for_each(
    ("answer", "kind", "words"),
    [
        (
            failure(402, "card_error", code="card_declined", message="Your card was declined."),
            StripeRefused,
            "Your card was declined.",
        ),
        (failure(402, "card_error"), StripeRefused, "Stripe gave no reason."),
        (failure(400, "invalid_request_error", message="Odd."), StripeRefused, "Odd."),
        (failure(404, "invalid_request_error", message="No such URL."), StripeRefused, "No such URL."),
        (failure(403, "invalid_request_error"), StripePermissionMissing, "Stripe gave no reason."),
        (failure(418, "api_error", message="Tea."), StripeFailed, "Tea."),
        (
            failure(409, "idempotency_error", message="In use."),
            StripeInProgress,
            "Stripe is still working on the same request.",
        ),
        (Answer(502, b"<html>Bad gateway</html>"), StripeUnavailable, "Stripe had a problem."),
        (Answer(200, b"<html>Hotel WLAN</html>"), StripeUnavailable, "Stripe had a problem."),
        (Answer(500, {}), StripeUnavailable, "Stripe had a problem."),
    ],
)
def test_understands_every_kind_of_error(answer: Answer, kind: type[StripeFailed], words: str) -> None:
    with pytest.raises(kind) as caught:
        Scripted(answer).gateway.customer("cus_1")

    assert type(caught.value) is kind
    assert caught.value.detail == words


@for_each(
    ("header", "seconds"),
    [
        ("7", 7.0),
        ("0", 0.0),
        ("3600", 120.0),  # who asks for an hour must not stop us for an hour
        ("", None),
        ("soon", None),
        ("-5", None),
        ("Wed, 21 Oct 2026 07:28:00 GMT", None),
    ],
)
def test_keeps_for_how_long_stripe_wants_to_be_left_alone(header: str, seconds: float | None) -> None:
    slow = failure(429, "invalid_request_error", code="rate_limit")
    stripe = Scripted(Answer(429, slow.body, {"Retry-After": header}))

    with pytest.raises(StripeUnavailable) as caught:
        stripe.gateway.customer("cus_1")

    assert caught.value.retry_after == seconds


def test_does_not_ask_again_at_once_when_stripe_says_to_slow_down() -> None:
    stripe = Scripted(failure(429, "invalid_request_error", code="rate_limit"), Answer(200, CUSTOMER))

    with pytest.raises(StripeUnavailable):
        stripe.gateway.customer("cus_1")

    assert len(stripe.asked) == 1


@pytest.mark.parametrize(
    "answer",
    [failure(409, "invalid_request_error", code="lock_timeout"), failure(500, "api_error"), Answer(503, b"")],
)
def test_asks_again_at_once_when_that_may_help(answer: Answer) -> None:
    stripe = Scripted(answer, Answer(200, CUSTOMER))

    found = stripe.gateway.customer("cus_1")

    assert found.id == "cus_1"
    assert len(stripe.asked) == 2


def test_asks_twice_at_most(gateway: StripeGateway, simulator: Simulator, calls: StripeCalls) -> None:
    simulator.faults.add("reset", times=100)

    with pytest.raises(StripeUnavailable):
        gateway.customer("cus_1")

    assert len(calls.made) == 2


@pytest.mark.parametrize("fault", ["503", "timeout", "timeout_after", "reset", "reset_after"])
def test_makes_one_thing_although_it_had_to_ask_again(
    fault: str, gateway: StripeGateway, simulator: Simulator
) -> None:
    simulator.faults.add(fault, "POST /v1/customers", times=1)

    made = create_customer(gateway)

    assert list(simulator.store.customers) == [made]


def test_gives_the_same_thing_for_the_same_key(gateway: StripeGateway, simulator: Simulator) -> None:
    made = [create_customer(gateway) for _ in range(3)]

    assert list(simulator.store.customers) == made[:1]
    assert made == made[:1] * 3


@pytest.mark.parametrize("kind", ["500", "500_after"])
def test_tells_a_failure_that_stripe_has_stored_for_the_key(
    gateway: StripeGateway, simulator: Simulator, kind: str
) -> None:
    """A repeat gets the stored 500 for a day: https://docs.stripe.com/api/idempotent_requests.

    It does not say what became of the request: https://docs.stripe.com/error-low-level.
    """
    simulator.faults.add(kind, "POST /v1/customers")

    with pytest.raises(StripeFailureStored):  # the SDK has tried twice
        create_customer(gateway)

    assert create_customer(gateway, key="another") in simulator.store.customers
