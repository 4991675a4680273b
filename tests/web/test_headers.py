"""Every answer has the security headers, and none is kept by a cache that others use."""

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.core.config import Settings
from app.simulator import Simulator
from tests.conftest import make_settings
from tests.support.browser import Page
from tests.support.cases import for_each
from tests.support.portal import SignupPage, client_cookie, sign_up

PATHS = (
    "/",
    "/signup",
    "/return",
    "/cancelled",
    "/brand.css",
    "/static/portal.js",
    "/nowhere",
    "/healthz",
    "/api/x",
)


def policy(answer_policy: str) -> dict[str, list[str]]:
    parts = [part.split() for part in answer_policy.split(";")]
    return {part[0]: part[1:] for part in parts}


@for_each("path", PATHS)
def test_keep_browsers_on_our_side(client: FlaskClient, path: str) -> None:
    with client.get(path) as answer:
        headers = answer.headers

    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "strict-origin-when-cross-origin"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert "camera=()" in headers["Permissions-Policy"]
    assert "unsafe" not in headers["Content-Security-Policy"]
    assert len(headers.getlist("Content-Security-Policy")) == 1
    assert len(headers["X-Request-Id"]) == 26
    assert "Server" not in headers


def test_forbid_everything_foreign(client: FlaskClient) -> None:
    rules = policy(client.get("/signup").headers["Content-Security-Policy"])

    assert rules["default-src"] == ["'none'"]
    assert rules["script-src"] == rules["style-src"] == rules["img-src"] == ["'self'"]
    assert rules["frame-ancestors"] == rules["base-uri"] == ["'none'"]


def test_let_the_form_lead_to_the_simulator(client: FlaskClient) -> None:
    rules = policy(client.get("/signup").headers["Content-Security-Policy"])

    assert "'self'" in rules["form-action"]
    assert any(source.startswith("http://127.0.0.1") for source in rules["form-action"])


@for_each("path", ["/signup", "/return", "/cancelled", "/nowhere", "/healthz"])
def test_keep_answers_about_people_out_of_caches(client: FlaskClient, path: str) -> None:
    answer = client.get(path)

    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("path", ["/brand.css"])
def test_let_browsers_keep_what_is_the_same_for_all(client: FlaskClient, path: str) -> None:
    with client.get(path) as answer:
        assert answer.status_code == 200
        assert "max-age=3600" in answer.headers["Cache-Control"]


def test_name_each_request_again(client: FlaskClient) -> None:
    ids = {client.get("/signup", headers={"X-Request-Id": "mine"}).headers["X-Request-Id"] for _ in range(3)}

    assert len(ids) == 3
    assert "mine" not in ids


def test_set_a_cookie_that_scripts_and_other_sites_do_not_get(client: FlaskClient) -> None:
    [cookie] = client.get("/signup").headers.getlist("Set-Cookie")

    assert cookie.startswith("gangway=")
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert "Path=/" in cookie
    assert "Secure" not in cookie
    assert "Domain" not in cookie


def test_do_not_ask_for_https_on_plain_http(client: FlaskClient) -> None:
    assert "Strict-Transport-Security" not in client.get("/signup").headers


class TestOverHttps:
    """A portal with an https URL tells browsers to insist on it."""

    @pytest.fixture
    def settings(self, database_url: str) -> Settings:
        return make_settings(
            database_url=database_url,
            public_url="https://pay.northwind.example",
            checkout_origins="https://checkout.northwind.example",
            stripe_api_base="https://api.stripe.com",
        )

    def test_insist_on_https(self, bare_app: Flask) -> None:
        answer = bare_app.test_client().get("/signup")

        assert answer.headers["Strict-Transport-Security"].startswith("max-age=63072000")

    def test_bind_the_cookie_to_the_host(self, bare_app: Flask) -> None:
        [cookie] = bare_app.test_client().get("/signup").headers.getlist("Set-Cookie")

        assert cookie.startswith("__Host-gangway=")
        assert "Secure" in cookie
        assert "Path=/" in cookie
        assert "Domain" not in cookie

    def test_let_the_form_lead_to_stripe_and_to_nowhere_else(self, bare_app: Flask) -> None:
        rules = policy(bare_app.test_client().get("/signup").headers["Content-Security-Policy"])

        assert rules["form-action"] == [
            "'self'",
            "https://checkout.stripe.com",
            "https://billing.stripe.com",
            "https://checkout.northwind.example",
        ]

    def test_do_not_warn_of_a_simulator(self, bare_app: Flask) -> None:
        page = Page.of(bare_app.test_client().get("/signup"))

        assert "simulated" not in page.text
        assert "Demo" not in page.text


EVIL = {
    "Host": "evil.example",
    "X-Forwarded-Host": "evil.example",
    "X-Forwarded-Proto": "gopher",
    "Forwarded": "host=evil.example",
}


@for_each("path", ["/", "/signup", "/signup/", "/return", "/cancelled", "/nowhere", "/api/nowhere"])
def test_no_answer_repeats_the_host_that_a_request_claims(client: FlaskClient, path: str) -> None:
    answer = client.get(path, headers=EVIL)

    assert "evil" not in answer.get_data(as_text=True)
    assert "evil" not in str(answer.headers)


def test_no_url_given_to_stripe_has_the_host_that_a_request_claims(
    client: FlaskClient, simulator: Simulator
) -> None:
    form = SignupPage(client)
    client.set_cookie("gangway", client_cookie(client), domain="evil.example")

    answer = form.send(form.fields(), headers={"Host": "evil.example", "X-Forwarded-Host": "evil.example"})

    assert answer.status_code == 303
    [opened] = simulator.store.checkout_sessions.values()
    assert opened["success_url"].startswith("http://127.0.0.1:8000/return")
    assert opened["cancel_url"].startswith("http://127.0.0.1:8000/cancelled")


def test_cookie_holds_no_detail_of_the_visitor(client: FlaskClient) -> None:
    sign_up(client)

    with client.session_transaction() as cookie:
        assert set(cookie) <= {"browser", "csrf_token", "_permanent"}
