"""Keys, accounts, headers and unknown paths, as at Stripe."""

import base64

import pytest
import stripe

from app.simulator import (
    DEFAULT_ACCOUNT,
    DEFAULT_API_KEY,
    DEFAULT_RESTRICTED_KEY,
    Simulator,
    add_account,
    add_key,
    revoke_key,
)
from tests.support.cases import for_each
from tests.support.simulator import Connect, Raw


def test_every_simulator_has_the_same_default_account(sdk: stripe.StripeClient, connect: Connect) -> None:
    other = Simulator()

    assert sdk.v1.accounts.retrieve_current().id == DEFAULT_ACCOUNT
    assert connect(other).v1.accounts.retrieve_current().id == DEFAULT_ACCOUNT
    other.close()


@for_each(
    ("header", "message"),
    [
        ("", "You did not provide an API key."),
        ("Bearer ", "You did not provide an API key."),
        ("Basic !", "You did not provide an API key."),
        ("Bearer sk_test_unknownkey1234", "Invalid API Key provided: sk_test_"),
        ("Bearer sk_live_unknownkey1234", "Invalid API Key provided: sk_live_"),
    ],
)
def test_refuses_missing_and_unknown_keys(header: str, message: str, raw: Raw) -> None:
    answer = raw("GET", "/v1/account", Authorization=header)

    assert answer.status_code == 401
    assert answer.get_json()["error"]["message"].startswith(message)
    assert "unknownkey" not in answer.get_data(as_text=True)


def test_takes_the_key_as_user_name(raw: Raw) -> None:
    basic = base64.b64encode(f"{DEFAULT_API_KEY}:".encode()).decode()

    assert raw("GET", "/v1/account", Authorization=f"Basic {basic}").status_code == 200


def test_treats_a_revoked_key_as_expired(simulator: Simulator, connect: Connect) -> None:
    add_key(simulator.store, "sk_test_short_lived_00")
    revoke_key(simulator.store, "sk_test_short_lived_00")

    with pytest.raises(stripe.AuthenticationError) as refused:
        connect(simulator, "sk_test_short_lived_00").v1.accounts.retrieve_current()

    assert refused.value.error is not None
    assert refused.value.error.code == "api_key_expired"


def test_restricted_keys_need_the_permission(simulator: Simulator, connect: Connect) -> None:
    restricted = connect(simulator, DEFAULT_RESTRICTED_KEY)
    add_key(simulator.store, "rk_test_reads_customers", permissions=["rak_customer_read"])
    reader = connect(simulator, "rk_test_reads_customers")

    customer = restricted.v1.customers.create({"name": "Ada"})
    assert reader.v1.customers.retrieve(customer.id).name == "Ada"
    with pytest.raises(stripe.PermissionError, match="rak_customer_write"):
        reader.v1.customers.create({"name": "Eve"})
    with pytest.raises(stripe.PermissionError, match="rak_accounts_kyc_basic_read") as refused:
        reader.v1.accounts.retrieve_current()

    assert restricted.v1.accounts.retrieve_current().id == DEFAULT_ACCOUNT
    assert refused.value.error is not None
    assert refused.value.error.code == "more_permissions_required"
    assert "rk_test_reads_customers" not in str(refused.value)


@pytest.mark.parametrize("key", ["sk_live_x", "rk_test_x", "pk_test_x"])
def test_adds_only_test_keys(key: str, simulator: Simulator) -> None:
    with pytest.raises(ValueError, match="begins with sk_test_"):
        add_key(simulator.store, key)


def test_accounts_see_only_their_own_objects(
    simulator: Simulator, sdk: stripe.StripeClient, connect: Connect
) -> None:
    add_account(simulator.store, "acct_1RZzxYOtherPlace", 1)
    add_key(simulator.store, "sk_test_other", account="acct_1RZzxYOtherPlace")
    with pytest.raises(ValueError, match="There is no account"):
        add_key(simulator.store, "sk_test_other", account="acct_none")
    other = connect(simulator, "sk_test_other")
    customer = sdk.v1.customers.create({"name": "Ada"})

    with pytest.raises(stripe.InvalidRequestError, match="No such customer"):
        other.v1.customers.retrieve(customer.id)

    assert other.v1.customers.list().data == []
    assert other.v1.events.list().data == []


def test_answers_have_stripes_headers(raw: Raw) -> None:
    made = raw("POST", "/v1/customers", "name=Ada", Idempotency_Key="k1")
    again = raw("POST", "/v1/customers", "name=Ada", Idempotency_Key="k1")
    read = raw("GET", "/v1/account", Stripe_Version="2026-10-28.endive")

    assert made.headers["Content-Type"] == "application/json"
    assert made.headers["Request-Id"].startswith("req_")
    assert len(made.headers["Request-Id"]) == 18
    assert made.headers["Idempotency-Key"] == "k1"
    assert made.headers["Stripe-Version"] == "2026-05-27.dahlia"  # the account's version
    assert "Idempotent-Replayed" not in made.headers
    assert again.headers["Idempotent-Replayed"] == "true"
    assert again.headers["Original-Request"] == made.headers["Request-Id"]
    assert again.get_json() == made.get_json()
    assert read.headers["Stripe-Version"] == "2026-10-28.endive"
    assert "Idempotency-Key" not in read.headers


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/v1/foo"),
        ("GET", "/v1/customers/"),
        ("GET", "/v1/"),
        ("PUT", "/v1/customers"),
        ("GET", "/v1//customers"),
    ],
)
def test_answers_unknown_paths_as_stripe_does(method: str, path: str, raw: Raw) -> None:
    answer = raw(method, path)

    assert answer.status_code == 404
    assert f"Unrecognized request URL ({method}: {path})" in answer.get_json()["error"]["message"]


def test_refuses_unknown_versions_and_json_bodies(raw: Raw) -> None:
    version = raw("GET", "/v1/account", Stripe_Version="2030-01-01")
    body = raw("POST", "/v1/customers", "{}", "application/json")

    assert version.get_json()["error"]["message"] == "Invalid Stripe API version: 2030-01-01"
    assert "application/x-www-form-urlencoded" in body.get_json()["error"]["message"]


@pytest.mark.parametrize("path", ["checkout/sessions", "setup_intents"])
def test_endive_removes_payment_method_types(path: str, raw: Raw) -> None:
    form = "payment_method_types[]=card"
    if path == "checkout/sessions":
        form += "&mode=setup&currency=usd&success_url=https://x.example/"

    old = raw("POST", f"/v1/{path}", form)
    new = raw("POST", f"/v1/{path}", form, Stripe_Version="2026-10-28.endive")
    wrong = raw("POST", f"/v1/{path}", form.replace("=card", "=barter"))

    assert old.get_json()["payment_method_types"] == ["card"]
    assert new.get_json()["error"]["code"] == "payment_method_types_no_longer_supported"
    assert wrong.status_code == 400


@for_each(
    ("path", "param"),
    [
        ("customers/nope", "id"),
        ("checkout/sessions/nope", "session"),
        ("setup_intents/nope", "intent"),
        ("payment_methods/nope", "payment_method"),
        ("mandates/nope", "mandate"),
        ("events/nope", "id"),
        ("billing_portal/configurations/nope", "configuration"),
    ],
)
def test_answers_404_for_unknown_ids(path: str, param: str, raw: Raw) -> None:
    answer = raw("GET", f"/v1/{path}")

    error = answer.get_json()["error"]
    assert answer.status_code == 404
    assert (error["code"], error["param"]) == ("resource_missing", param)
    assert "'nope'" in error["message"]
