"""The controls, for people and for programs."""

from collections.abc import Callable
from typing import Any

import pytest
import stripe
from werkzeug.test import Client

from app.simulator import Simulator
from tests.support.cases import for_each
from tests.support.simulator import Connect, Open
from tests.support.simulator_page import read


@pytest.fixture
def do(page: Client) -> Callable[..., Any]:
    def perform(action: str, **fields: Any) -> Any:
        return page.post("/_control", json={"action": action, **fields})

    return perform


def test_changes_fault_settings_by_form(simulator: Simulator, page: Client) -> None:
    simulator.fault_settings.hold = True
    form = {
        "action": "fault_settings",
        "boxes": "hold shuffle",
        "shuffle": "on",
        "duplicate": "2",
        "webhook": "never",
    }

    answer = page.post("/_control", data=form, headers={"Origin": "http://localhost"})

    assert answer.status_code == 303
    assert simulator.fault_settings.hold is False
    assert simulator.fault_settings.shuffle is True
    assert (simulator.fault_settings.duplicate, simulator.fault_settings.webhook) == (2, "never")


def test_shows_objects_and_actions(
    simulator: Simulator, sdk: stripe.StripeClient, page: Client, open_session: Open, inbox: Any
) -> None:
    empty = read(page.get("/_control"))
    open_session()
    done = open_session(currency="gbp")
    simulator.pay_by_bank(done.id, "bacs_debit")
    simulator.pay_by_bank(open_session().id, verify="later")
    simulator.save_card(open_session().id)
    simulator.faults.add("500", "POST /v1/customers", 3)
    simulator.deliver_due()

    shown = read(page.get("/_control"))

    assert "None yet." in empty.text
    for text in (
        "Verify deposits",
        "Renew",
        "Activate",
        "Send again",
        "http://localhost/hook",
        "500 on",
        "Roll secret now",
    ):
        assert text in shown.text
    assert "gangwaysimulator0000" not in shown.text


def test_returns_its_state_as_json(
    simulator: Simulator, sdk: stripe.StripeClient, page: Client, inbox: Any
) -> None:
    sdk.v1.customers.create({"name": "Ada"})

    state = page.get("/_control.json").get_json()

    assert state["counts"]["customers"] == 1
    assert state["events"][0]["type"] == "customer.created"
    assert len(state["waiting"]) == 1
    assert state["fault_settings"] == simulator.fault_settings.state()
    assert "gangwaysimulator0000" not in str(state)


def test_programs_run_actions(
    simulator: Simulator, sdk: stripe.StripeClient, open_session: Open, do: Callable[..., Any], inbox: Any
) -> None:
    expired, saved, deposits, debit = (
        open_session(), open_session(), open_session(), open_session(currency="gbp"),
    )  # fmt: skip
    simulator.save_card(saved.id)
    simulator.pay_by_bank(deposits.id, verify="later")
    simulator.pay_by_bank(debit.id, "bacs_debit")
    method = simulator.store.setup_intents[saved.setup_intent]["payment_method"]
    (mandate,) = simulator.store.mandates
    simulator.deliver_due()
    inbox.events.clear()

    for answer in (
        do("expire_session", session=expired.id),
        do("microdeposits", session=deposits.id, ok=False),
        do("mandate", mandate=mandate, status="active"),
        do("renew_card", payment_method=method),
        do("detach", payment_method=method),
        do("delete_customer", customer=saved.customer),
        do("advance", seconds=2),
    ):
        assert answer.status_code == 200, answer.get_json()
    simulator.deliver_due()
    event = inbox.events[0]["id"]
    do("replay", event=event)
    simulator.deliver_due()

    assert sorted(inbox.types()) == sorted(
        [
            "setup_intent.canceled",
            "setup_intent.canceled",
            "checkout.session.expired",
            "setup_intent.setup_failed",
            "mandate.updated",
            "payment_method.automatically_updated",
            "payment_method.detached",
            "customer.deleted",
        ]
    )
    assert simulator.clock.ahead == 2


def test_programs_do_what_the_dashboard_does(
    simulator: Simulator, open_session: Open, do: Callable[..., Any], inbox: Any
) -> None:
    saved = open_session()
    simulator.save_card(saved.id)
    (endpoint,) = simulator.store.webhook_endpoints

    added = do("attach_card", customer=saved.customer, number="5555555555554444", default="yes").get_json()
    method = added["outcome"]
    do("renew_card", payment_method=method, month=1, year=2033, last4="0007")
    renewed = dict(simulator.store.payment_methods[method]["card"])
    do("age_card", payment_method=method, month="2", year="2034")
    do("choose_default", customer=saved.customer, payment_method="")
    do(
        "change_endpoint",
        endpoint=endpoint,
        enabled="no",
        url="http://localhost/other",
        events="customer.updated",
    )
    changed = dict(simulator.store.webhook_endpoints[endpoint])
    do("change_endpoint", endpoint=endpoint, enabled=True)
    enabled = simulator.store.webhook_endpoints[endpoint]["status"]
    rolled = do("roll_secret", endpoint=endpoint, overlap=60).get_json()["outcome"]
    kept = dict(simulator.store.notes[endpoint])
    remaining = do("delete_endpoint", endpoint=endpoint).get_json()["endpoints"]

    assert (renewed["exp_month"], renewed["exp_year"], renewed["last4"]) == (1, 2033, "0007")
    assert simulator.store.payment_methods[method]["card"]["exp_year"] == 2034
    assert simulator.store.customers[saved.customer]["invoice_settings"]["default_payment_method"] is None
    assert (changed["status"], changed["url"]) == ("disabled", "http://localhost/other")
    assert changed["enabled_events"] == ["customer.updated"]
    assert enabled == "enabled"
    assert kept["secret"] == rolled
    assert remaining == []


def test_adds_a_card_with_defaults(simulator: Simulator, open_session: Open, do: Callable[..., Any]) -> None:
    customer = open_session().customer

    added = do("attach_card", customer=customer).get_json()["outcome"]
    do("renew_card", payment_method=added)

    card = simulator.store.payment_methods[added]["card"]
    assert (card["last4"], card["exp_month"], card["exp_year"]) == ("4242", 12, 2040)


def test_revokes_and_restores_a_key_by_its_masked_form(
    simulator: Simulator, connect: Connect, page: Client, do: Callable[..., Any]
) -> None:
    do("add_key", key=" sk_test_0123456789abcdef ")
    shown = page.get("/_control.json").get_json()["keys"][-1]["id"]

    do("revoke_key", key=shown)
    with pytest.raises(stripe.AuthenticationError):
        connect(simulator, "sk_test_0123456789abcdef").v1.accounts.retrieve_current()
    do("restore_key", key=shown)

    assert "0123456789" not in shown
    connect(simulator, "sk_test_0123456789abcdef").v1.accounts.retrieve_current()


def test_shows_the_store_without_its_secrets(
    simulator: Simulator, sdk: stripe.StripeClient, page: Client
) -> None:
    customer = sdk.v1.customers.create({"name": "Ada"})

    assert [found["id"] for found in page.get("/_control/customers.json").get_json()] == [customer.id]
    for secret in ("keys", "notes", "idempotency", "settings", "nothing"):
        assert page.get(f"/_control/{secret}.json").status_code == 404


def test_programs_change_fault_settings_and_faults(simulator: Simulator, do: Callable[..., Any]) -> None:
    do("fault_settings", hold=True, delay=3)
    do("fault", kind="503", route="GET /v1/account", times=2)
    do("fault", kind="slow", seconds=1)
    state = do("release").get_json()

    assert (state["fault_settings"]["hold"], state["fault_settings"]["delay"]) == (False, 3.0)
    assert [(f["kind"], f["times"], f["seconds"]) for f in state["faults"]] == [
        ("503", 2, 60.0),
        ("slow", 1, 1.0),
    ]
    assert do("clear_faults").get_json()["faults"] == []
    assert do("reset").get_json()["fault_settings"]["delay"] == 0


def test_adds_accounts_and_keys(simulator: Simulator, connect: Connect, do: Callable[..., Any]) -> None:
    do("add_account", account="acct_1RZzxYOtherPlace", name="Other", key="sk_test_other")
    do("add_account", key="sk_test_third")
    do("add_key", key="sk_test_more")
    do("add_key", key="rk_test_list", permissions=["rak_event_read"], account="acct_1RZzxYOtherPlace")
    do("add_key", key="rk_test_text", permissions="rak_event_read rak_customer_read")
    do("revoke_key", key="sk_test_more")

    assert connect(simulator, "sk_test_other").v1.accounts.retrieve_current().id == "acct_1RZzxYOtherPlace"
    assert connect(simulator, "rk_test_list").v1.events.list().data == []
    assert connect(simulator, "rk_test_text").v1.customers.list().data == []
    with pytest.raises(stripe.AuthenticationError):
        connect(simulator, "sk_test_more").v1.accounts.retrieve_current()


@for_each(
    ("form", "problem"),
    [
        ({"action": "nonsense"}, "There is no action"),
        ({}, "There is no action"),
        ({"action": "add_key", "key": "sk_live_nope"}, "begins with sk_test_"),
        ({"action": "detach", "payment_method": "pm_nope"}, "There is no 'pm_nope'"),
        ({"action": "fault", "kind": "fire"}, "fire is not one of"),
        ({"action": "fault", "kind": "500", "times": "-1"}, "at least once"),
        ({"action": "fault_settings", "hold": "maybe"}, "on or off"),
    ],
)
def test_explains_impossible_actions(form: dict[str, str], problem: str, page: Client) -> None:
    by_program = page.post("/_control", json=form)
    by_form = page.post("/_control", data=form)

    assert by_program.status_code == 400
    assert problem in by_program.get_json()["error"]
    assert by_form.status_code == 422
    assert problem.replace("'", "&#39;") in by_form.get_data(as_text=True)


@for_each(
    "body",
    [
        "null",
        "[]",
        '"advance"',
        '{"action": "advance", "seconds": 1e308}',
        '{"action": "advance", "seconds": -1e308}',
        '{"action": "advance", "seconds": "nan"}',
        '{"action": "fault", "kind": "slow", "seconds": "nan"}',
        '{"action": "fault", "kind": "slow", "seconds": -1}',
        '{"action": "detach", "payment_method": {}}',
        '{"action": "delete_customer", "customer": []}',
        '{"action": "delete_customer", "customer": 5}',
        '{"action": "add_account", "key": 5}',
        '{"action": "add_account", "key": "sk_test_other", "account": 5}',
        '{"action": "add_account", "key": "sk_test_other", "name": true}',
        '{"action": "add_key", "key": "sk_test_other", "account": true}',
        '{"action": "add_key", "key": "sk_test_other", "permissions": 5}',
        '{"action": "add_key", "key": "sk_test_other", "permissions": [5]}',
        '{"action": "fault_settings", "boxes": 5}',
        '{"action": "fault", "kind": "slow", "times": 1e999}',
        '{"action": "advance", "seconds": null}',
    ],
)
def test_refuses_what_makes_no_sense_and_continues(simulator: Simulator, page: Client, body: str) -> None:
    answer = page.post("/_control", data=body, content_type="application/json")

    assert answer.status_code == 400
    assert answer.get_json()["error"]
    assert (simulator.clock.ahead, simulator.faults.state()) == (0, [])
    assert page.get("/_control.json").status_code == 200
