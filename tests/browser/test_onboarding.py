"""The whole way, as a person goes it: with JavaScript, without, on a phone, in the dark, with detours."""

from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Place, Visit
from tests.support.walk import expect_title, fill_details, findings, go_to_stripe, save_card

PHONE = {"viewport": {"width": 390, "height": 844}}


@pytest.mark.parametrize("javascript", [True, False])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_leads_from_the_form_to_a_saved_card(
    visit: Visit, place: Place, scheme: str, *, javascript: bool
) -> None:
    with visit(java_script_enabled=javascript, color_scheme=scheme, **PHONE) as page:
        go_to_stripe(page, "meter-1")
        save_card(page)

        expect_title(page, "saved")
        expect(page.get_by_text("4242").first).to_be_visible()
        expect(page.get_by_text("12/2040").first).to_be_visible()
    [customer] = place.simulator.books.customers.values()
    assert customer["invoice_settings"]["default_payment_method"] is not None


@pytest.mark.parametrize(
    ("number", "words"),
    [
        ("4000000000000002", "declined"),
        ("4000000000009995", "insufficient funds"),
        ("4000000000000069", "expired"),
        ("4000000000000127", "security code"),
    ],
)
def test_a_declined_card_is_told_and_another_is_taken(visit: Visit, number: str, words: str) -> None:
    with visit() as page:
        go_to_stripe(page, "meter-1")
        save_card(page, number)
        expect(page.locator("main")).to_contain_text(words)
        page.goto("/return")
        expect_title(page, "not saved")
        expect(page.locator("main")).to_contain_text(words)

        page.get_by_role("button", name="Try again").click()
        save_card(page)

        expect_title(page, "saved")


def test_asks_for_three_d_secure_and_takes_its_outcome(visit: Visit) -> None:
    with visit() as page:
        go_to_stripe(page, "meter-1")
        save_card(page, "4000002760003184")
        page.get_by_role("button", name="Fail").click()
        expect(page.locator("main")).to_contain_text("unable to authenticate")

        save_card(page, "4000002760003184")
        page.get_by_role("button", name="Complete").click()

        expect_title(page, "saved")


def test_back_from_stripe_keeps_what_was_typed_and_makes_no_second_customer(
    visit: Visit, place: Place
) -> None:
    with visit() as page:
        go_to_stripe(page, "meter-1")
        page.go_back()
        expect(page.get_by_label("Company or your name")).to_have_value("Ada & Söhne GmbH")
        page.get_by_label("Company or your name").fill("Ada Ltd")
        page.get_by_role("button", name="Continue to payment").click()
        save_card(page)

        expect_title(page, "saved")
        expect(page.locator("main")).to_contain_text("Ada Ltd")
    [customer] = place.simulator.books.customers.values()
    assert customer["name"] == "Ada Ltd"


def test_stripes_own_way_back_loses_nothing(visit: Visit, place: Place) -> None:
    with visit() as page:
        go_to_stripe(page, "meter-1")
        page.get_by_role("link", name="Back").click()
        expect_title(page, "lost")

        page.get_by_role("button", name="Continue").click()
        save_card(page)

        expect_title(page, "saved")
    assert len(place.simulator.books.customers) == len(place.simulator.books.checkout_sessions) == 1


def test_two_tabs_make_one_customer(visit: Visit, place: Place) -> None:
    with visit() as first:
        second = first.context.new_page()
        fill_details(first, "meter-1")
        fill_details(second, "meter-1")
        for page in (first, second):
            page.get_by_role("button", name="Continue to payment").click()
            expect_title(page, "Save")
        save_card(second)

        expect_title(second, "saved")
    assert len(place.simulator.books.customers) == 1


def test_a_double_click_makes_one_customer(visit: Visit, place: Place) -> None:
    with visit(java_script_enabled=False) as page:
        fill_details(page, "meter-1")
        page.get_by_role("button", name="Continue to payment").dblclick()
        expect_title(page, "Save")
    assert len(place.simulator.books.customers) == 1


def test_enter_in_a_field_continues(visit: Visit) -> None:
    with visit() as page:
        fill_details(page, "meter-1")
        page.locator("[name=subject_keys]").first.press("Enter")

        expect_title(page, "Save")


@pytest.mark.parametrize("javascript", [True, False])
def test_adds_lines_for_more_subject_keys(visit: Visit, place: Place, *, javascript: bool) -> None:
    with visit(java_script_enabled=javascript) as page:
        fill_details(page, "meter-1")
        page.get_by_role("button", name="Add another").click()
        page.locator("[name=subject_keys]").nth(1).fill("meter-2")
        page.get_by_role("button", name="Continue to payment").click()
        save_card(page)

        expect(page.locator("main")).to_contain_text("meter-2")


def test_a_stranger_learns_nothing(visit: Visit) -> None:
    with visit() as page:
        go_to_stripe(page, "meter-1")
        save_card(page)
        expect_title(page, "saved")
        address = page.url
    with visit() as stranger:
        stranger.goto(address)

        expect(stranger.locator("body")).not_to_contain_text("Ada")
        expect(stranger.locator("body")).not_to_contain_text("4242")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_every_page_is_accessible(visit: Visit, scheme: str, width: int) -> None:
    options: dict[str, Any] = {"color_scheme": scheme, "viewport": {"width": width, "height": 900}}
    found: list[str] = []
    with visit(**options) as page:
        page.goto("/signup")
        found += findings(page)
        page.get_by_role("button", name="Continue to payment").click()
        found += findings(page)
        page.goto("/return")
        found += findings(page)
        page.goto("/no-such-page")
        found += findings(page)
        go_to_stripe(page, "meter-1")
        found += findings(page)
        page.get_by_role("link", name="Back").click()
        found += findings(page)
        page.goto("/return")
        found += findings(page)
        page.get_by_role("button", name="Continue").click()
        save_card(page, "4000000000000002")
        found += findings(page)
        page.goto("/return")
        found += findings(page)
        page.get_by_role("button", name="Try again").click()
        save_card(page, "4000002760003184")
        found += findings(page)
        page.get_by_role("button", name="Complete").click()
        expect_title(page, "saved")
        found += findings(page)

    assert found == []


def test_pages_are_light(visit: Visit) -> None:
    with visit() as page:
        sizes: list[int] = []
        page.on("response", lambda response: sizes.append(len(response.body())))
        page.goto("/signup", wait_until="networkidle")

        assert sum(sizes) < 50_000
