"""Pages that are enlarged, printed, or used without a mouse."""

from collections.abc import Iterator
from typing import Literal

import pytest
from playwright.sync_api import Page, expect

from app.core import db
from app.core.db import new_id
from app.customers import Customer
from app.customers.models import SubjectKey
from app.web import mail
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


def test_keys_reach_everything_in_the_preview(place: Place, visit: Visit) -> None:
    with visit() as page:
        place.log_in(page, "admin")
        paths = [f"/operator/portal/profiles/default/preview/{name}?stay=1" for name in ("signup", "saved")]
        assert walk(page, *paths) == []


def test_keys_reach_everything_on_the_way_to_a_code(place: Place, visit: Visit) -> None:
    place.app.extensions[mail.EXTENSION] = mail.Mailbox()
    try:
        with visit() as page:
            found = walk(page, "/billing")
            page.goto("/billing")
            press(page, "textbox", "Email address")
            page.keyboard.type("ada@example.com")
            page.keyboard.press("Enter")
            expect_title(page, "Enter your code")
            found += walk(page, "/billing/code", "/billing/code?language=ar")
            page.goto("/billing/code?language=en")
            press(page, "textbox", "Code")
            page.keyboard.type("000000")
            press(page, "button", "Continue")
            page.keyboard.press("Enter")
            expect(page.locator("main")).to_contain_text("This code isn’t right")
    finally:
        del place.app.extensions[mail.EXTENSION]

    assert found == []


@pytest.mark.parametrize("path", ["/signup", "/return", "/billing"])
def test_keys_change_the_language(paid: Page, path: str) -> None:
    paid.goto(path)

    press(paid, "link", "Deutsch")
    paid.keyboard.press("Enter")

    expect(paid.locator("html")).to_have_attribute("lang", "de")
    press(paid, "link", "العربية")
    paid.keyboard.press("Enter")
    expect(paid.locator("html")).to_have_attribute("dir", "rtl")
    assert walk(paid, path) == []


def press(page: Page, role: Literal["button", "link", "textbox"], name: str) -> None:
    """Press Tab until a control has the focus."""
    wanted = page.get_by_role(role, name=name, exact=True)
    for _ in range(MAX_STEPS):
        page.keyboard.press("Tab")
        if wanted.evaluate("it => it === document.activeElement"):
            return
    pytest.fail(f"no Tab reaches {name}")


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


@pytest.mark.parametrize("path", ["/return", "/billing", "/signup?new=1"])
def test_paper_is_white_where_the_screen_is_dark(paid: Page, path: str) -> None:
    paid.goto(path)
    looks = []
    for scheme in ("light", "dark"):
        paid.emulate_media(media="print", color_scheme=scheme)
        looks.append(
            paid.evaluate(
                "() => [document.documentElement, ...document.querySelectorAll('h1, p, dd, input')].map(it =>"
                " [getComputedStyle(it).color, getComputedStyle(it).backgroundColor])"
            )
        )

    assert looks[0] == looks[1]
