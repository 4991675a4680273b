"""Pages that are enlarged, printed, or used without a mouse."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from app.core import db
from app.core.db import new_id
from app.customers import Customer
from app.customers.models import SubjectKey
from tests.browser.conftest import Place, Visit
from tests.support.walk import expect_title, go_to_stripe, save_card

MAX_STEPS = 120
LONG = "W" * 256
MANY = 1000  # subject keys of one customer
# Where the focus is: its place on the page, and whether a line around it shows that.
FOCUS = """() => {
    const it = document.activeElement, box = it.getBoundingClientRect(), look = getComputedStyle(it);
    const order = [...document.querySelectorAll("*")].indexOf(it);
    const seen = box.right > 0 && box.left < innerWidth && box.bottom > 0 && box.top < innerHeight;
    const own = it.type === "date"; // its last stop is a button of the browser's, which draws its own line
    return [order, it.outerHTML.slice(0, 80), seen && (own || look.outlineStyle !== "none")];
}"""


@pytest.fixture
def paid(visit: Visit) -> Iterator[Page]:
    """A browser that has saved a card."""
    with visit() as page:
        go_to_stripe(page, "device-1")
        save_card(page)
        expect_title(page, "Your payment method is saved")
        yield page


@pytest.fixture
def long_id(place: Place) -> str:
    """The id of a customer with the longest name and email that there can be, and many subject keys."""
    with place.app.app_context():
        session = db.session()
        db.start_write(session)
        customer = Customer(id=new_id(), name=LONG, primary_email=f"{'m' * 64}@{'w' * 60}.example.com")
        session.add(customer)
        session.flush()
        for number in range(MANY):
            session.add(SubjectKey(customer_id=customer.id, key=f"meter_{number}_{'k' * 200}"))
        session.commit()
        return customer.id


def wide(page: Page, *paths: str) -> list[str]:
    """The pages that are wider than the window, with text as it is and twice as large."""
    found = []
    for path in paths:
        page.goto(path)
        for size in ("100%", "200%"):
            page.set_viewport_size({"width": 320 if size == "100%" else 640, "height": 256})
            page.evaluate("size => document.documentElement.style.setProperty('font-size', size)", size)
            over = page.evaluate(
                "document.documentElement.scrollWidth - document.documentElement.clientWidth"
            )
            if over > 0:
                found.append(f"{path} at {size}: {over}")
    return found


def walk(page: Page, *paths: str) -> list[str]:
    """What is wrong with the way of the Tab key through pages: its order, or a focus that is not seen."""
    found = []
    for path in paths:
        page.goto(path)
        before, first = -1, None
        for _ in range(MAX_STEPS):
            page.keyboard.press("Tab")
            order, html, is_seen = page.evaluate(FOCUS)
            if html == first or html.startswith("<body"):
                break
            first = first or html
            if order < before:  # a date has several stops
                found.append(f"{path}: goes back to {html}")
            if not is_seen:
                found.append(f"{path}: unseen {html}")
            before = order
    return found


@pytest.fixture
def public(paid: Page) -> list[str]:
    """The addresses of the public pages, for somebody who has saved a card."""
    paid.goto("/billing")
    links = [paid.get_by_role("link", name=name) for name in ("Change these details", "People with access")]
    linked = [link.get_attribute("href") or "" for link in links]
    return ["/signup", "/return", "/billing", *linked, "/forgotten", "/nowhere"]


@pytest.fixture
def console(place: Place, paid: Page, long_id: str) -> list[str]:
    """The addresses of the console's pages, for an admin."""
    place.log_in(paid, "admin")
    customers = f"/operator/customers/{long_id}", f"/operator/customers/{long_id}/edit"
    names = ("", "customers", "events", "audit", "stripe", "portal", "team", "tokens", "account")
    return [*customers, *(f"/operator/{name}" for name in names)]


def test_fits_however_far_it_is_enlarged(paid: Page, public: list[str], console: list[str]) -> None:
    assert wide(paid, *public, *console) == []


def test_keys_reach_everything_in_order(paid: Page, public: list[str], console: list[str]) -> None:
    assert walk(paid, *public, *console) == []


def test_the_first_key_leads_past_the_header(paid: Page) -> None:
    paid.goto("/signup")

    paid.keyboard.press("Tab")
    paid.keyboard.press("Enter")
    paid.keyboard.press("Tab")

    assert paid.evaluate("document.querySelector('main').contains(document.activeElement)")


def test_paper_shows_a_card_without_its_ground(paid: Page) -> None:
    paid.emulate_media(media="print")

    look = paid.locator(".method").evaluate(
        "it => [getComputedStyle(it).backgroundImage, getComputedStyle(it).color]"
    )
    assert look == ["none", paid.locator("h1").evaluate("it => getComputedStyle(it).color")]
    expect(paid.locator(".actions")).to_be_hidden()
