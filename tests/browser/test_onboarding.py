"""The whole way, as a person goes it: with detours, in two tabs; and all its pages are for everybody."""

import pytest
from playwright.sync_api import expect

from app.simulator import DEFAULT_API_KEY
from tests.browser.conftest import Place, Visit
from tests.support.people import Person
from tests.support.walk import (
    expect_title,
    fill_details,
    findings_everywhere,
    follow,
    go_to_stripe,
    save_card,
)


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
    [customer] = place.simulator.store.customers.values()
    assert customer["name"] == "Ada Ltd"


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
    assert len(place.simulator.store.customers) == 1


def test_a_double_click_makes_one_customer(visit: Visit, place: Place) -> None:
    with visit(java_script_enabled=False) as page:
        fill_details(page, "meter-1")
        page.get_by_role("button", name="Continue to payment").dblclick()
        expect_title(page, "Save")
    assert len(place.simulator.store.customers) == 1


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


def test_every_page_is_accessible_and_detours_lose_nothing(visit: Visit, place: Place) -> None:
    found: list[str] = []
    with visit() as page:
        page.goto("/signup")
        found += findings_everywhere(page)
        follow(page, page.get_by_role("button", name="Continue to payment"))
        found += findings_everywhere(page)
        page.goto("/return")
        found += findings_everywhere(page)
        page.goto("/no-such-page")
        found += findings_everywhere(page)
        go_to_stripe(page, "meter-1")
        found += findings_everywhere(page)
        follow(page, page.get_by_role("link", name="Back"))
        expect_title(page, "added a payment method yet")
        found += findings_everywhere(page)
        page.goto("/return")
        found += findings_everywhere(page)
        page.get_by_role("button", name="Continue").click()
        save_card(page, "4000000000009995")
        expect(page.locator("main")).to_contain_text("insufficient funds")
        found += findings_everywhere(page)
        page.goto("/return")
        expect_title(page, "wasn\u2019t saved")
        expect(page.locator("main")).to_contain_text("insufficient funds")
        found += findings_everywhere(page)
        page.get_by_role("button", name="Try again").click()
        save_card(page, "4000002760003184")
        expect(page.get_by_role("button", name="Complete")).to_be_visible()
        found += findings_everywhere(page)
        page.get_by_role("button", name="Complete").click()
        expect_title(page, "saved")
        assert len(place.simulator.store.customers) == len(place.simulator.store.checkout_sessions) == 1
        found += findings_everywhere(page)
        page.goto("/signup")
        expect_title(page, "already set up")
        found += findings_everywhere(page)
        page.get_by_role("button", name="Forget this browser").click()
        expect_title(page, "forgotten")
        found += findings_everywhere(page)

    assert found == []


def test_every_page_of_the_simulated_stripe_is_accessible(visit: Visit, place: Place) -> None:
    person = Person.sign_up(place.app, place.simulator)
    checkout = f"{place.stripe}/c/pay/{person.session_id}"
    key = {"Authorization": f"Bearer {DEFAULT_API_KEY}"}
    found: list[str] = []
    with visit() as page:
        page.goto(checkout)
        follow(page, page.get_by_role("link", name="SEPA Direct Debit"))
        found += findings_everywhere(page)
        place.simulator.pay_by_bank(person.session_id, verify="later")
        page.goto(checkout)
        expect_title(page, "all done here")
        found += findings_everywhere(page)
        [intent] = place.simulator.store.setup_intents.values()
        page.goto(intent["next_action"]["verify_with_microdeposits"]["hosted_verification_url"])
        found += findings_everywhere(page)
        follow(page, page.get_by_role("button"))
        found += findings_everywhere(page)
        place.simulator.attach_card(person.stripe_customer_id, "4242424242424242")
        customer: dict[str, str | float | bool] = {"customer": person.stripe_customer_id}
        answer = page.request.post(f"{place.stripe}/v1/billing_portal/sessions", headers=key, form=customer)
        page.goto(answer.json()["url"])
        found += findings_everywhere(page)
        page.goto(f"{place.stripe}/_control")
        found += findings_everywhere(page)

    assert found == []


def test_pages_are_light(visit: Visit) -> None:
    with visit() as page:
        sizes: list[int] = []
        page.on("response", lambda response: sizes.append(len(response.body())))
        page.goto("/signup", wait_until="networkidle")

        assert sum(sizes) < 50_000
