"""The pages of the installed Stripe apps: seen by everybody, changed by administrators."""

from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app import apps, db, doctor
from app.apps.models import App
from app.config import Settings
from app.journal import Entry
from app.simulator import DEFAULT_ACCOUNT, DEFAULT_API_KEY, Simulator
from app.simulator.accounts import add_account, add_key, revoke_key
from tests.conftest import make_settings
from tests.support.browser import Page
from tests.support.desk import post, sign_in
from tests.support.rows import Rows
from tests.support.stripe_calls import StripeCalls
from tests.support.sync_install import endpoints, installed

OTHER_KEY = "sk_test_another_of_the_first"
STRIPE = "/operator/stripe"


@pytest.fixture
def desk(app: Flask) -> FlaskClient:
    """The browser of an admin."""
    return sign_in(app, "admin")


@pytest.fixture
def path(app: Flask) -> str:
    """Where the page of the installed app is."""
    [found] = installed(app)
    return f"{STRIPE}/{found.id}"


@pytest.fixture
def second(app: Flask, simulator: Simulator) -> App:
    """Another installed app, not the default."""
    add_account(simulator.books, "acct_second", 1)
    add_key(simulator.books, "sk_test_second", account="acct_second")
    with app.app_context():
        session = db.session()
        made = apps.install(
            session, "sk_test_second", public_url="http://127.0.0.1:8000", name="Second", actor="test"
        )
        session.commit()
        return made


def then(desk: FlaskClient, answer: TestResponse) -> Page:
    """The page that an answer leads to."""
    assert answer.status_code == 303, Page.of(answer).text
    return Page.of(desk.get(answer.location.partition("#")[0]))


def told(app: Flask, kind: str) -> list[Any]:
    """What the journal says of a kind, with who did it."""
    with app.app_context():
        found = db.session().scalars(sa.select(Entry).where(Entry.kind == kind).order_by(Entry.id))
        return [(entry.actor.partition(":")[0], entry.facts) for entry in found]


class TestList:
    def test_shows_each_app_with_its_mode_and_its_state(
        self, app: Flask, desk: FlaskClient, path: str, second: App
    ) -> None:
        post(desk, f"{path}/examine")

        page = Page.of(desk.get(STRIPE))

        first, other = page.all("section")
        assert [section.one("h2").text for section in (first, other)] == ["Stripe", "Second"]
        assert "Test mode Default Well" in first.text
        assert "Test mode Not examined yet" in other.text
        assert "sk_test_***000" in first.text
        assert DEFAULT_API_KEY not in page.html

    def test_marks_an_app_whose_key_is_rejected(
        self, desk: FlaskClient, path: str, simulator: Simulator
    ) -> None:
        revoke_key(simulator.books, DEFAULT_API_KEY)
        post(desk, f"{path}/examine")

        page = Page.of(desk.get(STRIPE))

        assert "Key rejected Broken" in page.text

    def test_says_that_none_is_the_default(self, app: Flask, desk: FlaskClient) -> None:
        with app.app_context():
            db.session().execute(sa.update(App).values(is_default=False))
            db.session().commit()

        page = Page.of(desk.get(STRIPE))

        assert "No app is the default" in page.text


class TestOne:
    def test_is_read_by_a_viewer_who_is_offered_nothing(
        self, app: Flask, desk: FlaskClient, path: str
    ) -> None:
        post(desk, f"{path}/examine")

        page = Page.of(sign_in(app, "viewer").get(path))

        assert "Stripe takes the API key" in page.text
        assert [form["action"] for form in page.one("main").all("form")] == []

    def test_offers_an_operator_repairs_and_no_keys(
        self, app: Flask, path: str, simulator: Simulator
    ) -> None:
        [found] = installed(app)
        simulator.change_endpoint(found.endpoint, enabled=False)
        operator = sign_in(app, "operator")
        post(operator, f"{path}/examine")

        page = Page.of(operator.get(path))

        actions = {form["action"].rsplit("/", 1)[-1] for form in page.one("main").all("form")}
        assert actions == {"examine", "repair"}

    @pytest.mark.parametrize("action", ["key", "roll", "end-overlap", "default", "rename", "uninstall"])
    def test_lets_no_operator_change_keys(self, action: str, app: Flask, path: str) -> None:
        before = installed(app)

        answer = post(sign_in(app, "operator"), f"{path}/{action}", name="x")

        assert answer.status_code == 403
        assert installed(app) == before

    def test_lets_no_viewer_examine(self, app: Flask, path: str, calls: StripeCalls) -> None:
        assert post(sign_in(app, "viewer"), f"{path}/examine").status_code == 403
        assert calls.made == []

    def test_asks_stripe_nothing_when_it_is_opened(
        self, desk: FlaskClient, path: str, calls: StripeCalls
    ) -> None:
        page = Page.of(desk.get(path))

        assert "Not examined yet" in page.text
        assert calls.made == []

    def test_leads_to_the_simulator_where_there_is_one(self, desk: FlaskClient, path: str) -> None:
        page = Page.of(desk.get(path))

        links = {link["href"] for link in page.one("main").all("a") if link["href"].startswith("http")}
        assert links == {"http://127.0.0.1:12111/_control"}

    @pytest.mark.parametrize("name", ["nothing", "0" * 26, "%00"])
    def test_knows_no_other(self, name: str, desk: FlaskClient) -> None:
        answer = desk.get(f"{STRIPE}/{name}")

        assert answer.status_code == 404
        assert "There is no such app." in Page.of(answer).text

    def test_is_gone_with_the_app(self, desk: FlaskClient, path: str) -> None:
        post(desk, f"{path}/uninstall", account=DEFAULT_ACCOUNT)

        assert desk.get(path).status_code == 404


class TestKey:
    def test_is_replaced_by_another_of_the_account(
        self, app: Flask, desk: FlaskClient, path: str, simulator: Simulator
    ) -> None:
        add_key(simulator.books, OTHER_KEY)

        page = then(desk, post(desk, f"{path}/key", api_key=OTHER_KEY))

        assert "Stripe uses the key sk_test_***rst from now on." in page.text
        assert "Stripe takes the API key" in page.text
        assert [app.masked_key for app in installed(app)] == ["sk_test_***rst"]
        assert told(app, "app.key_replaced") == [("operator", {"masked_key": "sk_test_***rst"})]

    def test_mends_an_app_whose_key_was_revoked(
        self, app: Flask, desk: FlaskClient, path: str, simulator: Simulator
    ) -> None:
        revoke_key(simulator.books, DEFAULT_API_KEY)
        broken = then(desk, post(desk, f"{path}/examine"))
        add_key(simulator.books, OTHER_KEY)

        page = then(desk, post(desk, f"{path}/key", api_key=OTHER_KEY))

        assert "Stripe rejects the API key" in broken.text
        assert broken.one("a", href="#replace-key")
        assert "Stripe takes the API key" in page.text
        assert [app.status for app in installed(app)] == ["ready"]

    @pytest.mark.parametrize(
        ("key", "said"),
        [
            ("sk_test_unknown", "Stripe does not know this API key."),
            ("sk_test_of_another", "This is a key of Stripe account acct_second"),
            ("sk_live_abcdef", "this is a key of the other one"),
            (
                "rk_test_lacking",
                "This key lacks rights that Gangway needs: Customers (write), Checkout",
            ),
            ("rk_test_blind", "it may not read the account"),
            ("", "Enter the key."),
        ],
    )
    def test_stays_when_the_new_one_does_not_fit(
        self, key: str, said: str, app: Flask, desk: FlaskClient, path: str, simulator: Simulator
    ) -> None:
        add_account(simulator.books, "acct_second", 1)
        add_key(simulator.books, "sk_test_of_another", account="acct_second")
        add_key(simulator.books, "rk_test_lacking", permissions={"rak_accounts_kyc_basic_read"})
        add_key(simulator.books, "rk_test_blind", permissions={"rak_customer_write"})
        before = installed(app)

        answer = post(desk, f"{path}/key", api_key=key)

        page = Page.of(answer)
        assert answer.status_code == 422
        assert said in page.error("api_key")
        assert page.field("api_key").get("value") == ""
        assert installed(app) == before

    def test_stays_when_stripe_gives_no_answer(
        self, app: Flask, desk: FlaskClient, path: str, simulator: Simulator
    ) -> None:
        simulator.knobs.change({"outage": "reset"})

        answer = post(desk, f"{path}/key", api_key=OTHER_KEY)

        assert answer.status_code == 422
        assert "Stripe can't be reached." in Page.of(answer).error("api_key")


class TestDefault:
    def test_goes_over_to_another_app(self, app: Flask, desk: FlaskClient, second: App) -> None:
        page = then(desk, post(desk, f"{STRIPE}/{second.id}/default"))

        assert "Customers pay through Second from now on." in page.text
        assert [one.is_default for one in installed(app)] == [False, True]
        [(actor, facts)] = told(app, "app.made_default")
        assert (actor, list(facts)) == ("operator", ["former"])

    def test_stays_where_it_is(self, app: Flask, desk: FlaskClient, path: str) -> None:
        then(desk, post(desk, f"{path}/default"))

        assert [one.is_default for one in installed(app)] == [True]
        assert told(app, "app.made_default") == []

    def test_is_taken_where_there_was_none(self, app: Flask, desk: FlaskClient, path: str) -> None:
        with app.app_context():
            db.session().execute(sa.update(App).values(is_default=False))
            db.session().commit()

        then(desk, post(desk, f"{path}/default"))

        assert [one.is_default for one in installed(app)] == [True]


class TestRename:
    def test_changes_the_name_alone(self, app: Flask, desk: FlaskClient, path: str, rows: Rows) -> None:
        page = then(desk, post(desk, f"{path}/rename", name="  Europe "))

        [row] = rows(App)
        assert page.h1 == "Europe"
        assert (row.name, row.description) == ("Europe", f"Stripe account {DEFAULT_ACCOUNT}")
        assert told(app, "app.renamed") == [("operator", {"before": "Stripe", "after": "Europe"})]

    @pytest.mark.parametrize("name", ["", "x" * 257, "a\x07b"])
    def test_refuses_what_is_no_name(self, name: str, desk: FlaskClient, path: str) -> None:
        answer = post(desk, f"{path}/rename", name=name)

        assert answer.status_code == 422
        assert Page.of(answer).error("name")


class TestUninstall:
    def test_wants_the_account_typed(self, app: Flask, desk: FlaskClient, path: str) -> None:
        for typed in ("", "acct_other", DEFAULT_ACCOUNT.lower()):
            answer = post(desk, f"{path}/uninstall", account=typed)
            assert answer.status_code == 422
            assert Page.of(answer).error("account")

        assert len(installed(app)) == 1

    def test_removes_the_webhooks_and_the_secrets(
        self, app: Flask, desk: FlaskClient, path: str, simulator: Simulator, rows: Rows
    ) -> None:
        post(desk, f"{path}/roll")
        assert len(endpoints(simulator, DEFAULT_ACCOUNT)) == 2

        page = then(desk, post(desk, f"{path}/uninstall", account=f" {DEFAULT_ACCOUNT} "))

        assert "Stripe is uninstalled. Its customers and cards stay at Stripe." in page.text
        assert "No Stripe account is installed" in page.text
        assert endpoints(simulator, DEFAULT_ACCOUNT) == []
        assert rows(apps.SigningSecret) == []

    def test_waits_until_stripe_answers(
        self, app: Flask, desk: FlaskClient, path: str, simulator: Simulator
    ) -> None:
        simulator.knobs.change({"outage": "503"})

        page = then(desk, post(desk, f"{path}/uninstall", account=DEFAULT_ACCOUNT))

        assert "Stripe had a problem of its own." in page.text
        assert len(installed(app)) == 1


class TestRoll:
    def test_makes_a_second_endpoint_and_accepts_both_for_a_day(
        self, app: Flask, desk: FlaskClient, path: str, simulator: Simulator
    ) -> None:
        [before] = installed(app)

        page = then(desk, post(desk, f"{path}/roll", endpoint_id=before.endpoint))

        [after] = installed(app)
        assert after.endpoint != before.endpoint
        assert endpoints(simulator, DEFAULT_ACCOUNT) == [after.endpoint, before.endpoint]
        assert len(after.secrets) == 2
        assert before.secrets[0] in after.secrets
        assert "The signing secret is being rolled" in page.text
        assert "No stray endpoints" in page.text
        assert [actor for actor, _ in told(app, "app.secret_rolled")] == ["operator"]

    def test_pressed_twice_rolls_once(
        self, app: Flask, desk: FlaskClient, path: str, simulator: Simulator
    ) -> None:
        [before] = installed(app)

        for _ in range(2):
            post(desk, f"{path}/roll", endpoint_id=before.endpoint)

        assert len(endpoints(simulator, DEFAULT_ACCOUNT)) == 2
        assert len(told(app, "app.secret_rolled")) == 1

    def test_says_what_stripe_has_against_it(
        self, desk: FlaskClient, path: str, simulator: Simulator
    ) -> None:
        simulator.knobs.change({"outage": "503"})

        page = then(desk, post(desk, f"{path}/roll"))

        assert "Stripe had a problem of its own." in page.text

    def test_can_be_ended_at_once(
        self, app: Flask, desk: FlaskClient, path: str, simulator: Simulator
    ) -> None:
        [before] = installed(app)
        post(desk, f"{path}/roll")

        page = then(desk, post(desk, f"{path}/end-overlap"))

        [after] = installed(app)
        assert "The former secret is accepted no more" in page.text
        assert endpoints(simulator, DEFAULT_ACCOUNT) == [after.endpoint]
        assert before.secrets[0] not in after.secrets
        assert [actor for actor, _ in told(app, "app.secret_retired")] == ["operator"]

    def test_has_no_end_before_it_has_begun(self, app: Flask, desk: FlaskClient, path: str) -> None:
        before = installed(app)

        page = then(desk, post(desk, f"{path}/end-overlap"))

        assert "accepted no more" not in page.text
        assert installed(app) == before

    def test_goes_on_when_its_end_fails(self, desk: FlaskClient, path: str, simulator: Simulator) -> None:
        post(desk, f"{path}/roll")
        simulator.knobs.change({"outage": "503"})

        page = then(desk, post(desk, f"{path}/end-overlap"))

        assert "Stripe had a problem of its own." in page.text


class TestRepair:
    def test_mends_and_examines_again(
        self, app: Flask, desk: FlaskClient, path: str, simulator: Simulator
    ) -> None:
        [found] = installed(app)
        simulator.change_endpoint(found.endpoint, enabled=False)
        broken = then(desk, post(desk, f"{path}/examine"))

        page = then(desk, post(desk, f"{path}/repair", code="enabled"))

        assert "The endpoint is disabled" in broken.text
        assert "Repaired." in page.text
        assert "The endpoint is enabled" in page.text
        [(actor, facts)] = told(app, "app.repaired")
        assert (actor, facts["code"]) == ("operator", "enabled")

    @pytest.mark.parametrize("code", ["enabled", "nonsense", ""])
    def test_does_nothing_where_nothing_is_wrong(self, code: str, desk: FlaskClient, path: str) -> None:
        page = then(desk, post(desk, f"{path}/repair", code=code))

        assert "There was nothing to repair any more." in page.text

    def test_says_what_stripe_has_against_it(
        self, app: Flask, desk: FlaskClient, path: str, simulator: Simulator, calls: StripeCalls
    ) -> None:
        [found] = installed(app)
        simulator.change_endpoint(found.endpoint, enabled=False)
        calls.refusals[f"POST /v1/webhook_endpoints/{found.endpoint}"] = {
            "type": "invalid_request_error",
            "message": "Not today.",
        }

        page = then(desk, post(desk, f"{path}/repair", code="enabled"))

        assert "That could not be repaired. Not today." in page.text
        assert "The endpoint is disabled" in page.text


class TestMode:
    """Test and live are told apart on every page."""

    @pytest.fixture
    def settings(self, database_url: str) -> Settings:
        """A portal that stands before the real Stripe."""
        return make_settings(
            database_url=database_url,
            stripe_api_base="https://api.stripe.com",
            public_url="https://billing.example.com",
        )

    @pytest.fixture
    def desk(self, app: Flask) -> FlaskClient:
        """The browser of an admin, which reaches the portal over https."""
        client = sign_in(app, "admin")
        client.environ_base["wsgi.url_scheme"] = "https"
        return client

    def mark(self, app: Flask, desk: FlaskClient) -> str:
        """What every page of the desk says of the mode."""
        return Page.of(desk.get(STRIPE)).one("p", class_="desk-mode").text

    def test_is_that_of_the_default_app(self, app: Flask, desk: FlaskClient) -> None:
        in_test = self.mark(app, desk)
        with app.app_context():
            db.session().execute(sa.update(App).values(livemode=True))
            db.session().commit()
        live = self.mark(app, desk)
        with app.app_context():
            db.session().execute(sa.update(App).values(is_default=False))
            db.session().commit()

        assert (in_test, live, self.mark(app, desk)) == ("Test mode", "Live", "No Stripe app")

    @pytest.mark.parametrize("mode", ["/test", ""])
    def test_is_that_of_the_pages_at_stripe(self, mode: str, app: Flask) -> None:
        found = App(stripe_account_id="acct_1", livemode=not mode)

        with app.app_context():
            customer = apps.dashboard_url(found, "customer", "cus_1")
            account = apps.dashboard_url(found, "account")
            method = apps.dashboard_url(found, "payment_method", "pm_1&x")

        home = f"https://dashboard.stripe.com/acct_1{mode}"
        assert customer == f"{home}/customers/cus_1"
        assert account == f"{home}/dashboard"
        assert method == f"{home}/search?query=pm_1%26x"


def test_keeps_the_last_examination_alone(app: Flask, desk: FlaskClient, path: str, rows: Rows) -> None:
    for _ in range(2):
        post(desk, f"{path}/examine")

    assert len(rows(doctor.Examination)) == 1


def test_says_so_when_the_apps_cannot_be_read(app: Flask, desk: FlaskClient) -> None:
    with app.app_context():
        db.session().execute(sa.text("ALTER TABLE app RENAME TO lost"))
        db.session().commit()

    answer = desk.get(STRIPE)

    assert answer.status_code in {500, 503}  # as the database calls it
    assert Page.of(answer).h1
