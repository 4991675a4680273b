"""What only a script does in the console: copying ids, and times in the reader's zone."""

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import Place, Visit
from tests.support.people import Person

UTC = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d(:\d\d)? UTC")


@pytest.fixture
def path(place: Place) -> str:
    """The page of a customer who saved a card."""
    person = Person.sign_up(place.app, place.simulator)
    person.save_card()
    person.return_to_portal()
    return f"/operator/customers/{person.payer.customer_id}"


def test_each_id_is_copied_by_the_button_beside_it(visit: Visit, place: Place, path: str) -> None:
    with visit(permissions=["clipboard-read", "clipboard-write"]) as page:
        place.log_in(page)
        page.goto(path)
        ids, copied = [], []
        for one in page.locator("[data-copy-id]:visible").all():
            one.get_by_role("button").click()
            expect(one.get_by_role("status")).to_have_text("Copied to the clipboard.")
            ids.append(str(one.get_attribute("data-copy-id")))
            copied.append(page.evaluate("navigator.clipboard.readText()"))

    assert copied == ids
    assert any(found.startswith("cus_") for found in copied)


def test_without_scripts_an_id_has_no_button(visit: Visit, place: Place, path: str) -> None:
    with visit(java_script_enabled=False) as page:
        place.log_in(page)
        page.goto(path)

        expect(page.locator("[data-copy-id]").first).to_contain_text(re.compile(r"\w{10}"))
        expect(page.locator("[data-copy-id] button")).to_have_count(0)
        expect(page.locator("[data-zone]")).to_have_text("Times are UTC.")


def test_the_choice_of_a_zone_outlasts_the_page(visit: Visit, place: Place, path: str) -> None:
    with visit(timezone_id="Asia/Tokyo", locale="en-GB") as page:
        place.log_in(page)
        page.goto(path)
        expect(page.locator("[data-zone]")).to_contain_text("Times are in your zone, Asia/Tokyo.")
        exact = [str(one.get_attribute("title")) for one in times(page)]
        shown = [one.inner_text() for one in times(page)]

        page.get_by_role("button", name="Show UTC").click()
        in_utc = [one.inner_text() for one in times(page)]
        page.reload()
        expect(page.locator("[data-zone]")).to_contain_text("Times are UTC.")
        after_reload = [one.inner_text() for one in times(page)]
        page.goto("/operator/audit")
        expect(page.locator("[data-zone]")).to_contain_text("Times are UTC.")
        page.get_by_role("button", name="Show my zone").click()
        page.goto(path)
        expect(page.locator("[data-zone]")).to_contain_text("Asia/Tokyo")

    assert exact
    assert [one for one in exact if not UTC.search(one)] == []
    assert [one for one in shown if "UTC" in one] == []
    assert exact == in_utc
    assert [one for one in after_reload if not UTC.search(one)] == []


def times(page: Page) -> list[Locator]:
    """The times of the page that are moments, not ages."""
    return page.locator("main time[datetime]:not([data-ago])").all()
