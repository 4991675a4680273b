"""Forms come from the portal's own pages and its redirects stay there, whatever a proxy says."""

from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import Client

from app.core.config import Settings
from tests.conftest import make_settings
from tests.support.browser import Page
from tests.support.cases import for_each
from tests.support.operators import PASSWORD, member

LOGIN = "/operator/login"
PUBLIC = "https://billing.example.com"
FORMS = ("/signup", "/resume", "/start/x", "/start/x/opened", LOGIN, "/operator/setup", "/operator/logout")

OWN: tuple[dict[str, str], ...] = (
    {"Origin": PUBLIC},
    {"Origin": "https://BILLING.example.com:443"},
    {"Referer": f"{PUBLIC}/operator/login?next=/operator/"},
    {"Origin": PUBLIC, "Referer": "https://elsewhere.example/"},
    {"Origin": "null", "Sec-Fetch-Site": "same-origin"},  # of a page that keeps its address to itself
    {"Origin": "null", "Referer": f"{PUBLIC}/"},
    {},
)
FOREIGN: tuple[dict[str, str], ...] = (
    {"Origin": "https://evil.example"},
    {"Origin": "https://evil.example", "Referer": f"{PUBLIC}/"},
    {"Origin": "http://billing.example.com"},
    {"Origin": "https://billing.example.com:8443"},
    {"Origin": "https://billing.example.com.evil.example"},
    {"Origin": "https://billing.example.com@evil.example"},
    {"Origin": "null"},
    {"Origin": ""},
    {"Origin": "null", "Sec-Fetch-Site": "same-site"},
    {"Origin": "https://proxy.internal"},
    {"Referer": "https://evil.example/?https://billing.example.com/"},
    {"Referer": "about:blank"},
    {"Referer": "https://["},
    {"Sec-Fetch-Site": "cross-site"},
)
# What a proxy may make of a request: its own Host, or a scheme, or nothing at all.
PROXIES: tuple[dict[str, str], ...] = (
    {},
    {"Host": "10.0.0.7:8000"},
    {"Host": "portal", "X-Forwarded-Proto": "https"},
    {"Host": "billing.example.com", "X-Forwarded-Proto": "https", "X-Forwarded-Host": "billing.example.com"},
)


def log_in(app: Flask, proxy: dict[str, str], headers: dict[str, str]) -> int:
    def behind_proxy(environ: dict[str, Any], start_response: Any) -> Any:
        sent = {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in proxy.items()}
        return app(environ | sent, start_response)

    browser, base = Client(behind_proxy), {"base_url": PUBLIC}
    page = Page.of(browser.get(LOGIN, **base))
    fields = {"csrf_token": page.value("csrf_token"), "email": "ada@example.com", "password": PASSWORD}
    return browser.post(LOGIN, data=fields, headers=headers, **base).status_code


class TestInPublic:
    """A portal with an https URL behind a proxy."""

    @pytest.fixture
    def settings(self, database_url: str) -> Settings:
        return make_settings(database_url=database_url, public_url=PUBLIC)

    @for_each("proxy", PROXIES)
    def test_takes_its_own_forms_behind_every_proxy(self, app: Flask, proxy: dict[str, str]) -> None:
        if not proxy:
            member(app)

        statuses = [log_in(app, proxy, headers) for headers in OWN]

        assert statuses == [303] * len(OWN)

    @for_each("headers", FOREIGN)
    def test_refuses_forms_of_other_sites(self, app: Flask, headers: dict[str, str]) -> None:
        client = app.test_client()

        answers = [client.post(path, headers=headers, data={"name": "x"}) for path in FORMS]

        assert [answer.status_code for answer in answers] == [403] * len(FORMS)
        for page in map(Page.of, answers):
            assert page.one("h1").text == "That form came from another site"
            assert f"from a page outside {PUBLIC}. Nothing was changed." in page.text
            assert "Open the page on this site again" in page.text
            assert "isn't allowed" not in page.text
            assert "change your role" not in page.text

    @for_each("headers", FOREIGN)
    def test_leaves_programs_alone(self, app: Flask, headers: dict[str, str]) -> None:
        answer = app.test_client().post("/api/v1/customers", json={}, headers=headers)

        assert answer.status_code == 401

    @for_each("path", ["/operator", "/operator?x=1", "//operator", "/static"])
    @for_each("host", ["billing.example.com", "evil.example", "evil.example:99", "bad host", ""])
    def test_leads_to_no_other_address(self, app: Flask, path: str, host: str) -> None:
        claims = {"Host": host, "X-Forwarded-Host": "evil.example", "X-Forwarded-Prefix": "/evil"}
        answer = app.test_client().get(path, headers=claims)

        location = answer.headers.get("Location", "/")
        assert location.startswith("/")
        assert not location.startswith("//")

    def test_completes_the_address_of_the_console(self, app: Flask) -> None:
        answer = app.test_client().get("/operator?a=1", headers={"Host": "evil.example"})

        assert (answer.status_code, answer.headers["Location"]) == (308, "/operator/?a=1")

    def test_takes_no_prefix_from_a_request(self, app: Flask) -> None:
        answer = app.test_client().get("/", environ_overrides={"SCRIPT_NAME": "/evil", "PATH_INFO": "/x"})

        assert answer.status_code == 404
        whole = app.test_client().get("/", environ_overrides={"SCRIPT_NAME": "/sign", "PATH_INFO": "up"})
        assert "/signup" in whole.get_data(as_text=True)
        assert "/sign/" not in whole.get_data(as_text=True)


@for_each(
    "origin", ["http://127.0.0.1:8000", "http://localhost:8000", "http://localhost:8080", "http://[::1]:1"]
)
def test_a_portal_on_loopback_takes_forms_under_every_name_of_its_machine(
    client: FlaskClient, origin: str
) -> None:
    assert client.post("/signup", headers={"Origin": origin}).status_code == 422


def test_a_portal_on_loopback_refuses_other_sites(client: FlaskClient) -> None:
    assert client.post("/signup", headers={"Origin": "http://evil.example"}).status_code == 403
