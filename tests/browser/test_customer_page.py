"""The page of a customer in the console, in a real browser: for everybody, by keyboard, without scripts."""

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Place, Visit
from tests.support.console import post
from tests.support.people import Person
from tests.support.walk import DESKTOP, PHONE, findings_everywhere

Deed = Callable[[Place, Person], object]


def saves(place: Place, person: Person) -> None:
    """Save a card, and let the portal know."""
    person.save_card()
    person.return_to_portal()


def with_card(deed: Callable[[Place, Person, str], object]) -> Deed:
    """Save a card; then something happens to it."""

    def done(place: Place, person: Person) -> None:
        saves(place, person)
        deed(place, person, str(person.stripe_default))

    return done


STATES: dict[str, Deed] = {
    "On Stripe's page": lambda _place, _person: None,
    "Declined": lambda _place, person: person.save_card("4000000000009995"),
    "3-D Secure unfinished": lambda _place, person: person.save_card("4000002500003155"),
    "Waiting for the bank": lambda place, person: place.simulator.pay_by_bank(
        person.session_id, verify="later"
    ),
    "Abandoned": lambda place, person: place.simulator.expire_session(person.session_id),
    "Saved": saves,
    "Expired": with_card(lambda place, _person, method: place.simulator.age_card(method)),
    "Removed at Stripe": with_card(
        lambda place, _person, method: place.simulator.detach_payment_method(method)
    ),
    "Deleted at Stripe": with_card(
        lambda place, person, _method: place.simulator.delete_customer(person.stripe_customer_id)
    ),
    "Two methods are attached": with_card(
        lambda place, person, _method: place.simulator.attach_card(
            person.stripe_customer_id, "5555555555554444"
        )
    ),
}


SIZES = (PHONE, DESKTOP)  # the states take turns: what they have in common is seen at both


def test_every_state_can_be_used_by_everybody(visit: Visit, place: Place) -> None:
    with visit() as page:
        client = place.log_in(page)
        for number, (title, deed) in enumerate(STATES.items()):
            person = Person.sign_up(place.app, place.simulator, f"person-{number}")
            deed(place, person)
            path = f"/operator/customers/{person.payer.customer_id}"
            post(client, f"{path}/check")
            page.goto(path)

            expect(page.locator(".diagnosis")).to_contain_text(title)
            assert findings_everywhere(page, sizes=[SIZES[number % 2]]) == [], title
        for path in ("/operator/customers", "/operator/customers?q=nobody", "/operator/customers/none"):
            page.goto(path)

            assert findings_everywhere(page) == []


def test_the_forms_can_be_used_by_everybody(visit: Visit, place: Place) -> None:
    person = Person.sign_up(place.app, place.simulator)
    path = f"/operator/customers/{person.payer.customer_id}"
    with visit() as page:
        place.log_in(page)
        for form in ("/operator/customers/new", f"{path}/edit"):
            page.goto(form)
            page.get_by_text("Billing address", exact=True).click()
            page.get_by_label("Name").fill("")
            page.locator("main form button").click()

            expect(page.get_by_label("Name")).to_have_attribute("aria-invalid", "true")
            assert findings_everywhere(page) == []
        page.goto(f"{path}/attach")
        assert findings_everywhere(page) == []


@pytest.mark.parametrize("javascript", [True, False])
def test_a_card_is_removed_by_keyboard(visit: Visit, place: Place, *, javascript: bool) -> None:
    person = Person.sign_up(place.app, place.simulator)
    saves(place, person)
    with visit(java_script_enabled=javascript) as page:
        place.log_in(page)
        page.goto(f"/operator/customers/{person.payer.customer_id}")
        page.locator("summary", has_text="Remove").focus()
        page.keyboard.press("Enter")
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")

        expect(page.locator(".diagnosis")).to_contain_text("Visa •••• 4242 was removed")
        assert person.stripe_default is None


def test_a_link_is_copied_where_scripts_run(visit: Visit, place: Place) -> None:
    person = Person.sign_up(place.app, place.simulator)
    with visit(permissions=["clipboard-read", "clipboard-write"]) as page:
        place.log_in(page)
        page.goto(f"/operator/customers/{person.payer.customer_id}")
        page.get_by_role("region", name="Onboarding links").get_by_role("button").click()
        expect(page.get_by_role("region", name="Link created")).to_be_focused()
        page.get_by_role("button", name="Copy", exact=True).click()
        expect(page.get_by_role("button", name="Copied")).to_be_visible()

        copied = page.evaluate("navigator.clipboard.readText()")
        assert copied == page.get_by_label("Onboarding link", exact=True).input_value()
        assert findings_everywhere(page) == []
