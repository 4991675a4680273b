"""An administrator's program renames an app and replaces its API key. Stripe must accept the key, and it
must belong to the same account. Others may not change anything."""

from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app import apps
from app.apps import App
from app.apps.models import SigningSecret
from app.audit import Entry
from app.core import db
from app.simulator import DEFAULT_ACCOUNT, DEFAULT_API_KEY, Simulator, add_key, revoke_key
from tests.support.api import problem
from tests.support.cases import for_each
from tests.support.database_contents import contents
from tests.support.installed_apps import endpoints
from tests.support.marketplace import NOBODY, SECOND_ACCOUNT
from tests.support.portal import sign_up
from tests.support.rows import Rows
from tests.support.stripe_calls import StripeCalls
from tests.support.tokens import meanwhile, program


def key_in_use(app: Flask) -> str:
    """The API key with which the only app speaks to Stripe."""
    with app.app_context():
        row = apps.find(db.session())
        sealer = app.extensions["gangway.connections"].sealer
        return str(sealer.open(row.api_key_sealed, f"app:{row.id}:api_key"))


class TestPut:
    def test_replaces_the_details(self, api: FlaskClient, installed: App, calls: StripeCalls) -> None:
        details = {"name": "Europe", "description": "For euros", "metadata": {"team": "billing"}}

        answer = api.put(f"/api/v1/apps/{installed.id}", json={"type": "stripe", **details})

        body = answer.get_json()
        assert answer.status_code == 200
        assert {name: body[name] for name in details} == details
        assert body == api.get(f"/api/v1/apps/{installed.id}").get_json()
        assert calls.made == []

    def test_clears_what_is_left_out_but_not_the_key(
        self, app: Flask, api: FlaskClient, installed: App
    ) -> None:
        full = {"type": "stripe", "name": "Europe", "description": "x", "metadata": {"team": "billing"}}
        api.put(f"/api/v1/apps/{installed.id}", json=full)

        body = api.put(f"/api/v1/apps/{installed.id}", json={"type": "stripe", "name": "Europe"}).get_json()

        assert "description" not in body
        assert "metadata" not in body
        assert body["maskedAPIKey"] == installed.masked_api_key
        assert key_in_use(app) == DEFAULT_API_KEY

    def test_changes_the_key_with_the_details(
        self, app: Flask, api: FlaskClient, installed: App, other_key: str
    ) -> None:
        answer = api.put(
            f"/api/v1/apps/{installed.id}",
            json={"TYPE": "stripe", "Name": "Europe", "secretapikey": other_key},
        )

        assert answer.get_json()["maskedAPIKey"] == f"{other_key[:8]}***{other_key[-3:]}"
        assert answer.get_json()["name"] == "Europe"
        assert key_in_use(app) == other_key

    def test_changes_nothing_when_the_key_is_wrong(
        self, app: Flask, api: FlaskClient, installed: App
    ) -> None:
        before = contents(app)["app"]
        body = {"type": "stripe", "name": "Europe", "secretAPIKey": "sk_test_mistyped"}

        answer = api.put(f"/api/v1/apps/{installed.id}", json=body)

        detail, _ = problem(answer, 401)
        assert detail.startswith("unauthorized error: Stripe does not know this API key")
        assert contents(app)["app"] == before

    @for_each(
        ("change", "field"),
        [
            ({"name": None}, "/name"),
            ({"name": ""}, "/name"),
            ({"name": "x" * 257}, "/name"),
            ({"name": 5}, "/name"),
            ({"name": "a\x00b"}, "/name"),
            ({"name": "a\nb"}, "/name"),
            ({"name": "\u200b"}, "/name"),
            ({"type": "sandbox"}, "/type"),
            ({"type": "nonsense"}, "/type"),
            ({"type": ["stripe"]}, "/type"),
            ({"description": "x" * 1025}, "/description"),
            ({"description": None}, "/description"),
            ({"metadata": {"team": ""}}, "/metadata/team"),
            ({"metadata": {"a/b": 1}}, "/metadata/a~1b"),
            ({"metadata": ["x"]}, "/metadata"),
            ({"secretAPIKey": ""}, "/secretAPIKey"),
            ({"secretAPIKey": 10**400}, "/secretAPIKey"),
            ({"secretAPIKey": "pk_test_abcdef"}, "/secretAPIKey"),
            ({"secretAPIKey": "sk_live_abcdef"}, "/secretAPIKey"),
            ({"secretAPIKey": "sk_test_" + "x" * 5000}, "/secretAPIKey"),
        ],
    )
    def test_names_what_is_wrong(
        self,
        change: dict[str, Any],
        field: str,
        app: Flask,
        api: FlaskClient,
        installed: App,
        calls: StripeCalls,
    ) -> None:
        before = contents(app)["app"]

        answer = api.put(f"/api/v1/apps/{installed.id}", json={"type": "stripe", "name": "Europe"} | change)

        assert problem(answer, 400)[1] == {field}
        assert contents(app)["app"] == before
        assert calls.made == []

    @pytest.mark.parametrize("field", ["type", "name"])
    def test_needs_type_and_name(self, field: str, api: FlaskClient, installed: App) -> None:
        body = {"type": "stripe", "name": "Europe"}
        del body[field]

        answer = api.put(f"/api/v1/apps/{installed.id}", json=body)

        assert problem(answer, 400)[1] == {f"/{field}"}

    def test_takes_metadata_that_is_null_or_empty(self, api: FlaskClient, installed: App) -> None:
        nothing: tuple[dict[str, str] | None, ...] = (None, {})
        for metadata in nothing:
            body = {"type": "stripe", "name": "Europe", "metadata": metadata}
            answer = api.put(f"/api/v1/apps/{installed.id}", json=body)
            assert answer.status_code == 200
            assert "metadata" not in answer.get_json()

    def test_knows_no_other_app(self, api: FlaskClient) -> None:
        problem(api.put(f"/api/v1/apps/{NOBODY}", json={"type": "stripe", "name": "Europe"}), 404)


class TestKey:
    def test_is_replaced(self, app: Flask, api: FlaskClient, installed: App, other_key: str) -> None:
        answer = api.put(f"/api/v1/apps/{installed.id}/stripe/api-key", json={"secretAPIKey": other_key})

        assert (answer.status_code, answer.data) == (204, b"")
        assert key_in_use(app) == other_key
        assert other_key not in repr(contents(app))

    def test_is_used_from_then_on(
        self, app: Flask, api: FlaskClient, installed: App, other_key: str, simulator: Simulator
    ) -> None:
        sign_up(app.test_client(), key="before")
        api.put(f"/api/v1/apps/{installed.id}/stripe/api-key", json={"secretAPIKey": other_key})
        revoke_key(simulator.store, DEFAULT_API_KEY)

        sign_up(app.test_client(), key="after", subject_keys=["after"])

        assert len(simulator.store.customers) == 2

    def test_leaves_the_webhook_as_it_is(
        self, api: FlaskClient, installed: App, other_key: str, simulator: Simulator, rows: Rows
    ) -> None:
        before = [secret.sealed for secret in rows(SigningSecret)]

        api.put(f"/api/v1/apps/{installed.id}/stripe/api-key", json={"secretAPIKey": other_key})

        assert endpoints(simulator, DEFAULT_ACCOUNT) == [installed.webhook_endpoint_id]
        assert [secret.sealed for secret in rows(SigningSecret)] == before

    def test_that_was_rejected_gives_way_to_one_that_works(
        self, app: Flask, api: FlaskClient, installed: App, other_key: str, simulator: Simulator, rows: Rows
    ) -> None:
        revoke_key(simulator.store, DEFAULT_API_KEY)
        body = {"stripeCustomerId": "cus_x"}
        api.post("/api/v1/customers", json={"name": "Ada", "key": "ada"})
        detail, _ = problem(api.put("/api/v1/customers/ada/stripe", json=body), 412)
        assert detail == (
            "precondition failed error: Stripe rejected the API key of this app. "
            "Give the app a new key, then try again."
        )
        assert api.get(f"/api/v1/apps/{installed.id}").get_json()["status"] == "unauthorized"

        api.put(f"/api/v1/apps/{installed.id}/stripe/api-key", json={"secretAPIKey": other_key})

        assert api.get(f"/api/v1/apps/{installed.id}").get_json()["status"] == "ready"
        kinds = [entry.kind for entry in rows(Entry) if entry.app_id == installed.id]
        assert kinds == ["app.installed", "app.unauthorized", "app.key_replaced", "app.ready"]

    def test_that_stripe_rejects_is_the_callers_fault_alone(
        self, app: Flask, api: FlaskClient, installed: App
    ) -> None:
        answer = api.put(
            f"/api/v1/apps/{installed.id}/stripe/api-key", json={"secretAPIKey": "sk_test_mistyped"}
        )

        problem(answer, 401)
        assert api.get(f"/api/v1/apps/{installed.id}").get_json()["status"] == "ready"
        assert key_in_use(app) == DEFAULT_API_KEY

    @for_each("key", ["sk_live_abcdef", "pk_test_abcdef", "whsec_abcdef", "sk_test_é", " "])
    def test_of_the_wrong_kind_is_refused_unasked(
        self, key: str, api: FlaskClient, installed: App, calls: StripeCalls
    ) -> None:
        answer = api.put(f"/api/v1/apps/{installed.id}/stripe/api-key", json={"secretAPIKey": key})

        assert problem(answer, 400)[1] == {"/secretAPIKey"}
        assert calls.made == []

    def test_of_another_account_is_refused(
        self, app: Flask, api: FlaskClient, installed: App, second_key: str
    ) -> None:
        answer = api.put(f"/api/v1/apps/{installed.id}/stripe/api-key", json={"secretAPIKey": second_key})

        detail, fields = problem(answer, 400)
        assert f"account {SECOND_ACCOUNT}, not to {DEFAULT_ACCOUNT}" in detail
        assert fields == {"/secretAPIKey"}
        assert key_in_use(app) == DEFAULT_API_KEY

    def test_that_may_not_read_the_account_is_refused(
        self, api: FlaskClient, installed: App, simulator: Simulator
    ) -> None:
        key = "rk_test_no_account"
        add_key(simulator.store, key, permissions={"rak_webhook_write"})

        answer = api.put(f"/api/v1/apps/{installed.id}/stripe/api-key", json={"secretAPIKey": key})

        assert "has no permission to read the account" in problem(answer, 412)[0]

    def test_is_needed(self, api: FlaskClient, installed: App) -> None:
        answer = api.put(f"/api/v1/apps/{installed.id}/stripe/api-key", json={})

        assert problem(answer, 400)[1] == {"/secretAPIKey"}

    def test_is_not_replaced_in_an_app_that_is_uninstalled_meanwhile(
        self, app: Flask, api: FlaskClient, installed: App, other_key: str, calls: StripeCalls, rows: Rows
    ) -> None:
        path = f"/api/v1/apps/{installed.id}"
        calls.after("GET /v1/account", meanwhile(app, "DELETE", path))

        answer = api.put(f"{path}/stripe/api-key", json={"secretAPIKey": other_key})

        assert "is uninstalled" in problem(answer, 400)[0]
        assert [row.api_key_sealed for row in rows(App)] == [""]


@for_each(
    ("method", "path", "scope"),
    [
        ("GET", "/apps", "read"),
        ("GET", f"/apps/{NOBODY}", "read"),
        ("GET", "/marketplace/listings", "read"),
        ("GET", "/marketplace/listings/stripe", "read"),
        ("PUT", f"/apps/{NOBODY}", "admin"),
        ("DELETE", f"/apps/{NOBODY}", "admin"),
        ("PUT", f"/apps/{NOBODY}/stripe/api-key", "admin"),
        ("POST", "/marketplace/listings/stripe/install/apikey", "admin"),
        ("POST", "/marketplace/listings/stripe/install", "admin"),
        ("GET", "/marketplace/listings/stripe/install/oauth2", "admin"),
        ("GET", "/marketplace/listings/stripe/install/oauth2/authorize", "admin"),
    ],
)
def test_only_administrators_change_apps(method: str, path: str, scope: str, app: Flask) -> None:
    answers = {
        name: program(app, name).open(f"/api/v1{path}", method=method).status_code
        for name in ("read", "write", "admin")
    }

    assert app.test_client().open(f"/api/v1{path}", method=method).status_code == 401
    assert answers["admin"] not in {401, 403}
    assert [answers["read"] == 403, answers["write"] == 403] == [scope == "admin"] * 2
