"""A program makes links, lists and revokes them."""

from datetime import datetime, timedelta
from urllib.parse import urlsplit

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient

from app import apps, portal
from app.audit import Entry
from app.core import db
from app.core.db import new_id, utcnow
from app.onboarding.links import OnboardingLink
from app.onboarding.models import Signup
from app.simulator import Simulator, add_account, add_key
from tests.conftest import PORTAL
from tests.support.api import Api, wrong_fields
from tests.support.billing import BillingPage
from tests.support.browser import Element, Page
from tests.support.cases import for_each
from tests.support.console import post, sign_in
from tests.support.links import LinkPage, go_to_stripe, make_customer
from tests.support.marketplace import SECOND_ACCOUNT, SECOND_KEY
from tests.support.portal import sign_up
from tests.support.profiles import publish_profiles
from tests.support.rows import Rows
from tests.support.tokens import bearer

RETURN_URL = "https://app.example.com/billing?from=gangway"
OTHER_URL = "https://other.example.com/"
PLACE = {"returnURL": RETURN_URL, "returnLabel": "Engines"}


@pytest.fixture
def api(app: Flask) -> Api:
    """The company's server, with a token that may write."""
    return Api(app.test_client(), bearer(app, "write"))


@pytest.fixture
def path(app: Flask) -> str:
    """Where a customer's links are."""
    return links_of(make_customer(app))


def links_of(customer: str) -> str:
    return f"/customers/{customer}/onboarding/links"


def make(api: Api, path: str, **more: object) -> str:
    """Return the path of a new link."""
    made = api.post(path, more)
    assert made.status_code == 201, made.get_json()
    return urlsplit(str(made.get_json()["url"])).path


def publish(app: Flask, **after: object) -> None:
    """Publish a second profile, with these settings for the time after saving."""
    publish_profiles(app, berlin=portal.Profile(after=portal.AfterSaving.model_validate(after)))


def way_back(page: Page) -> Element | None:
    """The link that leads on to the company's app."""
    return next((link for link in page.all("a") if link.text.startswith("Continue to")), None)


def test_answers_with_the_url_and_what_was_said(app: Flask, api: Api, path: str, rows: Rows) -> None:
    publish(app)

    made = api.post(path, PLACE | {"profile": "berlin"}).get_json()

    [link] = rows(OnboardingLink)
    assert made.items() >= (PLACE | {"id": link.id, "profile": "berlin", "state": "open"}).items()
    assert made["customerId"] == link.customer_id
    assert made["url"].startswith("http://127.0.0.1:8000/start/")
    assert link.created_by.startswith("token:")
    assert [entry.actor for entry in rows(Entry) if entry.kind == "link.created"] == [link.created_by]


def test_leads_back_to_the_app(
    api: Api, path: str, client: FlaskClient, simulator: Simulator, rows: Rows
) -> None:
    simulator.save_card(go_to_stripe(client, make(api, path, **PLACE)), "4242424242424242")

    saved, billing = Page.of(client.get("/return")), BillingPage(client).page

    for page in (saved, billing):
        link = way_back(page)
        assert link is not None
        assert (link.text, link["href"]) == ("Continue to Engines", RETURN_URL)
    assert [row.return_url for row in rows(Signup)] == [RETURN_URL]


def test_the_link_that_was_opened_last_decides(api: Api, path: str, client: FlaskClient, rows: Rows) -> None:
    for more in (PLACE, {"returnURL": OTHER_URL}):
        go_to_stripe(client, make(api, path, **more))

    [bound] = rows(Signup)
    assert (bound.return_url, bound.return_label) == (OTHER_URL, None)

    go_to_stripe(client, make(api, path))

    assert [row.return_url for row in rows(Signup)] == [None]


def test_leads_the_browser_back_that_signed_up(app: Flask, api: Api, client: FlaskClient, rows: Rows) -> None:
    sign_up(client)
    [own] = rows(Signup)

    go_to_stripe(client, make(api, links_of(own.customer_id), **PLACE))
    go_to_stripe(client, make(api, links_of(own.customer_id)))

    [bound] = rows(Signup)
    assert not bound.is_guest
    assert (bound.return_url, bound.return_label) == (RETURN_URL, "Engines")


def test_leads_no_other_browser_back(app: Flask, api: Api, client: FlaskClient, rows: Rows) -> None:
    sign_up(client)
    [own] = rows(Signup)

    go_to_stripe(app.test_client(), make(api, links_of(own.customer_id), **PLACE))

    assert {row.link_id is None: row.return_url for row in rows(Signup)} == {True: None, False: RETURN_URL}


def test_a_renewed_link_leads_back_too(app: Flask, api: Api, path: str, rows: Rows) -> None:
    make(api, path, **PLACE)
    [link] = rows(OnboardingLink)

    post(sign_in(app, "operator"), f"/operator/customers/{link.customer_id}/links/{link.id}/renew")

    newer = next(row for row in rows(OnboardingLink) if row.id != link.id)
    assert (newer.return_url, newer.return_label) == (RETURN_URL, "Engines")


def test_a_renewed_link_stays_in_its_app(
    app: Flask, api: Api, path: str, simulator: Simulator, rows: Rows
) -> None:
    add_account(simulator.store, SECOND_ACCOUNT, 1)
    add_key(simulator.store, SECOND_KEY, account=SECOND_ACCOUNT)
    with app.app_context():
        session = db.session()
        second = apps.install(session, SECOND_KEY, public_url=PORTAL, actor="test").id
        session.commit()
    make(api, path, appId=second)
    [link] = rows(OnboardingLink)

    post(sign_in(app, "operator"), f"/operator/customers/{link.customer_id}/links/{link.id}/renew")

    assert [row.app_id for row in rows(OnboardingLink)] == [second, second]


def test_ends_when_it_says(api: Api, path: str, client: FlaskClient, clock: time_machine.Traveller) -> None:
    usual = api.post(path, {}).get_json()
    link = make(api, path, expiresInSeconds=600)

    assert datetime.fromisoformat(usual["expiresAt"]) > utcnow() + timedelta(days=1)
    clock.shift(timedelta(minutes=9))
    before = LinkPage(client, link).answer.status_code
    clock.shift(timedelta(minutes=2))
    assert before == 200
    assert LinkPage(client, link).answer.status_code == 410


def test_makes_one_link_for_one_idempotency_key(api: Api, path: str, rows: Rows) -> None:
    first, second = (api.post(path, PLACE, key="one").get_json() for _ in range(2))

    assert first == second
    assert len(rows(OnboardingLink)) == 1


def test_lists_links_without_their_urls(api: Api, path: str) -> None:
    older, newer = (api.post(path, {"returnURL": url}).get_json() for url in (RETURN_URL, OTHER_URL))

    listed = api.get(path).get_json()

    assert listed == [{name: link[name] for name in link if name != "url"} for link in (newer, older)]


def test_revokes_a_link(api: Api, path: str, client: FlaskClient, rows: Rows) -> None:
    link = make(api, path)
    [row] = rows(OnboardingLink)

    answers = [api.delete(f"{path}/{name}").status_code for name in (row.id.lower(), row.id)]

    assert answers == [204, 204]
    assert LinkPage(client, link).answer.status_code == 404
    assert [each["state"] for each in api.get(path).get_json()] == ["revoked"]


def test_revokes_no_link_of_somebody_else(app: Flask, api: Api, path: str, rows: Rows) -> None:
    make(api, path)
    stranger = links_of(make_customer(app, key="bob-1", subject_keys=("engine-2",)))

    answers = [api.delete(f"{stranger}/{id_}").status_code for id_ in (rows(OnboardingLink)[0].id, "none")]

    assert answers == [404, 404]
    assert rows(OnboardingLink)[0].revoked_at is None


@for_each(
    ("body", "field"),
    [
        ({"profile": "none-such"}, "/profile"),
        ({"profile": "Bad Slug"}, "/profile"),
        ({"returnURL": "javascript:alert(1)"}, "/returnURL"),
        ({"returnURL": "https://me@evil.example"}, "/returnURL"),
        ({"returnURL": OTHER_URL, "profile": "berlin"}, "/returnURL"),
        ({"returnLabel": "\u200b"}, "/returnLabel"),
        ({"returnLabel": "x" * 81}, "/returnLabel"),
        ({"returnLabel": "\ud800"}, "/returnLabel"),
        ({"expiresInSeconds": 59}, "/expiresInSeconds"),
        ({"expiresInSeconds": 366 * 24 * 3600 + 1}, "/expiresInSeconds"),
    ],
)
def test_refuses_what_could_not_be_used(
    app: Flask, api: Api, path: str, rows: Rows, body: dict[str, object], field: str
) -> None:
    publish(app, allowed_return_hosts=["app.example.com"])

    answer = api.post(path, body)

    assert answer.status_code == 400, answer.get_json()
    assert wrong_fields(answer) == {field}
    assert rows(OnboardingLink) == []


def test_needs_a_customer_and_an_app_that_are_there(app: Flask, api: Api, path: str) -> None:
    assert api.post(links_of("none"), {}).status_code == 404
    assert api.get(links_of("none")).status_code == 404
    assert api.post(path, {"appId": new_id()}).status_code == 404
    api.delete(path.removesuffix("/onboarding/links"))
    assert api.post(path, {}).status_code == 412


def test_needs_a_token_that_may_write(app: Flask, path: str) -> None:
    reader = Api(app.test_client(), bearer(app, "read"))

    assert reader.post(path, {}).status_code == 403
    assert reader.delete(f"{path}/{new_id()}").status_code == 403
    assert reader.get(path).status_code == 200
