"""Listed origins may show the public pages in a frame. Nobody else may, and nobody may frame the console."""

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app.core.config import Settings
from app.customers import Customer
from app.portal import Profile
from app.simulator import Simulator
from tests.conftest import make_settings
from tests.support.browser import Page
from tests.support.cases import for_each
from tests.support.console import sign_in
from tests.support.handovers import HandoverPage, make_secret, sign
from tests.support.links import LinkPage
from tests.support.portal import SignupPage
from tests.support.profiles import publish_profiles
from tests.support.rows import Rows

SHOP = "https://shop.example.com"
FRAME = {"Sec-Fetch-Dest": "iframe", "Sec-Fetch-Site": "cross-site"}


@pytest.fixture
def listed(app: Flask) -> None:
    """The shop may show the pages in a frame."""
    publish_profiles(app, Profile(embed_origins=[SHOP, "https://app.example.com:8443"]))


@pytest.fixture
def framed(app: Flask) -> FlaskClient:
    """A browser that shows everything in a frame."""
    client = app.test_client()
    client.environ_base["HTTP_SEC_FETCH_DEST"] = "iframe"
    return client


def ancestors(answer: TestResponse) -> str:
    """Who may show an answer in a frame."""
    policy = answer.headers["Content-Security-Policy"]
    return next(part for part in policy.split("; ") if part.startswith("frame-ancestors"))


def cookies(answer: TestResponse) -> list[str]:
    """The cookies that an answer sets."""
    return answer.headers.getlist("Set-Cookie")


@for_each("path", ["/signup", "/return", "/cancelled", "/billing", "/forgotten", "/start/x", "/"])
def test_nobody_may_by_default(client: FlaskClient, path: str) -> None:
    assert ancestors(client.get(path)) == "frame-ancestors 'none'"


@pytest.mark.usefixtures("listed")
class TestListed:
    """With a list, its origins may."""

    @for_each("path", ["/signup", "/return", "/cancelled", "/billing", "/start/x", "/signup?handover=x"])
    def test_its_origins_may(self, client: FlaskClient, path: str) -> None:
        answer = client.get(path)

        assert ancestors(answer) == f"frame-ancestors {SHOP} https://app.example.com:8443"
        assert "X-Frame-Options" not in answer.headers

    def test_a_frame_gets_no_header_and_footer(self, client: FlaskClient, framed: FlaskClient) -> None:
        in_frame, whole = framed.get("/signup"), client.get("/signup")

        assert not Page.of(in_frame).all(class_="site-footer")
        assert not Page.of(in_frame).all(class_="skip-link")
        assert Page.of(whole).all(class_="site-footer")
        assert "Sec-Fetch-Dest" in in_frame.vary
        assert "Sec-Fetch-Dest" in whole.vary

    def test_a_browser_that_says_nothing_hides_them_by_style(self, client: FlaskClient) -> None:
        page = Page.of(client.get("/signup?embed=1"))

        assert page.one("body").get("class") == "embedded"
        assert page.all(class_="site-footer")

    @for_each(
        "path", ["/operator/login", "/operator/", "/operator/customers", "/api/docs", "/api/openapi.json"]
    )
    def test_the_console_and_the_api_may_never_be_framed(self, app: Flask, path: str) -> None:
        for headers in ({}, FRAME):
            answer = sign_in(app).get(f"{path}?embed=1", headers=headers)

            assert ancestors(answer) == "frame-ancestors 'none'"
            assert not any("embedded" in cookie for cookie in cookies(answer))

    def test_cookie_is_kept_to_the_frame(self, client: FlaskClient) -> None:
        [cookie] = cookies(client.get("/signup", headers=FRAME))

        assert cookie.startswith("gangway-embedded=")
        parts = set(cookie.split("; ")[1:])
        assert {"SameSite=None", "Secure", "Partitioned", "HttpOnly", "Path=/"} <= parts

    def test_cookie_of_the_whole_window_stays_as_it_is(self, client: FlaskClient) -> None:
        [cookie] = cookies(client.get("/signup?embed=1", headers={"Sec-Fetch-Dest": "document"}))

        assert cookie.startswith("gangway=")
        assert "SameSite=Lax" in cookie
        assert "Partitioned" not in cookie

    def test_says_nothing_of_the_company_in_a_frame(self, client: FlaskClient) -> None:
        whole, framed = (Page.of(client.get("/signup", headers=each)) for each in ({}, FRAME))

        assert whole.one("body").get("class") == ""
        assert framed.one("body")["class"] == "embedded"

    def test_stays_embedded_in_a_browser_that_does_not_say_so(self, client: FlaskClient) -> None:
        page = Page.of(client.get("/signup?embed=1"))

        assert page.one("form", id="details")["action"] == "/signup?embed=1"
        assert page.one("body")["class"] == "embedded"

    def test_leads_to_stripe_in_the_whole_window(
        self, framed: FlaskClient, rows: Rows, simulator: Simulator
    ) -> None:
        answer = SignupPage(framed).submit()

        link = next(each for each in Page.of(answer).all("a") if each.text == "Continue to Stripe")
        [opened] = simulator.store.checkout_sessions.values()
        assert answer.status_code == 200
        assert link["target"] == "_top"
        assert link["href"] == opened["url"]
        assert len(rows(Customer)) == 1

    def test_says_what_is_wrong_in_the_frame(self, framed: FlaskClient) -> None:
        answer = SignupPage(framed).submit(name="")

        assert answer.status_code == 422
        assert Page.of(answer).error("name")

    def test_leads_a_hand_over_and_a_link_out_of_the_frame_too(
        self, app: Flask, framed: FlaskClient, path: str
    ) -> None:
        handed_over = HandoverPage(framed, sign(make_secret(app))).submit()
        pressed = LinkPage(framed, path).press()

        assert [answer.status_code for answer in (handed_over, pressed)] == [200, 200]
        assert all("Continue to Stripe" in Page.of(answer).text for answer in (handed_over, pressed))

    def test_comes_back_from_stripe_without_the_cookie_of_the_frame(
        self, app: Flask, framed: FlaskClient, simulator: Simulator
    ) -> None:
        SignupPage(framed).submit()
        [opened] = simulator.store.checkout_sessions.values()
        simulator.save_card(opened["id"])
        url = opened["success_url"].replace("{CHECKOUT_SESSION_ID}", opened["id"])

        page = Page.of(app.test_client().get(url.removeprefix("http://127.0.0.1:8000")))

        assert page.h1 == "Your payment method is saved"
        assert page.one("body").get("class") == ""

    def test_never_leads_on_by_itself_in_a_frame(
        self, app: Flask, framed: FlaskClient, simulator: Simulator
    ) -> None:
        publish_profiles(
            app, Profile(embed_origins=[SHOP], after={"return_url": f"{SHOP}/done", "redirect_seconds": 5})
        )
        SignupPage(framed).submit()
        simulator.save_card(next(iter(simulator.store.checkout_sessions)))

        page = Page.of(framed.get("/return"))

        link = next(each for each in page.all("a") if each.text == "Continue to shop.example.com")
        assert link["target"] == "_top"
        assert not page.all("meta", http_equiv="refresh")


def test_frame_of_nobody_gets_no_cookie(client: FlaskClient) -> None:
    answer = client.get("/signup", headers=FRAME)

    assert cookies(answer) == []
    assert Page.of(answer).one("body").get("class") == ""


@for_each(
    "origin", ["*", "https://*", "https://a.example/path", "javascript:x", "https://a;script-src *", "null"]
)
def test_list_takes_origins_alone(origin: str) -> None:
    with pytest.raises(ValueError, match="embed_origins"):
        Profile(embed_origins=(origin,))


class TestSecure:
    """On https, the cookie's name says so."""

    @pytest.fixture
    def settings(self, database_url: str) -> Settings:
        """The portal is on https."""
        return make_settings(database_url=database_url, public_url="https://billing.example.com")

    @pytest.mark.usefixtures("listed")
    def test_cookie_belongs_to_this_host(self, client: FlaskClient) -> None:
        [cookie] = cookies(client.get("/signup", headers=FRAME, base_url="https://billing.example.com"))

        assert cookie.startswith("__Host-gangway-embedded=")
