"""The main job in a real browser: somebody signs up and saves a card, and an operator sees it.

Every page on the way passes axe and fits a phone, with JavaScript and without.
"""

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Place, Visit
from tests.support.operators import PASSWORD, member
from tests.support.walk import PHONE, expect_title, fill_details, findings, save_card


@pytest.mark.smoke
@pytest.mark.parametrize("javascript", [True, False], ids=["with JavaScript", "without"])
def test_a_card_is_saved_and_an_operator_sees_it(visit: Visit, place: Place, *, javascript: bool) -> None:
    member(place.app)
    found: list[str] = []
    with visit(viewport=PHONE) as page:
        scripts = page.context.new_cdp_session(page)

        def switch_scripts(*, on: bool) -> None:
            scripts.send("Emulation.setScriptExecutionDisabled", {"value": not on})

        def check() -> None:
            """Axe is a script itself: it looks at what the page is without any others."""
            switch_scripts(on=True)
            found.extend(findings(page))
            switch_scripts(on=javascript)

        switch_scripts(on=javascript)
        fill_details(page, "meter-1")
        check()
        page.get_by_role("button", name="Continue to payment").click()
        expect_title(page, "Save")
        check()
        save_card(page)
        expect_title(page, "saved")
        expect(page.locator("main")).to_contain_text("4242")
        check()
        page.goto("/operator/login")
        page.get_by_label("Email").fill("ada@example.com")
        page.get_by_label("Password", exact=True).fill(PASSWORD)
        page.get_by_role("button", name="Log in").click()
        page.goto("/operator/customers")
        check()
        page.get_by_role("link", name="Ada & Söhne GmbH").click()
        expect_title(page, "Ada & Söhne GmbH")
        expect(page.locator("main")).to_contain_text("4242")
        check()

    assert found == []
    [customer] = place.simulator.store.customers.values()
    assert customer["invoice_settings"]["default_payment_method"] is not None
