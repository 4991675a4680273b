"""The Stripe pages of the console in a real browser: readable by all, with and without JavaScript."""

import pytest
from playwright.sync_api import Page, expect

from app.simulator import add_account, add_key
from tests.browser.conftest import Place, Visit
from tests.support.walk import expect_title, findings_everywhere, follow


def open_app(page: Page) -> None:
    """From the list to the page of the first app."""
    page.goto("/operator/stripe")
    page.locator("main").get_by_role("heading", level=2).get_by_role("link").first.click()
    expect_title(page, "Stripe")


@pytest.mark.parametrize("javascript", [True, False])
def test_an_account_is_installed_in_two_steps(visit: Visit, place: Place, *, javascript: bool) -> None:
    add_account(place.simulator.store, "acct_second", 1)
    add_key(place.simulator.store, "sk_test_second", account="acct_second")
    with visit(java_script_enabled=javascript) as page:
        place.log_in(page, "admin")
        page.goto("/operator/stripe")
        page.get_by_role("link", name="Install an account").click()
        page.get_by_label("Secret or restricted API key").fill("sk_test_wrong")
        page.get_by_role("button", name="Continue").click()
        expect(page.get_by_label("Secret or restricted API key")).to_have_value("")
        expect(page.get_by_label("Secret or restricted API key")).to_have_attribute("aria-invalid", "true")
        page.get_by_label("Secret or restricted API key").fill("sk_test_second")
        page.get_by_role("button", name="Continue").click()
        expect_title(page, "Confirm the account")
        expect(page.locator("main")).to_contain_text("acct_second")
        page.get_by_label("Name").fill("Second")
        page.get_by_role("button", name="Install", exact=True).click()

        expect_title(page, "Second")
        expect(page.locator("main")).to_contain_text("Stripe accepts the API key")


@pytest.mark.parametrize("javascript", [True, False])
def test_what_is_broken_is_repaired_by_its_button(visit: Visit, place: Place, *, javascript: bool) -> None:
    [endpoint] = place.simulator.store.webhook_endpoints
    place.simulator.change_endpoint(endpoint, enabled=False)
    with visit(java_script_enabled=javascript) as page:
        place.log_in(page)
        open_app(page)
        page.get_by_role("button", name="Check now").click()
        row = page.get_by_role("row").filter(has_text="The endpoint is disabled")
        expect(row).to_contain_text("Error")
        row.get_by_role("button", name="Enable it").click()

        expect(page.get_by_role("row").filter(has_text="The endpoint is enabled")).to_contain_text("OK")
        assert place.simulator.store.webhook_endpoints[endpoint]["status"] == "enabled"


def test_a_secret_is_rolled_and_an_app_uninstalled_only_on_purpose(visit: Visit, place: Place) -> None:
    with visit(java_script_enabled=False) as page:
        place.log_in(page, "admin")
        open_app(page)
        page.get_by_text("Roll the secret", exact=True).click()
        page.get_by_role("button", name="Roll the secret now").click()
        expect(page.locator("main")).to_contain_text("accepted until")
        page.get_by_role("button", name="Uninstall").click()
        expect(page.get_by_label("Account to uninstall")).to_have_attribute("aria-invalid", "true")
        page.get_by_label("Account to uninstall").fill("acct_1RZzxYGangwaySim")
        page.get_by_role("button", name="Uninstall").click()

        expect(page.locator("main")).to_contain_text("No Stripe account is installed")


def test_every_page_is_accessible(visit: Visit, place: Place) -> None:
    [endpoint] = place.simulator.store.webhook_endpoints
    place.simulator.change_endpoint(endpoint, enabled=False, events=["*"])
    found: list[str] = []
    with visit() as page:
        place.log_in(page, "admin")
        open_app(page)
        found += findings_everywhere(page)
        page.get_by_role("button", name="Check now").click()
        expect(page.get_by_role("row").filter(has_text="The endpoint is disabled")).to_be_visible()
        found += findings_everywhere(page)
        for summary in page.locator("summary").all():
            summary.click()
        found += findings_everywhere(page)
        follow(page, page.get_by_role("button", name="Uninstall"))
        found += findings_everywhere(page)
        page.goto("/operator/stripe")
        found += findings_everywhere(page)
        page.goto("/operator/stripe/install")
        found += findings_everywhere(page)
        page.get_by_label("Secret or restricted API key").fill("rk_test_gangwaysimulator0000")
        page.get_by_role("button", name="Continue").click()
        expect_title(page, "Confirm the account")
        found += findings_everywhere(page)

    assert found == []
