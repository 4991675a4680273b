"""Where Stripe takes no real payments, each public page says so, as Stripe's own page does."""

from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from app import create_app, portal
from app.apps import App
from app.core import db
from app.core.config import Settings
from app.core.db import new_id
from app.portal import cache
from app.simulator import Simulator
from tests.conftest import make_settings
from tests.support.browser import Page
from tests.support.links import make_customer, make_link
from tests.support.portal import sign_up
from tests.support.profiles import publish_profiles
from tests.support.statements import counted

TEST_MODE = "Test mode: payments aren’t real. Don’t enter a real card."
DEMO = "Demo: payments are simulated. Don’t enter a real card."
PAGES = [
    "/signup",
    "/signup?name=Ada",
    "/billing",
    "/return",
    "/cancelled",
    "/forgotten",
    "/start/x",
    "/nowhere",
]


@pytest.fixture
def settings(database_url: str) -> Settings:
    """Settings of an installation that uses Stripe itself. Tests reach the simulator all the same."""
    return make_settings(database_url=database_url, stripe_api_base="https://api.stripe.com")


def notices(client: FlaskClient, path: str = "/signup", **headers: str) -> list[str]:
    """What a page says above everything else."""
    page = Page.of(client.get(path, headers=headers))
    page.check()
    return [each.text.strip() for each in page.one("header").all("p")]


def set_live(app: Flask, *, livemode: bool = True) -> None:
    """Put the installed app in the other mode, and have this process look at it again."""
    with app.app_context():
        session = db.session()
        session.execute(sa.update(App).values(livemode=livemode))
        session.commit()
        cache.held().expire()


def install_live(app: Flask) -> str:
    """Install a second app, in live mode. Return its id."""
    id_ = new_id()
    row: dict[str, Any] = {"id": id_, "name": "Live", "stripe_account_id": "acct_live", "livemode": True}
    unused = {"api_key_sealed": "", "masked_api_key": "", "webhook_endpoint_id": "", "is_default": False}
    with app.app_context():
        session = db.session()
        session.add(App(**row, **unused))
        session.commit()
        cache.held().expire()
    return id_


def publish(app: Flask, **second: Any) -> None:
    """Publish two profiles."""
    publish_profiles(app, second=portal.Profile.model_validate(second))


@pytest.mark.parametrize("path", PAGES)
def test_is_on_each_page(client: FlaskClient, path: str) -> None:
    assert notices(client, path) == [TEST_MODE]


@pytest.mark.parametrize("path", PAGES)
def test_is_on_no_page_in_live_mode(app: Flask, client: FlaskClient, path: str) -> None:
    set_live(app)

    assert notices(client, path) == []


def test_is_on_the_pages_of_a_customer(app: Flask, client: FlaskClient, simulator: Simulator) -> None:
    simulator.save_card(sign_up(client))

    shown = [notices(client, path) for path in ("/return", "/billing", "/billing/people")]
    own = [
        notices(
            client,
            f"/start/{make_link(app, make_customer(app, key='b', subject_keys=('b',))).rsplit('/')[-1]}",
        )
    ]

    assert shown + own == [[TEST_MODE]] * 4


def test_is_in_a_frame_too(app: Flask, client: FlaskClient) -> None:
    publish_profiles(app, portal.Profile(embed_origins=("https://shop.example.com",)))

    assert notices(client, **{"Sec-Fetch-Dest": "iframe"}) == [TEST_MODE]


def test_is_nothing_to_say_without_an_app(bare_app: Flask) -> None:
    assert notices(bare_app.test_client()) == []


def test_is_that_of_the_profiles_app(app: Flask, client: FlaskClient) -> None:
    publish(app, app_id=install_live(app))

    assert [notices(client, path) for path in ("/signup", "/signup/second")] == [[TEST_MODE], []]


def test_is_that_of_the_account_which_an_uninstalled_app_left_to_its_successor(
    app: Flask, client: FlaskClient
) -> None:
    live = install_live(app)
    publish(app, app_id=live)
    with app.app_context():
        session = db.session()
        session.execute(sa.update(App).where(App.id == live).values(deleted_at=db.utcnow()))
        session.commit()
        cache.held().expire()

    assert notices(client, "/signup/second") == []


def test_is_that_of_the_app_which_a_page_is_about(
    app: Flask, client: FlaskClient, simulator: Simulator
) -> None:
    simulator.save_card(sign_up(client))
    live = install_live(app)
    customer_id = make_customer(app, key="b", subject_keys=("b",))
    publish(app, app_id=live)

    own = notices(client, "/billing"), notices(client, f"/billing?app={live}")
    links = [
        notices(client, make_link(app, customer_id, profile=profile)) for profile in ("default", "second")
    ]

    assert own == ([TEST_MODE], [])
    assert links == [[TEST_MODE], []]


def test_is_that_of_the_session_from_which_somebody_comes_back(
    app: Flask, client: FlaskClient, simulator: Simulator
) -> None:
    session_id = sign_up(client)
    customer = simulator.store.checkout_sessions[session_id]["success_url"].rpartition("customer=")[2]
    simulator.save_card(session_id)
    publish(app)
    publish_profiles(app, portal.Profile(app_id=install_live(app)))

    path = f"/return?customer={customer}&session={session_id}"

    assert notices(app.test_client(), path) == [TEST_MODE]


def test_ends_in_the_blank_form_that_was_drawn_before(app: Flask, client: FlaskClient) -> None:
    before = notices(client)
    set_live(app)

    assert (before, notices(client)) == ([TEST_MODE], [])


def test_ends_in_other_processes_after_two_seconds(
    app: Flask, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    other, now = create_app(settings), 1000.0
    monkeypatch.setattr(cache, "monotonic", lambda: now)
    first = notices(other.test_client())
    set_live(app)

    soon = notices(other.test_client())
    now += cache.MAX_AGE + 0.1
    later = notices(other.test_client())
    with other.app_context():
        db.engine().dispose()

    assert (first, soon, later) == ([TEST_MODE], [TEST_MODE], [])


def test_costs_a_page_no_statement(app: Flask, client: FlaskClient) -> None:
    client.get("/nowhere")

    with counted(app) as seen:
        assert notices(app.test_client()) == [TEST_MODE]

    assert seen.sent == []


class TestSimulated:
    """A demo has its own notice, and only that."""

    @pytest.fixture
    def settings(self, database_url: str) -> Settings:
        """Settings of a demo."""
        return make_settings(database_url=database_url)

    def test_is_called_a_demo(self, client: FlaskClient) -> None:
        assert notices(client) == [DEMO]
