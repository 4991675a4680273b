"""An administrator replaces an app's API key, rolls its signing secret and repairs what the doctor found."""

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.simulator import DEFAULT_ACCOUNT, DEFAULT_API_KEY, Simulator, add_account, add_key, revoke_key
from tests.support.browser import Page
from tests.support.console import post
from tests.support.console_stripe import then, told
from tests.support.installed_apps import endpoints, installed
from tests.support.stripe_calls import StripeCalls

OTHER_KEY = "sk_test_another_of_the_first"


class TestKey:
    def test_is_replaced_by_another_of_the_account(
        self, app: Flask, console: FlaskClient, path: str, simulator: Simulator
    ) -> None:
        add_key(simulator.store, OTHER_KEY)

        page = then(console, post(console, f"{path}/key", api_key=OTHER_KEY))

        assert "Stripe now uses the key sk_test_***rst." in page.text
        assert "Stripe accepts the API key" in page.text
        assert [app.masked_key for app in installed(app)] == ["sk_test_***rst"]
        assert told(app, "app.key_replaced") == [("operator", {"masked_key": "sk_test_***rst"})]

    def test_mends_an_app_whose_key_was_revoked(
        self, app: Flask, console: FlaskClient, path: str, simulator: Simulator
    ) -> None:
        revoke_key(simulator.store, DEFAULT_API_KEY)
        broken = then(console, post(console, f"{path}/examine"))
        add_key(simulator.store, OTHER_KEY)

        page = then(console, post(console, f"{path}/key", api_key=OTHER_KEY))

        assert "Stripe rejects the API key" in broken.text
        assert broken.one("a", href="#replace-key")
        assert "Stripe accepts the API key" in page.text
        assert [app.status for app in installed(app)] == ["ready"]

    @pytest.mark.parametrize(
        ("key", "said"),
        [
            ("sk_test_unknown", "Stripe does not know this API key."),
            ("sk_test_of_another", "This key belongs to Stripe account acct_second"),
            ("sk_live_abcdef", "this key belongs to the other mode"),
            (
                "rk_test_lacking",
                "This key lacks permissions that Gangway needs: Customers (write), Checkout",
            ),
            ("rk_test_blind", "it has no permission to read the account"),
            ("", "Enter the key."),
        ],
    )
    def test_stays_when_the_new_one_does_not_fit(
        self, key: str, said: str, app: Flask, console: FlaskClient, path: str, simulator: Simulator
    ) -> None:
        add_account(simulator.store, "acct_second", 1)
        add_key(simulator.store, "sk_test_of_another", account="acct_second")
        add_key(simulator.store, "rk_test_lacking", permissions={"rak_accounts_kyc_basic_read"})
        add_key(simulator.store, "rk_test_blind", permissions={"rak_customer_write"})
        before = installed(app)

        answer = post(console, f"{path}/key", api_key=key)

        page = Page.of(answer)
        assert answer.status_code == 422
        assert said in page.error("api_key")
        assert page.field("api_key").get("value") == ""
        assert installed(app) == before

    def test_stays_when_stripe_gives_no_answer(
        self, app: Flask, console: FlaskClient, path: str, simulator: Simulator
    ) -> None:
        simulator.fault_settings.change({"outage": "reset"})

        answer = post(console, f"{path}/key", api_key=OTHER_KEY)

        assert answer.status_code == 422
        assert "Stripe can't be reached." in Page.of(answer).error("api_key")


class TestRoll:
    def test_makes_a_second_endpoint_and_accepts_both_for_a_day(
        self, app: Flask, console: FlaskClient, path: str, simulator: Simulator
    ) -> None:
        [before] = installed(app)

        page = then(console, post(console, f"{path}/roll", endpoint_id=before.endpoint))

        [after] = installed(app)
        assert after.endpoint != before.endpoint
        assert endpoints(simulator, DEFAULT_ACCOUNT) == [after.endpoint, before.endpoint]
        assert len(after.secrets) == 2
        assert before.secrets[0] in after.secrets
        assert "The signing secret is rolling over" in page.text
        assert "No orphaned endpoints" in page.text
        assert [actor for actor, _ in told(app, "app.secret_rolled")] == ["operator"]

    def test_pressed_twice_rolls_once(
        self, app: Flask, console: FlaskClient, path: str, simulator: Simulator
    ) -> None:
        [before] = installed(app)

        for _ in range(2):
            post(console, f"{path}/roll", endpoint_id=before.endpoint)

        assert len(endpoints(simulator, DEFAULT_ACCOUNT)) == 2
        assert len(told(app, "app.secret_rolled")) == 1

    def test_says_what_stripe_has_against_it(
        self, console: FlaskClient, path: str, simulator: Simulator
    ) -> None:
        simulator.fault_settings.change({"outage": "503"})

        page = then(console, post(console, f"{path}/roll"))

        assert "Stripe had a problem." in page.text

    def test_can_be_ended_at_once(
        self, app: Flask, console: FlaskClient, path: str, simulator: Simulator
    ) -> None:
        [before] = installed(app)
        post(console, f"{path}/roll")

        page = then(console, post(console, f"{path}/end-overlap"))

        [after] = installed(app)
        assert "The old secret and its endpoint are removed" in page.text
        assert endpoints(simulator, DEFAULT_ACCOUNT) == [after.endpoint]
        assert before.secrets[0] not in after.secrets
        assert [actor for actor, _ in told(app, "app.secret_retired")] == ["operator"]

    def test_has_no_end_before_it_has_begun(self, app: Flask, console: FlaskClient, path: str) -> None:
        before = installed(app)

        page = then(console, post(console, f"{path}/end-overlap"))

        assert "accepted no more" not in page.text
        assert installed(app) == before

    def test_continues_when_its_end_fails(
        self, console: FlaskClient, path: str, simulator: Simulator
    ) -> None:
        post(console, f"{path}/roll")
        simulator.fault_settings.change({"outage": "503"})

        page = then(console, post(console, f"{path}/end-overlap"))

        assert "Stripe had a problem." in page.text


class TestRepair:
    def test_mends_and_examines_again(
        self, app: Flask, console: FlaskClient, path: str, simulator: Simulator
    ) -> None:
        [found] = installed(app)
        simulator.change_endpoint(found.endpoint, enabled=False)
        broken = then(console, post(console, f"{path}/examine"))

        page = then(console, post(console, f"{path}/repair", code="enabled"))

        assert "The endpoint is disabled" in broken.text
        assert "Repaired." in page.text
        assert "The endpoint is enabled" in page.text
        [(actor, facts)] = told(app, "app.repaired")
        assert (actor, facts["code"]) == ("operator", "enabled")

    @pytest.mark.parametrize("code", ["enabled", "nonsense", ""])
    def test_does_nothing_where_nothing_is_wrong(self, code: str, console: FlaskClient, path: str) -> None:
        page = then(console, post(console, f"{path}/repair", code=code))

        assert "There was nothing left to repair." in page.text

    def test_says_what_stripe_has_against_it(
        self, app: Flask, console: FlaskClient, path: str, simulator: Simulator, calls: StripeCalls
    ) -> None:
        [found] = installed(app)
        simulator.change_endpoint(found.endpoint, enabled=False)
        calls.refusals[f"POST /v1/webhook_endpoints/{found.endpoint}"] = {
            "type": "invalid_request_error",
            "message": "Not today.",
        }

        page = then(console, post(console, f"{path}/repair", code="enabled"))

        assert "The repair failed. Not today." in page.text
        assert "The endpoint is disabled" in page.text
