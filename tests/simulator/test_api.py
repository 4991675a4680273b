"""The API as programs meet it: keys, versions, errors, idempotency, lists, and each resource."""

import base64
import contextlib
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import stripe

from app.simulator import (
    DEFAULT_ACCOUNT,
    DEFAULT_API_KEY,
    DEFAULT_RESTRICTED_KEY,
    Simulator,
    accounts,
)

Raw = Callable[..., Any]
Open = Callable[..., Any]
Connect = Callable[..., stripe.StripeClient]
JSON = dict[str, Any]


def test_the_account_is_always_the_same(sdk: stripe.StripeClient, connect: Connect) -> None:
    other = Simulator()

    assert sdk.v1.accounts.retrieve_current().id == DEFAULT_ACCOUNT
    assert connect(other).v1.accounts.retrieve_current().id == DEFAULT_ACCOUNT
    other.close()


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ("", "You did not provide an API key."),
        ("Bearer ", "You did not provide an API key."),
        ("Basic !", "You did not provide an API key."),
        ("Bearer sk_test_unknownkey1234", "Invalid API Key provided: sk_test_"),
        ("Bearer sk_live_unknownkey1234", "Invalid API Key provided: sk_live_"),
    ],
)
def test_strangers_are_refused(header: str, message: str, raw: Raw) -> None:
    answer = raw("GET", "/v1/account", Authorization=header)

    assert answer.status_code == 401
    assert answer.get_json()["error"]["message"].startswith(message)
    assert "unknownkey" not in answer.get_data(as_text=True)


def test_takes_the_key_as_user_name(raw: Raw) -> None:
    basic = base64.b64encode(f"{DEFAULT_API_KEY}:".encode()).decode()

    assert raw("GET", "/v1/account", Authorization=f"Basic {basic}").status_code == 200


def test_a_revoked_key_has_expired(simulator: Simulator, connect: Connect) -> None:
    accounts.add_key(simulator.books, "sk_test_short_lived_00")
    accounts.revoke_key(simulator.books, "sk_test_short_lived_00")

    with pytest.raises(stripe.AuthenticationError) as refused:
        connect(simulator, "sk_test_short_lived_00").v1.accounts.retrieve_current()

    assert refused.value.error is not None
    assert refused.value.error.code == "api_key_expired"


def test_restricted_keys_do_only_what_they_may(simulator: Simulator, connect: Connect) -> None:
    restricted = connect(simulator, DEFAULT_RESTRICTED_KEY)
    accounts.add_key(simulator.books, "rk_test_reads_customers", permissions=["rak_customer_read"])
    reader = connect(simulator, "rk_test_reads_customers")

    customer = restricted.v1.customers.create({"name": "Ada"})
    assert reader.v1.customers.retrieve(customer.id).name == "Ada"
    with pytest.raises(stripe.PermissionError, match="rak_customer_write"):
        reader.v1.customers.create({"name": "Eve"})
    with pytest.raises(stripe.PermissionError, match="rak_accounts_kyc_basic_read") as refused:
        restricted.v1.accounts.retrieve_current()

    assert refused.value.error is not None
    assert refused.value.error.code == "more_permissions_required"
    assert DEFAULT_RESTRICTED_KEY not in str(refused.value)


@pytest.mark.parametrize("key", ["sk_live_x", "rk_test_x", "pk_test_x"])
def test_no_other_keys_are_let_in(key: str, simulator: Simulator) -> None:
    with pytest.raises(ValueError, match="begins with sk_test_"):
        accounts.add_key(simulator.books, key)


def test_accounts_see_only_their_own(
    simulator: Simulator, sdk: stripe.StripeClient, connect: Connect
) -> None:
    accounts.add_account(simulator.books, "acct_1RZzxYOtherPlace", 1)
    accounts.add_key(simulator.books, "sk_test_other", account="acct_1RZzxYOtherPlace")
    with pytest.raises(ValueError, match="There is no account"):
        accounts.add_key(simulator.books, "sk_test_other", account="acct_none")
    other = connect(simulator, "sk_test_other")
    customer = sdk.v1.customers.create({"name": "Ada"})

    with pytest.raises(stripe.InvalidRequestError, match="No such customer"):
        other.v1.customers.retrieve(customer.id)

    assert other.v1.customers.list().data == []
    assert other.v1.events.list().data == []


def test_every_answer_carries_stripes_headers(raw: Raw) -> None:
    made = raw("POST", "/v1/customers", "name=Ada", Idempotency_Key="k1")
    again = raw("POST", "/v1/customers", "name=Ada", Idempotency_Key="k1")
    read = raw("GET", "/v1/account", Stripe_Version="2026-10-28.endive")

    assert made.headers["Content-Type"] == "application/json"
    assert made.headers["Request-Id"].startswith("req_")
    assert len(made.headers["Request-Id"]) == 18
    assert made.headers["Idempotency-Key"] == "k1"
    assert made.headers["Stripe-Version"] == "2026-05-27.dahlia"  # the account's own
    assert "Idempotent-Replayed" not in made.headers
    assert again.headers["Idempotent-Replayed"] == "true"
    assert again.headers["Original-Request"] == made.headers["Request-Id"]
    assert again.get_json() == made.get_json()
    assert read.headers["Stripe-Version"] == "2026-10-28.endive"
    assert "Idempotency-Key" not in read.headers


@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", "/v1/foo"), ("GET", "/v1/customers/"), ("GET", "/v1/"), ("PUT", "/v1/customers")],
)
def test_unknown_urls_are_told(method: str, path: str, raw: Raw) -> None:
    answer = raw(method, path)

    assert answer.status_code == 404
    assert f"Unrecognized request URL ({method}: {path})" in answer.get_json()["error"]["message"]


def test_refuses_what_it_cannot_read(raw: Raw) -> None:
    version = raw("GET", "/v1/account", Stripe_Version="2030-01-01")
    body = raw("POST", "/v1/customers", "{}", "application/json")

    assert version.get_json()["error"]["message"] == "Invalid Stripe API version: 2030-01-01"
    assert "application/x-www-form-urlencoded" in body.get_json()["error"]["message"]


@pytest.mark.parametrize("path", ["checkout/sessions", "setup_intents"])
def test_payment_method_types_went_with_endive(path: str, raw: Raw) -> None:
    form = "payment_method_types[]=card"
    if path == "checkout/sessions":
        form += "&mode=setup&currency=usd&success_url=https://x.example/"

    old = raw("POST", f"/v1/{path}", form)
    new = raw("POST", f"/v1/{path}", form, Stripe_Version="2026-10-28.endive")
    wrong = raw("POST", f"/v1/{path}", form.replace("=card", "=barter"))

    assert old.get_json()["payment_method_types"] == ["card"]
    assert new.get_json()["error"]["code"] == "payment_method_types_no_longer_supported"
    assert wrong.status_code == 400


# Idempotency


def test_one_object_for_a_key_however_many_ask_at_once(simulator: Simulator, connect: Connect) -> None:
    ready = threading.Barrier(25)

    def create(_: int) -> str:
        client = connect(simulator)
        ready.wait()
        while True:
            with contextlib.suppress(stripe.APIError):  # 409: the key is in use
                return client.v1.customers.create({"name": "Ada"}, {"idempotency_key": "one"}).id

    with ThreadPoolExecutor(25) as pool:
        made = set(pool.map(create, range(25)))

    assert len(made) == len(simulator.books.customers) == 1
    assert len(simulator.books.events) == 1


def test_a_running_request_holds_its_key(simulator: Simulator, raw: Raw) -> None:
    simulator.faults.add("slow", "POST /v1/customers", seconds=30)
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(raw, "POST", "/v1/customers", "name=Ada", Idempotency_Key="k")
        while simulator.faults.state():
            pass
        second = raw("POST", "/v1/customers", "name=Ada", Idempotency_Key="k")
        while second.status_code == 200:
            second = raw("POST", "/v1/customers", "name=Ada", Idempotency_Key="k")
        simulator._closing.set()  # ends the pause

        assert second.status_code == 409
        assert second.headers["Stripe-Should-Retry"] == "true"
        assert second.get_json()["error"]["code"] == "idempotency_key_in_use"
        assert first.result().status_code == 200


def test_a_key_is_for_one_request(simulator: Simulator, raw: Raw) -> None:
    raw("POST", "/v1/customers", "name=Ada", Idempotency_Key="k")

    other = raw("POST", "/v1/customers", "name=Eve", Idempotency_Key="k").get_json()["error"]
    place = raw("POST", "/v1/setup_intents", "", Idempotency_Key="k").get_json()["error"]
    long = raw("POST", "/v1/customers", "", Idempotency_Key="k" * 256).get_json()["error"]
    simulator.advance(25 * 3600)
    later = raw("POST", "/v1/customers", "name=Eve", Idempotency_Key="k")

    assert other["type"] == place["type"] == long["type"] == "idempotency_error"
    assert "same parameters" in other["message"]
    assert "same endpoint" in place["message"]
    assert later.get_json()["name"] == "Eve"


def test_refusals_are_forgotten_and_declines_kept(raw: Raw) -> None:
    refused = raw("POST", "/v1/customers", "nam=Ada", Idempotency_Key="a")
    made = raw("POST", "/v1/customers", "name=Ada", Idempotency_Key="a")
    form = "payment_method=pm_card_chargeDeclined&confirm=true&payment_method_types[]=card"
    declined = raw("POST", "/v1/setup_intents", form, Idempotency_Key="b")
    again = raw("POST", "/v1/setup_intents", form, Idempotency_Key="b")

    assert (refused.status_code, made.status_code) == (400, 200)
    assert (declined.status_code, again.status_code) == (402, 402)
    assert again.headers["Idempotent-Replayed"] == "true"
    assert again.get_json() == declined.get_json()


# Lists, search and expansion


def test_lists_are_paged_both_ways(sdk: stripe.StripeClient) -> None:
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


def test_pages_of_one_customer_hold_nothing_of_another(sdk: stripe.StripeClient) -> None:
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
    assert listed(starting_after=other) == ([attached[2]], True)  # a cursor needn't be on the list


@pytest.mark.parametrize(
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
def test_lists_refuse(query: str, message: str, raw: Raw) -> None:
    raw("POST", "/v1/customers", "name=Ada")

    answer = raw("GET", f"/v1/customers?{query}")

    assert answer.status_code == 400
    assert message in answer.get_json()["error"]["message"]


def test_lists_filter(simulator: Simulator, sdk: stripe.StripeClient) -> None:
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


@pytest.mark.parametrize(
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
def test_searches_refuse(query: str, sdk: stripe.StripeClient) -> None:
    with pytest.raises(stripe.InvalidRequestError):
        sdk.v1.customers.search({"query": query})


def test_search_pages_and_lags(simulator: Simulator, sdk: stripe.StripeClient) -> None:
    for n in range(3):
        sdk.v1.customers.create({"name": f"Ada {n}"})

    pages = sdk.v1.customers.search({"query": "name~'ada'", "limit": 2})
    names = [customer.name for customer in pages.auto_paging_iter()]
    simulator.knobs.search_lag = 60
    lagging = sdk.v1.customers.search({"query": "name~'ada'"}).data
    simulator.advance(61)
    caught_up = sdk.v1.customers.search({"query": "name~'ada'"}).data

    assert names == ["Ada 2", "Ada 1", "Ada 0"]
    assert lagging == []
    assert len(caught_up) == 3
    with pytest.raises(stripe.InvalidRequestError, match="Invalid page"):
        sdk.v1.customers.search({"query": "name~'ada'", "page": "x"})


def test_expands_in_lists_and_through_nothing(
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


# Customers


def test_customers_are_changed_and_unset(sdk: stripe.StripeClient, inbox: Any, simulator: Simulator) -> None:
    address: Any = {"line1": "1 Main St", "country": "US"}
    customer = sdk.v1.customers.create(
        {
            "name": "Ada",
            "phone": "+1555",
            "address": address,
            "shipping": {"name": "Ada", "address": address, "phone": "+1"},
            "metadata": {"a": "1", "b": "2"},
            "business_name": "Engines",
            "tax_exempt": "exempt",
        }
    )
    changes: Any = {
        "name": "",
        "address": "",
        "shipping": "",
        "business_name": "",
        "tax_exempt": "",
        "metadata": {"a": "", "c": "3"},
        "invoice_settings": {
            "footer": "Thanks",
            "rendering_options": {"amount_tax_display": "include_inclusive_tax"},
        },
    }

    changed: Any = sdk.v1.customers.update(customer.id, changes)
    sdk.v1.customers.update(customer.id, {"metadata": {"c": "3"}})
    emptied = sdk.v1.customers.update(
        customer.id, {"metadata": "", "invoice_settings": {"rendering_options": ""}}
    )
    simulator.deliver_due()

    assert (changed.name, changed.address, changed.shipping) == (None, None, None)
    assert changed.metadata.to_dict() == {"b": "2", "c": "3"}
    assert changed.tax_exempt == "none"
    assert changed.invoice_settings.footer == "Thanks"
    assert emptied.metadata.to_dict() == {}  # type: ignore[union-attr]
    assert inbox.types() == ["customer.created", "customer.updated", "customer.updated"]
    assert inbox.events[1]["data"]["previous_attributes"]["metadata"] == {"a": "1", "c": None}


@pytest.mark.parametrize(
    ("metadata", "message"),
    [
        ({"k" * 41: "v"}, "up to 40 characters"),
        ({"k": "v" * 501}, "up to 500 characters"),
        ({str(n): "v" for n in range(51)}, "up to 50 metadata keys"),
    ],
)
def test_metadata_has_limits(metadata: dict[str, str], message: str, sdk: stripe.StripeClient) -> None:
    with pytest.raises(stripe.InvalidRequestError, match=message):
        sdk.v1.customers.create({"metadata": metadata})


def test_metadata_keys_have_no_brackets(raw: Raw) -> None:
    answer = raw("POST", "/v1/customers", "metadata[a%5B]=1")

    assert answer.status_code == 400


def test_a_default_must_be_the_customers_own(sdk: stripe.StripeClient) -> None:
    customer = sdk.v1.customers.create({"payment_method": "pm_card_visa"})
    other = sdk.v1.customers.create({})
    (method,) = sdk.v1.customers.payment_methods.list(customer.id).data
    default: Any = {"invoice_settings": {"default_payment_method": method.id}}

    with pytest.raises(stripe.InvalidRequestError) as refused:
        sdk.v1.customers.update(other.id, default)
    kept: Any = sdk.v1.customers.update(customer.id, default)
    cleared: Any = sdk.v1.customers.update(customer.id, {"invoice_settings": {"default_payment_method": ""}})

    assert refused.value.param == "invoice_settings[default_payment_method]"
    assert refused.value.code == "resource_missing"
    assert kept.invoice_settings.default_payment_method == method.id
    assert cleared.invoice_settings.default_payment_method is None


def test_deleting_a_customer_detaches_and_forgets(
    simulator: Simulator, sdk: stripe.StripeClient, inbox: Any
) -> None:
    customer = sdk.v1.customers.create({"name": "Ada", "payment_method": "pm_card_visa"})

    gone = sdk.v1.customers.delete(customer.id)
    simulator.deliver_due()

    assert gone.deleted is True
    assert sdk.v1.customers.retrieve(customer.id).deleted is True
    assert sdk.v1.customers.list().data == []
    assert inbox.types()[-2:] == ["payment_method.detached", "customer.deleted"]
    assert inbox.events[-1]["data"]["object"]["name"] == "Ada"
    attempts: list[Callable[[], Any]] = [
        lambda: sdk.v1.customers.update(customer.id, {"name": "x"}),
        lambda: sdk.v1.customers.delete(customer.id),
        lambda: sdk.v1.customers.retrieve("cus_nope"),
    ]
    for attempt in attempts:
        with pytest.raises(stripe.InvalidRequestError) as refused:
            attempt()
        assert (refused.value.http_status, refused.value.param) == (404, "id")
    with pytest.raises(stripe.InvalidRequestError) as refused:
        sdk.v1.setup_intents.create({"customer": customer.id})
    assert (refused.value.http_status, refused.value.param) == (400, "customer")


# Webhook endpoints, events, portal


def test_endpoints_are_kept_and_only_once_tell_their_secret(sdk: stripe.StripeClient) -> None:
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


@pytest.mark.parametrize(
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
def test_endpoint_urls(
    *, url: str, lenient: bool, strict: bool, simulator: Simulator, sdk: stripe.StripeClient
) -> None:
    for setting, allowed in ((False, lenient), (True, strict)):
        simulator.knobs.strict_urls = setting
        if allowed:
            sdk.v1.webhook_endpoints.create({"url": url, "enabled_events": ["*"]})
        else:
            with pytest.raises(stripe.InvalidRequestError) as refused:
                sdk.v1.webhook_endpoints.create({"url": url, "enabled_events": ["*"]})
            assert (refused.value.code, refused.value.param) == ("url_invalid", "url")


def test_endpoints_are_few_and_events_are_known(sdk: stripe.StripeClient, raw: Raw) -> None:
    create: Any = {"url": "https://x.example/", "enabled_events": ["*"]}
    for _ in range(16):
        sdk.v1.webhook_endpoints.create(create)

    with pytest.raises(stripe.InvalidRequestError, match="maximum of 16") as refused:
        sdk.v1.webhook_endpoints.create(create)
    with pytest.raises(stripe.InvalidRequestError, match="enabled_events"):
        sdk.v1.webhook_endpoints.create(create | {"enabled_events": ["customer.*"]})

    assert refused.value.code is None


def test_events_are_found_for_thirty_days(simulator: Simulator, sdk: stripe.StripeClient) -> None:
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


def test_a_cursor_may_be_of_another_type(sdk: stripe.StripeClient) -> None:
    customer = sdk.v1.customers.create({"name": "Ada"})
    (created,) = sdk.v1.events.list().data
    sdk.v1.customers.update(customer.id, {"name": "Eve"})

    newer = sdk.v1.events.list({"type": "customer.updated", "ending_before": created.id})

    assert [event.type for event in newer.data] == ["customer.updated"]


def test_the_portal_is_configured_and_opened(sdk: stripe.StripeClient) -> None:
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
def test_the_portal_refuses(params: JSON, message: str, sdk: stripe.StripeClient) -> None:
    if params.get("customer") == "":
        params = params | {"customer": sdk.v1.customers.create({}).id}

    with pytest.raises(stripe.InvalidRequestError, match=message):
        sdk.v1.billing_portal.sessions.create(params)  # type: ignore[arg-type]


@pytest.mark.parametrize(
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
def test_nothing_there_is_a_404(path: str, param: str, raw: Raw) -> None:
    answer = raw("GET", f"/v1/{path}")

    error = answer.get_json()["error"]
    assert answer.status_code == 404
    assert (error["code"], error["param"]) == ("resource_missing", param)
    assert "'nope'" in error["message"]
