"""Installing an account in the console: the key, what it opens, and only then anything is written."""

from datetime import timedelta

import pytest
import sqlalchemy as sa
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app import create_app
from app.apps.models import PendingInstall
from app.audit import Entry
from app.core import db
from app.core.config import Settings
from app.simulator import DEFAULT_ACCOUNT, DEFAULT_API_KEY, Simulator, add_account, add_key
from tests.conftest import make_settings
from tests.support.browser import Element, Page
from tests.support.console import post, sign_in
from tests.support.database_contents import contents
from tests.support.installed_apps import endpoints, installed
from tests.support.stripe_calls import StripeCalls
from tests.support.stripe_odd import answer_oddly

INSTALL = "/operator/stripe/install"


@pytest.fixture
def console(bare_app: Flask) -> FlaskClient:
    """The browser of an admin, where nothing is installed."""
    return sign_in(bare_app, "admin")


def enter(console: FlaskClient, key: str = DEFAULT_API_KEY) -> TestResponse:
    """Enter a key and press the button."""
    return post(console, INSTALL, api_key=key)


def found(console: FlaskClient, key: str = DEFAULT_API_KEY) -> tuple[str, Page]:
    """Enter a key, and give the page with what it opens."""
    answer = enter(console, key)
    assert answer.status_code == 303, Page.of(answer).text
    return answer.location, Page.of(console.get(answer.location))


def confirm(console: FlaskClient, path: str, **fields: str) -> TestResponse:
    """Say yes."""
    return post(console, path, **({"name": "Stripe"} | fields))


def cells(row: Element) -> list[str]:
    """What is needed, and whether it is there."""
    return [cell.text for cell in row.all("td")[:2]]


def where(console: FlaskClient, answer: TestResponse) -> Page:
    """The page that an answer leads to."""
    assert answer.status_code == 303
    return Page.of(console.get(answer.location.partition("#")[0]))


def test_begins_by_saying_where_a_key_comes_from(console: FlaskClient) -> None:
    page = Page.of(console.get("/operator/stripe"))

    assert "No Stripe account is installed" in page.text
    assert "Developers, API keys" in page.text
    assert page.one("a", href=INSTALL)


def test_confirms_a_key_that_was_entered_before_an_update(bare_app: Flask, console: FlaskClient) -> None:
    path, _ = found(console)
    with bare_app.app_context():
        pending = db.session().scalars(sa.select(PendingInstall)).one()
        known = dict(pending.found)
        known["rights"] = known.pop("permissions")  # its name up to 0.2.0
        pending.found = known
        db.session().commit()

    assert console.get(path).status_code == 200
    assert confirm(console, path).status_code == 303


def test_offers_nothing_to_whoever_may_not_install(bare_app: Flask) -> None:
    page = Page.of(sign_in(bare_app, "operator").get("/operator/stripe"))

    assert page.all("a", href=INSTALL) == []
    assert "An admin can install one." in page.text


def test_shows_what_a_key_opens_before_anything_is_written(
    bare_app: Flask, console: FlaskClient, simulator: Simulator, calls: StripeCalls
) -> None:
    _, page = found(console)

    assert page.h1 == "Confirm the account"
    assert f"Example Works {DEFAULT_ACCOUNT}" in page.text
    assert "Test mode" in page.text
    assert "0 already there" in page.text
    assert {row.one("th").text for row in page.one("tbody").all("tr")} >= {"Customers", "Webhook Endpoints"}
    assert all(call.startswith("GET ") for call in calls.made)
    assert installed(bare_app) == []
    assert endpoints(simulator, DEFAULT_ACCOUNT) == []


def test_installs_what_was_confirmed_and_examines_it(
    bare_app: Flask, console: FlaskClient, simulator: Simulator
) -> None:
    path, _ = found(console)

    page = where(console, confirm(console, path, name="Europe", takes_default="y"))

    [app] = installed(bare_app)
    assert page.h1 == "Europe"
    assert "Europe is installed" in page.text
    assert "Stripe accepts the API key" in page.text
    assert (app.account, app.is_default) == (DEFAULT_ACCOUNT, True)
    assert endpoints(simulator, DEFAULT_ACCOUNT) == [app.endpoint]
    assert contents(bare_app)["pending_install"] == []


def test_names_who_installed_it_in_the_audit_log(bare_app: Flask, console: FlaskClient) -> None:
    path, _ = found(console)
    confirm(console, path)

    with bare_app.app_context():
        actor = db.session().scalar(sa.select(Entry.actor).where(Entry.kind == "app.installed"))
    assert str(actor).startswith("operator:")


def test_offers_the_default_at_first_and_not_by_the_way_later(
    bare_app: Flask, console: FlaskClient, simulator: Simulator
) -> None:
    path, page = found(console)
    assert "checked" in page.field("takes_default").attributes
    confirm(console, path, takes_default="y")
    add_account(simulator.store, "acct_second", 1)
    add_key(simulator.store, "sk_test_second", account="acct_second")

    path, page = found(console, "sk_test_second")
    confirm(console, path)

    assert "checked" not in page.field("takes_default").attributes
    assert "Customers currently use Stripe (test mode)." in page.text
    assert [app.is_default for app in installed(bare_app)] == [True, False]


def test_puts_the_key_into_no_page_no_cookie_and_no_row(bare_app: Flask, console: FlaskClient) -> None:
    answer = enter(console)

    page = console.get(answer.location)
    cookies = "".join(answer.headers.getlist("Set-Cookie"))
    assert DEFAULT_API_KEY not in page.get_data(as_text=True) + cookies + answer.location
    assert DEFAULT_API_KEY not in repr(contents(bare_app))
    with console.session_transaction() as cookie:
        assert DEFAULT_API_KEY not in repr(dict(cookie))


def test_never_shows_a_key_again_that_was_wrong(console: FlaskClient) -> None:
    answer = enter(console, "sk_test_unknown")

    page = Page.of(answer)
    assert answer.status_code == 422
    assert page.error("api_key") == (
        "It starts with sk_test_, rk_test_, sk_live_ or rk_live_."
        " Error: Stripe does not know this API key. Copy it again from the Dashboard."
    )
    assert page.field("api_key").get("type") == "password"
    assert page.field("api_key").get("autocomplete") == "off"
    assert "sk_test_unknown" not in page.html


@pytest.mark.parametrize(
    ("key", "said"),
    [
        ("", "Enter the key."),
        ("pk_test_abcdef", "This is not a secret Stripe key"),
        ("sk_test_" + "x" * 400, "This key is too long."),
        ("sk_test_a\x01b", "This has characters that can’t be used."),
    ],
)
def test_refuses_what_is_no_key_before_it_asks_stripe(
    key: str, said: str, console: FlaskClient, calls: StripeCalls
) -> None:
    answer = enter(console, key)

    assert answer.status_code == 422
    assert said in Page.of(answer).error("api_key")
    assert calls.made == []


def test_says_that_stripe_gives_no_answer(console: FlaskClient, simulator: Simulator) -> None:
    simulator.fault_settings.change({"outage": "503"})

    answer = enter(console)

    assert answer.status_code == 422
    assert "Stripe had a problem." in Page.of(answer).error("api_key")


def test_tells_each_right_that_a_restricted_key_lacks(
    bare_app: Flask, console: FlaskClient, simulator: Simulator, calls: StripeCalls
) -> None:
    rights = {"rak_accounts_kyc_basic_read", "rak_webhook_write", "rak_event_read"}
    add_key(simulator.store, "rk_test_some", permissions=rights)

    path, page = found(console, "rk_test_some")

    assert [" ".join([row.one("th").text, *cells(row)]) for row in page.one("tbody").all("tr")] == [
        "Account read Yes",
        "Customers write No",
        "Checkout Sessions write No",
        "SetupIntents read No",
        "PaymentMethods read No",
        "PaymentMethods write, optional No",
        "Mandates read, optional No",
        "Webhook Endpoints write Yes",
        "Events read Yes",
        "Customer portal write, optional No",
    ]
    assert "Having the 'rak_customer_write' permission would allow this request to continue." in page.text
    assert "The key lacks required permissions" in page.text
    assert confirm(console, path).status_code == 303
    assert len(installed(bare_app)) == 1
    assert simulator.store.customers.snapshot() == []


def test_changes_nothing_at_stripe_when_it_tries_the_rights(
    console: FlaskClient, simulator: Simulator
) -> None:
    areas = ("customer", "checkout_session", "webhook", "customer_portal", "payment_method")
    everything = {f"rak_{area}_write" for area in areas}
    everything |= {"rak_accounts_kyc_basic_read", "rak_setup_intent_read", "rak_event_read"}
    add_key(simulator.store, "rk_test_everything", permissions=everything | {"rak_mandate_read"})
    before = {
        name: collection.snapshot()
        for name, collection in simulator.store.collections.items()
        if name != "keys"
    }

    _, page = found(console, "rk_test_everything")

    after = {
        name: collection.snapshot()
        for name, collection in simulator.store.collections.items()
        if name != "keys"
    }
    assert [row.all("td")[1].text for row in page.one("tbody").all("tr")] == ["Yes"] * 10
    assert after == before


def test_leaves_open_what_stripe_answers_oddly(console: FlaskClient, simulator: Simulator) -> None:
    rights = {"rak_accounts_kyc_basic_read", "rak_webhook_write", "rak_customer_write"}
    add_key(simulator.store, "rk_test_oddly", permissions=rights)
    answer_oddly(simulator, "/v1/customers/")

    _, page = found(console, "rk_test_oddly")

    answers = {row.one("th").text: row.all("td")[1].text for row in page.one("tbody").all("tr")}
    assert answers["Customers"] == "Unknown"
    assert "Short and stout." in page.text


def test_installs_no_key_that_may_not_read_its_account(
    bare_app: Flask, console: FlaskClient, simulator: Simulator
) -> None:
    add_key(simulator.store, "rk_test_no_account", permissions={"rak_webhook_write", "rak_customer_write"})

    path, page = found(console, "rk_test_no_account")

    assert "This can\N{RIGHT SINGLE QUOTATION MARK}t be installed" in page.text
    assert "has no permission to read the account" in page.text
    assert page.all("input", name="name") == []
    assert "has no permission to read the account" in where(console, confirm(console, path)).text
    assert installed(bare_app) == []


def test_installs_no_key_that_may_not_make_webhooks(console: FlaskClient, simulator: Simulator) -> None:
    add_key(simulator.store, "rk_test_toofew", permissions={"rak_accounts_kyc_basic_read"})

    _, page = found(console, "rk_test_toofew")

    assert "The key has no permission to create webhook endpoints, and installing creates one." in page.text
    assert "list them" in page.text


def test_says_that_an_account_is_installed_already(bare_app: Flask, console: FlaskClient) -> None:
    path, _ = found(console)
    confirm(console, path)

    _, page = found(console)

    assert f"Stripe account {DEFAULT_ACCOUNT} is already installed in test mode." in page.text
    assert len(installed(bare_app)) == 1


def test_says_what_a_live_key_needs(bare_app: Flask, console: FlaskClient, simulator: Simulator) -> None:
    live = simulator.store.keys[DEFAULT_API_KEY] | {"id": "sk_live_abcdef"}
    simulator.store.keys.put("sk_live_abcdef", live, DEFAULT_ACCOUNT)

    _, page = found(console, "sk_live_abcdef")

    assert "A live key needs a public URL that Stripe can reach over https" in page.text
    assert page.one("main").all("span", class_="tag tag-success")[0].text == "Live"


def test_needs_a_name(bare_app: Flask, console: FlaskClient) -> None:
    path, _ = found(console)

    answer = confirm(console, path, name=" ")

    assert answer.status_code == 422
    assert "Enter a name." in Page.of(answer).error("name")
    assert installed(bare_app) == []


def test_pressed_twice_installs_once(bare_app: Flask, console: FlaskClient) -> None:
    path, _ = found(console)
    confirm(console, path)

    page = where(console, confirm(console, path))

    assert "This installation has finished or expired after 15 minutes." in page.text
    assert len(installed(bare_app)) == 1


def test_waits_a_quarter_of_an_hour_for_the_second_step(
    bare_app: Flask, console: FlaskClient, clock: time_machine.Traveller
) -> None:
    path, _ = found(console)
    clock.shift(timedelta(minutes=16))

    shown, confirmed = where(console, console.get(path)), where(console, confirm(console, path))

    assert "expired after 15 minutes" in shown.text
    assert "expired after 15 minutes" in confirmed.text
    assert installed(bare_app) == []


def test_keeps_a_key_for_the_session_in_which_it_was_typed(bare_app: Flask, console: FlaskClient) -> None:
    path, _ = found(console)
    other = sign_in(bare_app, "admin")

    assert other.get(path).status_code == 303
    assert "has finished or expired" in where(other, confirm(other, path)).text
    assert installed(bare_app) == []


def test_keeps_one_key_at_a_time_and_clears_away_what_is_over(
    bare_app: Flask, console: FlaskClient, clock: time_machine.Traveller
) -> None:
    found(sign_in(bare_app, "admin"))
    clock.shift(timedelta(minutes=20))

    first, _ = found(console)
    second, _ = found(console)

    [row] = contents(bare_app)["pending_install"]
    assert first != second
    assert row[0] == second.rsplit("/", 1)[-1]


def test_forgets_a_key_that_is_discarded(bare_app: Flask, console: FlaskClient) -> None:
    path, _ = found(console)

    page = where(console, post(console, f"{path}/discard"))

    assert "Key discarded." in page.text
    assert contents(bare_app)["pending_install"] == []


def test_opens_no_key_that_was_moved_to_another_row(bare_app: Flask, console: FlaskClient) -> None:
    found(console)
    with bare_app.app_context():
        session = db.session()
        session.execute(sa.update(PendingInstall).values(id="0" * 26))
        session.commit()

    answer = confirm(console, f"{INSTALL}/{'0' * 26}")

    assert "was sealed for another row" in where(console, answer).text
    assert installed(bare_app) == []


class TestPullMode:
    """Where Stripe can't call the portal, there is no webhook, and nothing fails for that."""

    @pytest.fixture
    def settings(self, database_url: str) -> Settings:
        """Events are pulled."""
        return make_settings(database_url=database_url, webhooks="off")

    def test_installs_without_an_endpoint(
        self, bare_app: Flask, console: FlaskClient, simulator: Simulator
    ) -> None:
        path, _ = found(console)

        page = where(console, confirm(console, path))

        [app] = installed(bare_app)
        assert (app.endpoint, app.secrets) == ("", [])
        assert endpoints(simulator, DEFAULT_ACCOUNT) == []
        assert "The settings turn webhooks off" in page.text
        assert "None. We accept no events." in page.text

    def test_makes_the_endpoint_when_webhooks_are_on_again(
        self, bare_app: Flask, console: FlaskClient, simulator: Simulator, settings: Settings
    ) -> None:
        path, _ = found(console)
        where(console, confirm(console, path))
        [app] = installed(bare_app)

        on = create_app(settings.model_copy(update={"webhooks": "auto"}), stripe_in_process=simulator.wsgi)
        later = sign_in(on, "admin")
        post(later, f"/operator/stripe/{app.id}/examine")
        broken = Page.of(later.get(f"/operator/stripe/{app.id}"))
        page = where(later, post(later, f"/operator/stripe/{app.id}/repair", code="endpoint"))

        assert "There is no webhook endpoint" in broken.text
        assert "Repaired." in page.text
        [app] = installed(on)
        assert endpoints(simulator, DEFAULT_ACCOUNT) == [app.endpoint]
        assert len(app.secrets) == 1
        with on.app_context():
            db.engine().dispose()
