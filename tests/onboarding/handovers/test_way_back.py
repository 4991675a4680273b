"""Once a payment method is saved, the page leads back to the company's app, and only to where it may."""

import hashlib
import hmac
import time
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import sqlalchemy as sa
import time_machine
from flask import Flask
from flask.testing import FlaskClient

from app.core import db
from app.core.db import utcnow
from app.customers import Customer
from app.onboarding.models import Signup
from app.portal import AfterSaving, Profile
from app.simulator import Simulator
from tests.support.browser import Element, Page
from tests.support.cases import for_each
from tests.support.handovers import RETURN_URL, HandoverPage, make_secret, revoke_secrets, sign
from tests.support.portal import session_of, sign_up
from tests.support.profiles import publish_profiles
from tests.support.return_page import look
from tests.support.rows import Rows

PROFILE_URL = "https://www.example.com/thanks"


def publish(app: Flask, **after: Any) -> None:
    """Put a profile in force that leads on after saving."""
    publish_profiles(app, Profile(after=AfterSaving(**after)))


@pytest.fixture
def secret(app: Flask) -> str:
    """A secret that the company's app has."""
    return make_secret(app)


def way_back(page: Page) -> Element | None:
    """The button that leads on."""
    found = [
        link for link in page.all("a") if link.text == "Continue" or link.text.startswith("Continue to ")
    ]
    return found[0] if found else None


def save(client: FlaskClient, simulator: Simulator, token: str | None = None) -> str:
    """Sign up and save a card. Return the path to which Stripe leads back."""
    session_id = session_of(HandoverPage(client, token).submit()) if token else sign_up(client)
    simulator.save_card(session_id)
    success: str = simulator.store.checkout_sessions[session_id]["success_url"]
    return success.removeprefix("http://127.0.0.1:8000")


def test_is_not_there_when_nobody_gave_one(client: FlaskClient, simulator: Simulator) -> None:
    assert way_back(look(client, save(client, simulator))) is None


def test_is_what_the_hand_over_says(client: FlaskClient, secret: str, simulator: Simulator) -> None:
    page = look(client, save(client, simulator, sign(secret, returnURL=RETURN_URL, returnLabel="Engines")))

    link = way_back(page)
    assert link is not None
    assert (link.text, link["href"]) == ("Continue to Engines", RETURN_URL)
    assert not page.all("meta", http_equiv="refresh")


def test_is_not_where_nobody_may_be_led_any_longer(
    app: Flask, client: FlaskClient, secret: str, simulator: Simulator
) -> None:
    path = save(client, simulator, sign(secret, returnURL=RETURN_URL))
    for url in ("javascript:alert(1)", "http://app.example.com/", "https://a@app.example.com/", "//x"):
        with app.app_context():
            db.session().execute(sa.update(Signup).values(return_url=url))
            db.session().commit()

        assert way_back(look(client, path)) is None, url


def test_has_no_name_when_the_hand_over_gave_none(
    app: Flask, client: FlaskClient, secret: str, simulator: Simulator
) -> None:
    publish(app, return_url=PROFILE_URL, label={"en": "Another place"})

    page = look(client, save(client, simulator, sign(secret, returnURL=RETURN_URL)))
    billing = Page.of(client.get("/billing"))

    assert [link.text for link in page.all("a", href=RETURN_URL)] == ["Continue"]
    assert [link.text for link in billing.all("a", href=RETURN_URL)] == ["Continue"]
    assert "Another place" not in page.text + billing.text


def test_has_the_name_of_the_profile_when_a_hand_over_leads_to_the_same_place(
    app: Flask, client: FlaskClient, secret: str, simulator: Simulator
) -> None:
    publish(app, return_url=PROFILE_URL, label={"en": "Example"})

    page = look(client, save(client, simulator, sign(secret, returnURL=PROFILE_URL)))

    assert page.one("a", href=PROFILE_URL).text == "Continue to Example"


def test_of_a_profile_is_named_after_its_host_without_a_label(
    app: Flask, client: FlaskClient, simulator: Simulator
) -> None:
    publish(app, return_url=PROFILE_URL)

    assert (
        look(client, save(client, simulator)).one("a", href=PROFILE_URL).text == "Continue to www.example.com"
    )


def test_is_that_of_the_profile_for_everybody_else(
    app: Flask, client: FlaskClient, simulator: Simulator
) -> None:
    publish(app, return_url=PROFILE_URL, label={"en": "Example", "de": "Beispiel"})
    path = save(client, simulator)

    english, german = (
        look(client, f"{path}&language={language}").one("a", href=PROFILE_URL) for language in ("en", "de")
    )

    assert english.text == "Continue to Example"
    assert "Beispiel" in german.text


def test_is_there_in_another_browser_that_came_from_stripe(
    app: Flask, client: FlaskClient, secret: str, simulator: Simulator
) -> None:
    path = save(client, simulator, sign(secret, returnURL=RETURN_URL))

    [session_id] = simulator.store.checkout_sessions
    link = way_back(look(app.test_client(), f"{path}&session={session_id}"))

    assert link is not None
    assert link["href"] == RETURN_URL


def test_waits_until_something_is_saved(client: FlaskClient, secret: str) -> None:
    HandoverPage(client, sign(secret, returnURL=RETURN_URL)).submit()

    assert way_back(look(client)) is None


class TestAllowedHosts:
    """With a list, a hand-over leads to its hosts alone."""

    @for_each(
        ("url", "is_taken"),
        [
            ("https://app.example.com/a", True),
            ("https://APP.example.com/a", True),
            ("https://app.example.com:8443/a", True),
            ("https://other.example.com:444/", True),
            ("https://other.example.com/", False),
            ("https://evil.example/?app.example.com", False),
            ("https://app.example.com.evil.example/", False),
            ("https://xapp.example.com/", False),
        ],
    )
    def test_take_only_them(
        self, app: Flask, secret: str, simulator: Simulator, url: str, *, is_taken: bool
    ) -> None:
        publish(
            app, return_url=PROFILE_URL, allowed_return_hosts=["App.example.com", "other.example.com:444"]
        )
        client = app.test_client()

        link = way_back(
            look(
                client,
                save(
                    client,
                    simulator,
                    sign(secret, {"name": "A", "email": "a@example.com", "key": url}, returnURL=url),
                ),
            )
        )

        assert link is not None
        assert link["href"] == (url if is_taken else PROFILE_URL)


class TestBySelf:
    """A page with nothing left to do continues automatically, unless somebody stays."""

    @pytest.fixture(autouse=True)
    def _profile(self, app: Flask) -> None:
        publish(app, return_url=PROFILE_URL, redirect_seconds=5)

    def test_leads_on_after_some_seconds(self, client: FlaskClient, simulator: Simulator) -> None:
        page = look(client, save(client, simulator))

        link = way_back(page)
        assert link is not None
        assert page.one("meta", http_equiv="refresh")["content"] == f"5; url={PROFILE_URL}"
        assert "in 5 seconds" in page.text
        assert link["data-leave"] == "5"

    def test_lets_people_stay(self, client: FlaskClient, simulator: Simulator) -> None:
        page = look(client, save(client, simulator))
        stay = next(link["href"] for link in page.all("a") if link.text == "Stay on this page")

        stayed = look(client, stay)

        assert not stayed.all("meta", http_equiv="refresh")
        assert way_back(stayed) is not None


class TestSigned:
    """The company's app can trust what a signed way back says."""

    @pytest.fixture(autouse=True)
    def _profile(self, app: Flask) -> None:
        publish(app, is_signed=True)

    def said(self, page: Page) -> dict[str, str]:
        link = way_back(page)
        assert link is not None
        return {name: values[0] for name, values in parse_qs(urlsplit(link["href"]).query).items()}

    def test_says_who_and_how_it_stands(
        self, client: FlaskClient, secret: str, simulator: Simulator, rows: Rows
    ) -> None:
        said = self.said(look(client, save(client, simulator, sign(secret, returnURL=RETURN_URL))))

        parts = [said[f"gangway_{name}"] for name in ("customer_id", "status", "time", "key")]
        text = "\n".join(["gangway-return", *parts]).encode()
        assert said["from"] == "gangway"
        assert parts[:2] == [rows(Customer)[0].id, "saved"]
        assert parts[3] == "customer-42"
        assert abs(int(parts[2]) - time.time()) < 600
        assert said["gangway_signature"] == hmac.new(secret.encode(), text, hashlib.sha256).hexdigest()

    def test_tells_one_status_from_another(
        self, client: FlaskClient, secret: str, simulator: Simulator, clock: time_machine.Traveller
    ) -> None:
        clock.move_to((utcnow() + timedelta(days=31)).replace(day=15))  # a card of this month expires soon
        session_id = session_of(HandoverPage(client, sign(secret, returnURL=RETURN_URL)).submit())
        simulator.save_card(session_id, expiry=f"{utcnow():%m / %y}")

        assert self.said(look(client))["gangway_status"] == "expiring"

    def test_uses_the_oldest_secret_in_use(
        self, app: Flask, client: FlaskClient, secret: str, simulator: Simulator
    ) -> None:
        newer = make_secret(app)

        said = self.said(look(client, save(client, simulator, sign(newer, returnURL=RETURN_URL))))

        names = ("customer_id", "status", "time", "key")
        text = "\n".join(["gangway-return", *(said[f"gangway_{name}"] for name in names)]).encode()
        assert said["gangway_signature"] == hmac.new(secret.encode(), text, hashlib.sha256).hexdigest()

    def test_says_nothing_without_a_secret(
        self, app: Flask, client: FlaskClient, secret: str, simulator: Simulator
    ) -> None:
        path = save(client, simulator, sign(secret, returnURL=RETURN_URL))
        revoke_secrets(app)

        assert self.said(look(client, path)) == {"from": "gangway"}

    def test_is_no_token(self, app: Flask, client: FlaskClient, secret: str, simulator: Simulator) -> None:
        said = self.said(look(client, save(client, simulator, sign(secret, returnURL=RETURN_URL))))

        forged = f"{said['gangway_customer_id']}.{said['gangway_key']}.{said['gangway_signature']}"

        assert HandoverPage(app.test_client(), forged).answer.status_code == 404


@for_each(
    "after",
    [
        {"return_url": "javascript:alert(1)"},
        {"return_url": "https://me@evil.example/"},
        {"return_url": "http://example.com/"},
        {"allowed_return_hosts": ["https://example.com"]},
        {"allowed_return_hosts": ["*"]},
        {"redirect_seconds": 0},
    ],
)
def test_settings_that_are_not_safe_are_refused(after: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(after))):
        AfterSaving(**after)


def test_forgets_nothing_when_the_customer_gets_access_again(
    client: FlaskClient, secret: str, simulator: Simulator, rows: Rows
) -> None:
    look(client, save(client, simulator, sign(secret, returnURL=RETURN_URL)))

    answer = HandoverPage(client, sign(secret, returnURL="https://app.example.com/second")).press()

    link = way_back(look(client, answer.location))
    assert link is not None
    assert link["href"] == "https://app.example.com/second"
    assert [signup.link_id for signup in rows(Signup)] == [None]
