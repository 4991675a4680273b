"""The main job in a real browser: somebody signs up and saves a card, and an operator sees it.

Every page on the way passes axe and fits a phone, with JavaScript and without.
"""

import pytest

from tests.browser.conftest import Place, Visit
from tests.support import walk
from tests.support.operators import PASSWORD, member
from tests.support.walk import expect_title, fill_details, save_card

PHONE = {"width": 390, "height": 844}


@pytest.mark.smoke
@pytest.mark.parametrize("javascript", [True, False], ids=["with JavaScript", "without"])
def test_a_card_is_saved_and_an_operator_sees_it(visit: Visit, place: Place, *, javascript: bool) -> None:
    member(place.app)
    found: list[str] = []
    with visit(java_script_enabled=javascript, viewport=PHONE) as page, visit(viewport=PHONE) as second:

        def findings() -> list[str]:
            """What axe says. It is a script itself: without scripts, a second browser shows it the page."""
            if javascript:
                return walk.findings(page)
            second.context.add_cookies(page.context.cookies())  # type: ignore[arg-type]
            second.goto(page.url)
            return walk.findings(second)

        fill_details(page, "meter-1")
        found += findings()
        page.get_by_role("button", name="Continue to payment").click()
        expect_title(page, "Save")
        found += findings()
        save_card(page)
        expect_title(page, "saved")
        found += findings()
        page.goto("/operator/login")
        page.get_by_label("Email").fill("ada@example.com")
        page.get_by_label("Password", exact=True).fill(PASSWORD)
        page.get_by_role("button", name="Log in").click()
        page.goto("/operator/customers")
        found += findings()
        page.get_by_role("link", name="Ada & Söhne GmbH").click()
        expect_title(page, "Ada & Söhne GmbH")
        found += findings()
        assert "4242" in page.locator("main").inner_text()

    assert found == []
    [customer] = place.simulator.books.customers.values()
    assert customer["invoice_settings"]["default_payment_method"] is not None
