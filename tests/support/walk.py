"""What a person does in a real browser on the way to a saved card, and what axe says of the pages."""

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect


def fill_details(page: Page, subject: str) -> None:
    """Open the sign-up form and fill it in."""
    page.goto("/signup")
    page.get_by_label("Company or your name").fill("Ada & Söhne GmbH")
    page.get_by_label("Email address").fill("ada@example.com")
    page.locator("[name=subject_keys]").first.fill(subject)


def go_to_stripe(page: Page, subject: str) -> None:
    """Sign up, as far as Stripe's hosted page."""
    fill_details(page, subject)
    page.get_by_role("button", name="Continue to payment").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Save")


def save_card(page: Page, number: str = "4242424242424242", cvc: str = "123") -> None:
    """Type a card into Stripe's hosted page and save it."""
    page.locator("[name=card_number]").fill(number)
    page.locator("[name=expiry]").fill("12 / 40")
    page.locator("[name=cvc]").fill(cvc)
    page.locator("[name=name]").fill("Ada Lovelace")
    page.get_by_role("button", name="Save card").click()


def expect_title(page: Page, text: str) -> None:
    """Wait for a page with this in its heading."""
    expect(page.get_by_role("heading", level=1)).to_contain_text(text)


def findings(page: Page) -> list[str]:
    """What axe has against a page, in a line each; and whether it must be scrolled sideways."""
    found = Axe().run(page).response["violations"]
    wide = page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")
    told = [f"{page.url}: {one['id']} {[node['html'] for node in one['nodes']]}" for one in found]
    return told + ([f"{page.url} is wider than the window"] if wide else [])
