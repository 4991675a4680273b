"""Lists, with pages, filters, searches and expansion, as at Stripe."""

from typing import Any

import pytest
import stripe

from app.simulator import Simulator
from tests.support.cases import for_each
from tests.support.simulator import Open, Raw


def test_pages_lists_in_both_directions(sdk: stripe.StripeClient) -> None:
    made = [sdk.v1.customers.create({"name": str(n)}).id for n in range(5)]
    newest = made[::-1]

    first = sdk.v1.customers.list({"limit": 2})
    then = sdk.v1.customers.list({"limit": 2, "starting_after": newest[1]})
    before = sdk.v1.customers.list({"limit": 2, "ending_before": newest[4]})
    everything = [c.id for c in sdk.v1.customers.list({"limit": 2}).auto_paging_iter()]
    backwards = sdk.v1.customers.list({"limit": 2, "ending_before": made[0]})

    assert [c.id for c in first.data] == newest[:2]
    assert first.has_more is True
    assert [c.id for c in then.data] == newest[2:4]
    assert [c.id for c in before.data] == newest[2:4]
    assert before.has_more is True
    assert everything == newest
    assert [c.id for c in backwards.auto_paging_iter()] == made[1:]


def test_lists_the_methods_of_one_customer(sdk: stripe.StripeClient) -> None:
    ada, eve = (sdk.v1.customers.create({"name": name}).id for name in ("Ada", "Eve"))
    attached = []
    for _ in range(3):
        attached.append(sdk.v1.payment_methods.attach("pm_card_visa", {"customer": ada}).id)
        other = sdk.v1.payment_methods.attach("pm_card_visa", {"customer": eve}).id
    sdk.v1.payment_methods.detach(attached[1])

    def listed(**cursor: str) -> tuple[list[str], bool]:
        answer = sdk.v1.payment_methods.list({"customer": ada, "limit": 1} | cursor)  # type: ignore[arg-type]
        return [method.id for method in answer.data], answer.has_more

    assert listed() == ([attached[2]], True)
    assert listed(starting_after=attached[2]) == ([attached[0]], False)
    assert listed(ending_before=attached[0]) == ([attached[2]], False)
    assert listed(starting_after=other) == ([attached[2]], True)  # the cursor need not be in the list


@for_each(
    ("query", "message"),
    [
        ("limit=0", "greater than or equal to 1"),
        ("limit=101", "less than or equal to 100"),
        ("starting_after=cus_nope", "No such customer: 'cus_nope'"),
        ("starting_after=a&ending_before=b", "both starting_after and ending_before"),
        ("expand[]=customer", "data.customer"),
        ("expand[]=data.a.b.c.d.e", "more than 4 levels"),
        ("expand[]=data.nothing", "cannot be expanded"),
    ],
)
def test_refuses_wrong_pages(query: str, message: str, raw: Raw) -> None:
    raw("POST", "/v1/customers", "name=Ada")

    answer = raw("GET", f"/v1/customers?{query}")

    assert answer.status_code == 400
    assert message in answer.get_json()["error"]["message"]


def test_filters_lists(simulator: Simulator, sdk: stripe.StripeClient) -> None:
    ada = sdk.v1.customers.create({"email": "ada@example.com"})
    simulator.advance(10)
    eve = sdk.v1.customers.create({"email": "eve@example.com"})

    def found(**params: Any) -> list[str]:
        return [customer.id for customer in sdk.v1.customers.list(params).data]  # type: ignore[arg-type]

    assert found(email="ada@example.com") == [ada.id]
    assert found(created=eve.created) == [eve.id]
    assert found(created={"lt": eve.created}) == [ada.id]
    assert found(created={"gt": ada.created, "lte": eve.created}) == [eve.id]


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("email:'ada@example.com'", ["Ada"]),
        ("email:'ADA@example.com'", ["Ada"]),
        ("name~'dA'", []),
        ("name~'ada'", ["Ada"]),
        ("-name:'Ada'", ["Eve"]),
        ("metadata['k']:'v'", ["Eve"]),
        ("metadata['k']:null", ["Ada"]),
        ("phone:null AND name:'Eve'", ["Eve"]),
        ("name:'Ada' OR name:'Eve'", ["Eve", "Ada"]),
        ("name:'Ada' and name:'Eve'", []),
        ("created>1", ["Eve", "Ada"]),
        (r"name:'A\'da'", []),
    ],
)
def test_searches(query: str, names: list[str], sdk: stripe.StripeClient) -> None:
    sdk.v1.customers.create({"name": "Ada", "email": "ada@example.com"})
    sdk.v1.customers.create({"name": "Eve", "metadata": {"k": "v"}})
    gone = sdk.v1.customers.create({"name": "Ada"})
    sdk.v1.customers.delete(gone.id)

    if query == "name~'dA'":
        with pytest.raises(stripe.InvalidRequestError, match="not supported"):
            sdk.v1.customers.search({"query": query})
        return
    found = sdk.v1.customers.search({"query": query})

    assert [customer.name for customer in found.data] == names


@for_each(
    "query",
    [
        "",
        "name",
        "name:'a' name:'b'",
        "planet:'x'",
        "metadata:'x'",
        "name['x']:'y'",
        "created:'soon'",
        "name>'a'",
        "name:'a' AND name:'b' OR name:'c'",
    ],
)
def test_refuses_wrong_searches(query: str, sdk: stripe.StripeClient) -> None:
    with pytest.raises(stripe.InvalidRequestError):
        sdk.v1.customers.search({"query": query})


def test_pages_searches_and_lags(simulator: Simulator, sdk: stripe.StripeClient) -> None:
    for n in range(3):
        sdk.v1.customers.create({"name": f"Ada {n}"})

    pages = sdk.v1.customers.search({"query": "name~'ada'", "limit": 2})
    names = [customer.name for customer in pages.auto_paging_iter()]
    simulator.fault_settings.search_lag = 60
    lagging = sdk.v1.customers.search({"query": "name~'ada'"}).data
    simulator.advance(61)
    caught_up = sdk.v1.customers.search({"query": "name~'ada'"}).data

    assert names == ["Ada 2", "Ada 1", "Ada 0"]
    assert lagging == []
    assert len(caught_up) == 3
    with pytest.raises(stripe.InvalidRequestError, match="Invalid page"):
        sdk.v1.customers.search({"query": "name~'ada'", "page": "x"})


def test_expands_in_lists_and_past_missing_objects(
    simulator: Simulator, sdk: stripe.StripeClient, open_session: Open
) -> None:
    session = open_session()
    simulator.save_card(session.id)

    (listed,) = sdk.v1.checkout.sessions.list({"expand": ["data.setup_intent.payment_method"]}).data
    paths = ["line_items", "customer_details", "payment_intent", "subscription", "customer.sources"]
    whole: Any = sdk.v1.checkout.sessions.retrieve(session.id, {"expand": paths})

    assert listed.setup_intent.payment_method.card.last4 == "4242"  # type: ignore[union-attr]
    assert whole.line_items.data == []
    assert whole.payment_intent is None
    assert whole.customer.sources.data == []
