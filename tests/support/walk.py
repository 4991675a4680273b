"""What a person does in a real browser on the way to a saved card, and what axe says of the pages."""

from collections.abc import Sequence
from typing import Any

from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Locator, Page, ViewportSize, expect

PHONE: ViewportSize = {"width": 390, "height": 844}
DESKTOP: ViewportSize = {"width": 1280, "height": 900}
COLOURS = ["color-contrast", "link-in-text-block"]  # the rules that can tell a dark page from a light one
# A page that waits for something loads itself again, which would take it away while it is looked at.
STOP_TIMERS = "for (let timer = setTimeout(() => {}); timer > 0; timer--) clearTimeout(timer)"
# To preload is to fetch stylesheets and sounds again, for rules about sounds and for others that are off.
RUN_AXE = """async (options) => {
    const results = await axe.run(document, {resultTypes: ["violations"], preload: false, ...options});
    return results.violations.map((one) => `${one.id}: ${one.nodes.map((node) => node.html).join(", ")}`);
}"""


def follow(page: Page, control: Locator) -> None:
    """Press a link or a button, and wait for the page that it leads to."""
    with page.expect_navigation():
        control.click()


def fill_details(page: Page, subject: str) -> None:
    """Open the sign-up form and fill it in."""
    page.goto("/signup")
    page.get_by_label("Company or your name").fill("Ada & Söhne GmbH")
    page.get_by_label("Email address").fill("ada@example.com")
    more = page.locator("details.more")
    if more.get_attribute("open") is None:
        more.locator("summary").click()
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
    follow(page, page.get_by_role("button", name="Save card"))


def expect_title(page: Page, text: str) -> None:
    """Wait for a page with this in its heading."""
    expect(page.get_by_role("heading", level=1)).to_contain_text(text)


def findings(page: Page, *, without: Sequence[str] = ()) -> list[str]:
    """What axe has against a page as it looks now, without some rules; and whether it is too wide."""
    rules = {"target-size": {"enabled": True}} | {rule: {"enabled": False} for rule in without}
    found = _axe(page, {"rules": rules})
    if page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"):
        found.append("it is wider than the window")
    return [f"{page.url}, {page.viewport_size}: {one}" for one in found]


def findings_everywhere(page: Page, *, sizes: Sequence[ViewportSize] = (PHONE, DESKTOP)) -> list[str]:
    """The findings on a telephone and on a desktop, light and dark."""
    found: list[str] = []
    for size in sizes:
        page.set_viewport_size(size)
        page.emulate_media(color_scheme="dark", reduced_motion="reduce")
        found += [f"{page.url}, {size}, dark: {one}" for one in _axe(page, {"runOnly": COLOURS})]
        page.emulate_media(color_scheme="light", reduced_motion="reduce")
        found += findings(page)
    return found


def _axe(page: Page, options: dict[str, Any]) -> list[str]:
    if not page.evaluate("'axe' in window"):
        page.evaluate(STOP_TIMERS)
        page.evaluate(AXE_SCRIPT)
    return list(page.evaluate(RUN_AXE, options))
