"""An onboarding link in a real browser: opened by a program, then by a person."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Place, Visit
from tests.support.links import find, make_customer, make_link, revoke
from tests.support.walk import PHONE, expect_title, findings_everywhere, follow, save_card


@pytest.fixture
def path(place: Place) -> str:
    """The path of a link for somebody who is not at Stripe yet."""
    return make_link(place.app, make_customer(place.app))


def press(page: Page, path: str) -> None:
    page.goto(path)
    page.get_by_role("button", name="Continue to Stripe").click()
    expect_title(page, "Save")


@pytest.mark.parametrize("javascript", [True, False])
def test_leads_to_a_saved_card(visit: Visit, place: Place, path: str, *, javascript: bool) -> None:
    with visit(java_script_enabled=javascript, viewport=PHONE) as page:
        press(page, path)
        save_card(page)
        expect_title(page, "saved")
        expect(page.get_by_text("4242").first).to_be_visible()
        page.goto(path)

        expect_title(page, "You\u2019re all set")
        expect(page.locator("main")).to_contain_text("4242")
    assert len(place.simulator.store.customers) == 1


def test_is_opened_by_a_hand_and_not_by_a_program(visit: Visit, place: Place, path: str) -> None:
    with visit() as page:
        page.goto(path, wait_until="networkidle")
        page.evaluate("scrollTo(0, 500); dispatchEvent(new Event('pointermove'))")
        page.screenshot(full_page=True)
        before = find(place.app, path).opened_at

        with page.expect_event("requestfinished", lambda request: request.url.endswith("/opened")):
            page.mouse.move(100, 200)
        opened_at = find(place.app, path).opened_at
        page.mouse.move(120, 220)
        page.keyboard.press("Tab")

        assert before is None
        assert opened_at is not None
        assert find(place.app, path).opened_at == opened_at
        assert find(place.app, path).used_at is None


def test_of_two_people_each_gets_on(visit: Visit, place: Place, path: str) -> None:
    with visit() as one, visit() as other:
        press(one, path)
        press(other, path)
        save_card(other)
        expect_title(other, "saved")
        one.goto("/return")

        expect_title(one, "saved")
    assert len(place.simulator.store.customers) == len(place.simulator.store.checkout_sessions) == 1


def test_shows_no_card_in_a_browser_that_came_later(visit: Visit, path: str) -> None:
    with visit() as page:
        press(page, path)
        save_card(page)
        expect_title(page, "saved")
    with visit() as other:
        other.goto(path)
        expect_title(other, "You\u2019re all set")
        other.get_by_role("button", name="Check").click()

        expect_title(other, "You\u2019re all set")
        expect(other.locator("body")).not_to_contain_text("4242")


def test_tells_nobody_its_address(visit: Visit, place: Place, path: str) -> None:
    with visit() as page:
        referrers: list[str | None] = []
        page.on("request", lambda request: referrers.append(request.headers.get("referer")))
        press(page, path)

    token = path.rsplit("/", 1)[-1]
    assert len(referrers) > 4
    assert [referrer for referrer in referrers if referrer and token in referrer] == []


def test_every_page_is_accessible_and_second_thoughts_lose_nothing(
    visit: Visit, place: Place, path: str
) -> None:
    found: list[str] = []
    with visit() as page:
        page.goto(path)
        found += findings_everywhere(page)
        page.context.clear_cookies()
        page.get_by_role("button", name="Continue").click()
        expect(page.locator("main")).to_contain_text("press the button again")
        found += findings_everywhere(page)
        page.get_by_role("button", name="Continue").click()
        expect_title(page, "Save")
        follow(page, page.get_by_role("link", name="Back"))
        expect_title(page, "added a payment method yet")
        found += findings_everywhere(page)
        page.get_by_role("button", name="Continue").click()
        save_card(page)
        expect_title(page, "saved")
        assert len(place.simulator.store.checkout_sessions) == 1
        found += findings_everywhere(page)
        page.goto(path)
        expect_title(page, "You\u2019re all set")
        found += findings_everywhere(page)
        revoke(place.app, path)
        page.goto(path)
        expect_title(page, "This link doesn\u2019t work")
        found += findings_everywhere(page)

    assert found == []
