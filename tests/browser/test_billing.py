"""The billing page in a real browser: a card is added, chosen and removed, with and without scripts."""

import re

import pytest
from playwright.sync_api import Page, expect

from app import outbox
from app.core import db
from app.web import mail
from tests.browser.conftest import Place, Visit
from tests.support.walk import PHONE, expect_title, findings_everywhere, go_to_stripe, save_card

VISA, MASTERCARD = "Visa •••• 4242", "Mastercard •••• 4444"


def add_card(page: Page, number: str) -> None:
    """Press the button that adds a method, save a card at Stripe, and come back."""
    page.get_by_role("button", name="Add a payment method").click()
    save_card(page, number)
    expect_title(page, "saved")
    page.get_by_role("link", name="Manage your payment methods").click()
    expect_title(page, "Your payment methods")


def open_billing(page: Page) -> None:
    """Sign up, save a card, and follow the link to the billing page."""
    go_to_stripe(page, "meter-1")
    save_card(page)
    expect_title(page, "saved")
    page.get_by_role("link", name="Manage your payment methods").click()
    expect_title(page, "Your payment methods")


@pytest.mark.parametrize("javascript", [True, False])
def test_adds_chooses_and_removes_a_card(visit: Visit, place: Place, *, javascript: bool) -> None:
    with visit(java_script_enabled=javascript, viewport=PHONE) as page:
        open_billing(page)
        add_card(page, "5555555555554444")
        page.get_by_role("button", name="Make default").click()
        expect(page.locator("main")).to_contain_text("is now your default")
        page.get_by_role("link", name="Remove").last.click()
        page.get_by_role("button", name="Remove").click()

        expect(page.locator("main")).to_contain_text("Stripe no longer stores")
        expect(page.locator(".method-line")).to_have_count(1)
    attached = [row for row in place.simulator.store.payment_methods.values() if row["customer"]]
    assert [row["card"]["last4"] for row in attached] == ["4242"]


def test_every_page_is_accessible(visit: Visit, place: Place) -> None:
    found: list[str] = []
    box = place.app.extensions[mail.EXTENSION] = mail.Mailbox()
    try:
        with visit() as page:
            open_billing(page)
            found += findings_everywhere(page)
            page.get_by_role("link", name="People with access").click()
            page.get_by_label("Email address").fill("grace@example.com")
            page.get_by_role("button", name="Invite").click()
            expect(page.locator("main")).to_contain_text("The invitation is ready")
            found += findings_everywhere(page)
            page.get_by_role("link", name="Remove").click()
            expect_title(page, "Remove this person?")
            found += findings_everywhere(page)
            page.goto("/billing")
            add_card(page, "5555555555554444")
            page.get_by_role("link", name="Remove").first.click()
            expect_title(page, "Remove this payment method?")
            found += findings_everywhere(page)
        with place.app.app_context():
            outbox.deliver(db.session())
        with visit() as other:
            link = re.search(r"http\S+", box.messages[-1].text)
            assert link is not None
            other.goto(link.group())
            expect_title(other, "invited")
            found += findings_everywhere(other)
            other.goto("/billing")
            expect_title(other, "See your payment methods")
            found += findings_everywhere(other)
            other.get_by_label("Email address").fill("grace@example.com")
            other.get_by_role("button", name="Send me a code").click()
            expect_title(other, "Enter your code")
            found += findings_everywhere(other)
    finally:
        del place.app.extensions[mail.EXTENSION]

    assert found == []
