"""Ten things that go wrong, each understood and mended from the console alone, in a real browser."""

from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Page, expect

from app.simulator import DEFAULT_API_KEY, perform
from tests.browser.conftest import Place, Visit
from tests.support.walk import expect_title, go_to_stripe, save_card

DECLINED = "4000000000000002"
SECOND_CARD = "5555555555554444"


@pytest.fixture
def rooms(visit: Visit) -> Iterator[ExitStack]:
    """Browsers that stay open until the test is over."""
    with ExitStack() as stack:
        yield stack


@pytest.fixture
def customer(visit: Visit, rooms: ExitStack) -> Page:
    """The customer's browser, on Stripe's page."""
    page = rooms.enter_context(visit())
    go_to_stripe(page, "meter-1")
    return page


@pytest.fixture
def console(visit: Visit, rooms: ExitStack, place: Place) -> Page:
    """An admin's browser, logged in."""
    page = rooms.enter_context(visit())
    place.log_in(page, "admin")
    return page


def save(customer: Page, number: str = "4242424242424242") -> None:
    save_card(customer, number)
    expect_title(customer, "saved")


def look_up(console: Page, words: str = "ada@example.com") -> None:
    """Find the customer as support does: by what the caller says."""
    console.goto("/operator/customers")
    console.get_by_role("searchbox").fill(words)
    console.get_by_role("searchbox").press("Enter")
    console.get_by_role("link", name="Ada & Söhne").first.click()
    expect_title(console, "Ada")


def check(console: Page) -> None:
    console.get_by_role("button", name="Check with Stripe now").click()
    expect(console.locator(".diagnosis")).to_be_visible()


def diagnosis(console: Page, *words: str) -> None:
    """What the customer page says is the matter."""
    for word in words:
        expect(console.locator(".diagnosis")).to_contain_text(word)


def send_link(console: Page, visit: Visit, rooms: ExitStack) -> Page:
    """Make a link and open it where the customer is: in another browser."""
    console.get_by_role("button", name="link").first.click()
    url = console.get_by_label("Onboarding link", exact=True).input_value()
    page = rooms.enter_context(visit())
    page.goto(url)
    return page


def go_on(page: Page) -> None:
    page.get_by_role("button", name="Continue").click()
    expect_title(page, "Save")
    save(page)


def examine(console: Page) -> None:
    console.goto("/operator/stripe")
    console.locator("main").get_by_role("link", name="Stripe", exact=True).click()
    console.get_by_role("button", name="Check now").click()
    expect(console.get_by_role("row").nth(1)).to_be_visible()


def finding(console: Page, words: str, state: str) -> None:
    expect(console.get_by_role("row").filter(has_text=words).filter(has_text=state).first).to_be_visible()


def only(place: Place, what: str) -> str:
    """The id of the only thing of a kind that the simulated Stripe has."""
    [found] = getattr(place.simulator.store, what)
    return str(found)


def test_a_declined_card(customer: Page, console: Page, place: Place, visit: Visit, rooms: ExitStack) -> None:
    save_card(customer, DECLINED)
    expect(customer.locator("main")).to_contain_text("declined")

    look_up(console)
    check(console)
    diagnosis(console, "Declined", "bank")
    go_on(send_link(console, visit, rooms))
    look_up(console)

    diagnosis(console, "Saved", "4242")
    assert len(place.simulator.store.customers) == 1


def test_an_abandoned_session(
    customer: Page, console: Page, place: Place, visit: Visit, rooms: ExitStack
) -> None:
    place.simulator.expire_session(only(place, "checkout_sessions"))

    look_up(console)
    check(console)
    diagnosis(console, "Abandoned", "it expired")
    go_on(send_link(console, visit, rooms))
    look_up(console)

    diagnosis(console, "Saved")


def test_a_lost_link(customer: Page, console: Page, visit: Visit, rooms: ExitStack) -> None:
    look_up(console)
    lost = send_link(console, visit, rooms)
    look_up(console)
    expect(console.get_by_role("region", name="Onboarding links")).to_contain_text("Not opened")
    console.get_by_role("button", name="Renew", exact=True).click()
    url = console.get_by_label("Onboarding link", exact=True).input_value()

    lost.reload()
    expect_title(lost, "This link doesn\u2019t work")
    lost.goto(url)
    go_on(lost)
    look_up(console)

    diagnosis(console, "Saved")
    expect(console.get_by_role("region", name="Onboarding links")).to_contain_text("Used")


def test_a_card_detached_at_stripe(
    customer: Page, console: Page, place: Place, visit: Visit, rooms: ExitStack
) -> None:
    save(customer)
    place.simulator.detach_payment_method(only(place, "payment_methods"))

    look_up(console)
    check(console)
    diagnosis(console, "Removed at Stripe", "4242", "removed")
    go_on(send_link(console, visit, rooms))
    look_up(console)

    diagnosis(console, "Saved")


def test_a_customer_deleted_at_stripe(
    customer: Page, console: Page, place: Place, visit: Visit, rooms: ExitStack
) -> None:
    save(customer)
    place.simulator.delete_customer(only(place, "customers"))

    look_up(console)
    check(console)
    diagnosis(console, "Deleted at Stripe")
    go_on(send_link(console, visit, rooms))
    look_up(console)

    diagnosis(console, "Saved")
    assert [one.get("deleted", False) for one in place.simulator.store.customers.values()] == [True, False]


@pytest.mark.parametrize("deed", ["deleted", "disabled"])
def test_a_webhook_endpoint_deleted_or_disabled_at_stripe(
    customer: Page, console: Page, place: Place, deed: str
) -> None:
    endpoint = only(place, "webhook_endpoints")
    if deed == "deleted":
        place.simulator.delete_endpoint(endpoint)
    else:
        place.simulator.change_endpoint(endpoint, enabled=False)
    save(customer)
    place.simulator.choose_default(only(place, "customers"), None)  # no event reports it

    look_up(console)
    check(console)
    diagnosis(console, "No default payment method", "Events were missed")
    console.get_by_role("link", name="Check the webhook").click()
    console.get_by_role("button", name="Check now").click()
    finding(console, "endpoint", "Error")
    console.get_by_role("row").filter(has_text="Error").get_by_role("button").first.click()

    expect(console.get_by_role("table").first).not_to_contain_text("Error")
    assert [e["status"] for e in place.simulator.store.webhook_endpoints.values()] == ["enabled"]


def test_a_revoked_key(customer: Page, console: Page, place: Place) -> None:
    save(customer)
    perform(place.simulator, {"action": "add_key", "key": "sk_test_anotherkey00000000"})
    perform(place.simulator, {"action": "revoke_key", "key": DEFAULT_API_KEY})

    look_up(console)
    check(console)
    diagnosis(console, "API key")
    console.get_by_role("link", name="Replace the key").first.click()
    console.get_by_role("textbox", name="key").fill("sk_test_anotherkey00000000")
    console.get_by_role("button", name="Test and replace").click()
    look_up(console)
    check(console)

    diagnosis(console, "Saved")
    expect(console.locator(".diagnosis")).not_to_contain_text("API key")


def test_a_webhook_secret_rolled_at_stripe(customer: Page, console: Page, place: Place) -> None:
    place.simulator.roll_secret(only(place, "webhook_endpoints"))
    save(customer)
    place.simulator.choose_default(only(place, "customers"), None)

    look_up(console)
    check(console)
    diagnosis(console, "Events were missed")
    examine(console)
    examine_until(console, "Events from Stripe don't arrive")
    console.get_by_role("row").filter(has_text="Error").get_by_role("button").first.click()
    expect(console.get_by_role("main")).to_contain_text("secret")
    method = only(place, "payment_methods")
    place.simulator.choose_default(only(place, "customers"), method)
    look_up(console)

    reload_until(console, "Saved")


def test_events_missed_during_an_outage(customer: Page, console: Page, place: Place) -> None:
    save(customer)
    place.simulator.fault_settings.change({"drop_all": True})
    place.simulator.detach_payment_method(only(place, "payment_methods"))
    place.simulator.deliver_due()

    console.goto("/operator/events")
    console.get_by_role("button", name="Fetch missed events now").click()
    look_up(console)

    reload_until(console, "Removed at Stripe")
    diagnosis(console, "Events were missed")


def test_two_cards(customer: Page, console: Page, place: Place) -> None:
    save(customer)
    until = datetime.now(UTC) + timedelta(days=900)
    place.simulator.attach_card(
        only(place, "customers"), SECOND_CARD, month=until.month, year=until.year, default=True
    )

    look_up(console)
    check(console)
    diagnosis(console, "Saved", "Two methods are attached", "4444", "Dashboard")
    console.get_by_role("button", name="Make default").first.click()

    diagnosis(console, "4242")
    [stripe_customer] = place.simulator.store.customers.values()
    default = stripe_customer["invoice_settings"]["default_payment_method"]
    assert place.simulator.store.payment_methods[default]["card"]["last4"] == "4242"


def examine_until(console: Page, words: str) -> None:
    """What was sent just now may still be on its way: look again until it is found missing."""
    for _ in range(60):
        if words in console.get_by_role("table").first.inner_text():
            return
        console.wait_for_timeout(500)
        console.get_by_role("button", name="Check now").click()
    expect(console.get_by_role("table").first).to_contain_text(words)


def reload_until(console: Page, words: str) -> None:
    """The worker is at it: look again until it is done."""
    for _ in range(60):
        if words in console.locator(".diagnosis").inner_text():
            return
        console.wait_for_timeout(250)
        console.reload()
    diagnosis(console, words)
