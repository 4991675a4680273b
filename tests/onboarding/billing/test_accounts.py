"""A customer who pays in several Stripe accounts manages each of them, in the profile that it belongs to."""

from dataclasses import dataclass, replace
from urllib.parse import parse_qs, urlsplit

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app import portal
from app.payers import Payer
from app.simulator import Simulator
from tests.conftest import PORTAL
from tests.support.billing import (
    AMEX,
    MASTERCARD,
    VISA,
    BillingPage,
    add_method,
    after,
    plain,
    press,
    with_cards,
)
from tests.support.browser import Element, Page
from tests.support.console_customers import install_another
from tests.support.handovers import make_secret, sign
from tests.support.links import LinkPage, make_link
from tests.support.portal import session_of
from tests.support.profiles import publish_profiles
from tests.support.rows import Rows

FIRST, OTHER = "Northwind Metering", "Second Brand"
OTHERS = "Your other payment methods"


@dataclass(frozen=True)
class Ada:
    """A customer with a Visa in the default app, and a Mastercard and an American Express in a second one."""

    client: FlaskClient
    id: str
    second: str  # the app
    guest: FlaskClient  # the browser that came by a link


@pytest.fixture
def second(app: Flask, simulator: Simulator) -> str:
    """Another app, to which the second profile leads."""
    app_id = install_another(app, simulator)
    publish(app, app_id)
    return app_id


def publish(app: Flask, app_id: str | None) -> None:
    """Publish two profiles. In the second one, customers may remove their last payment method."""
    brand, billing = {"company_name": OTHER}, {"may_remove_last": True}
    profile = portal.Profile.model_validate({"app_id": app_id, "brand": brand, "billing": billing})
    publish_profiles(app, second=profile)


@pytest.fixture
def ada(app: Flask, client: FlaskClient, simulator: Simulator, second: str, rows: Rows) -> Ada:
    """Sign up by the first profile, then follow a link of the second one in another browser."""
    with_cards(client, simulator, VISA)
    [payer] = rows(Payer)
    guest = app.test_client()
    answer = LinkPage(guest, make_link(app, payer.customer_id, profile="second")).press()
    simulator.save_card(session_of(answer), MASTERCARD)
    assert guest.get("/return").status_code == 200
    add_method(guest, simulator, AMEX)
    return Ada(client, payer.customer_id, second, guest)


def accounts(page: BillingPage) -> list[Element]:
    """The other accounts that a page names."""
    return [line for line in page.page.all("li") if "account-line" in (line.get("class") or "")]


def switch(ada: Ada, page: BillingPage) -> BillingPage:
    """Press the only button that leads to another account."""
    [line] = accounts(page)
    return BillingPage(ada.client, line.one("a")["href"])


def brand(page: Page) -> str:
    return page.one("span", class_="brand-name").text


def test_are_named_by_their_company_and_methods(ada: Ada) -> None:
    page = BillingPage(ada.client)

    [line] = accounts(page)

    assert brand(page.page) == FIRST
    assert page.titles[0] == "Visa •••• 4242"
    assert plain(" ".join(line.text.split())).startswith(
        f"{OTHER} American Express •••• 0005 Mastercard •••• 4444 Manage"
    )


def test_lead_to_each_other_in_their_own_brand(ada: Ada) -> None:
    there = switch(ada, BillingPage(ada.client))
    back = switch(ada, there)

    assert (brand(there.page), brand(back.page)) == (OTHER, FIRST)
    assert there.titles[:2] == ["American Express •••• 0005", "Mastercard •••• 4444"]
    assert "Saved for Ada Lovelace Ltd at Second Brand" in there.text
    assert back.titles[0] == "Visa •••• 4242"


def test_take_changes_where_the_method_is(ada: Ada, simulator: Simulator, rows: Rows) -> None:
    there = switch(ada, BillingPage(ada.client))

    changed = after(ada.client, there.press("/billing/default", "Mastercard"))
    removed = after(ada.client, changed.removal("American Express").confirm())

    assert (brand(changed.page), brand(removed.page)) == (OTHER, OTHER)
    assert removed.titles[0] == "Mastercard •••• 4444"
    attached = [row["card"]["last4"] for row in simulator.store.payment_methods.values() if row["customer"]]
    assert sorted(attached) == ["4242", "4444"]
    defaults = {payer.app_id == ada.second: payer.default_method.last4 for payer in rows(Payer)}
    assert defaults == {False: "4242", True: "4444"}


def test_have_the_policies_of_their_own_profile(ada: Ada) -> None:
    here = BillingPage(ada.client)
    there = after(ada.client, switch(ada, here).removal("American Express").confirm())

    assert "Remove" not in here.line("Visa").text
    assert "Remove" in there.line("Mastercard").text


def test_take_another_method_in_their_own_account_and_profile(ada: Ada, simulator: Simulator) -> None:
    there = switch(ada, BillingPage(ada.client))

    opened = session_of(there.press("/resume"))
    simulator.save_card(opened, VISA)
    success = simulator.store.checkout_sessions[opened]["success_url"]
    came_back = Page.of(ada.client.get(success.removeprefix(PORTAL)))
    [link] = [each for each in came_back.all("a") if each.text == "Manage your payment methods"]

    assert parse_qs(urlsplit(success).query)["app"] == [ada.second]
    assert simulator.store.checkout_sessions[opened]["customer"] == _customer_of(simulator)
    assert brand(came_back) == OTHER
    assert "Visa •••• 4242" in BillingPage(ada.client, link["href"]).titles


def _customer_of(simulator: Simulator) -> str:
    """The Stripe customer that has the Mastercard."""
    [found] = [
        row["customer"]
        for row in simulator.store.payment_methods.values()
        if row["card"]["last4"] == "4444" and row["customer"]
    ]
    return str(found)


@pytest.fixture
def known(app: Flask, ada: Ada) -> Ada:
    """Ada in a browser that a hand-over of the second profile let in. There, that profile is her own."""
    client = app.test_client()
    token = sign(make_secret(app), profile="second", key="ada-1", email="ada@example.com")
    form = Page.of(client.get(f"/signup?handover={token}")).one("main").one("form")
    assert press(client, form).status_code == 303
    return replace(ada, client=client)


def test_are_found_from_the_profile_of_a_hand_over_too(known: Ada) -> None:
    there = BillingPage(known.client)
    back = switch(known, there)

    assert (brand(there.page), brand(back.page)) == (OTHER, FIRST)
    assert back.titles[0] == "Visa •••• 4242"


def test_are_where_stripe_leads_back_to(known: Ada, simulator: Simulator) -> None:
    opened = session_of(switch(known, BillingPage(known.client)).press("/resume"))
    simulator.save_card(opened, MASTERCARD)
    success = simulator.store.checkout_sessions[opened]["success_url"]

    came_back = Page.of(known.client.get(success.removeprefix(PORTAL)))

    assert brand(came_back) == FIRST
    assert "It replaces Visa" in plain(came_back.text)


def test_are_not_told_to_a_guest(ada: Ada) -> None:
    guest = ada.guest

    page = BillingPage(guest, f"/billing?customer={ada.id}")
    named = BillingPage(guest, f"/billing?customer={ada.id}&app={ada.second}")

    assert OTHERS not in page.text + named.text
    assert FIRST not in page.text + named.text


def test_without_methods_are_not_named(app: Flask, ada: Ada) -> None:
    there = switch(ada, BillingPage(ada.client))
    for title in ("American Express", "Mastercard"):
        there = after(ada.client, there.removal(title).confirm())

    assert OTHERS not in BillingPage(ada.client).text


def test_of_no_profile_keep_the_brand_of_the_customer(app: Flask, ada: Ada) -> None:
    publish(app, None)

    there = switch(ada, BillingPage(ada.client))

    assert brand(there.page) == OTHER  # in which the customer was led to Stripe
    assert there.titles[0] == "American Express •••• 0005"


def test_are_apart_in_the_recent_activity(ada: Ada) -> None:
    here = BillingPage(ada.client)
    there = switch(ada, here)

    assert [("4242" in each, "4444" in each) for each in (_activity(here), _activity(there))] == [
        (True, False),
        (False, True),
    ]


def _activity(page: BillingPage) -> str:
    return page.page.one("ol", class_="activity").text
