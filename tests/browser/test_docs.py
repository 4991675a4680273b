"""The page that explains the API, in a real browser."""

from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Visit
from tests.support.walk import findings


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 390, 1280])
def test_is_accessible_and_fits(visit: Visit, scheme: str, width: int) -> None:
    options: dict[str, Any] = {"color_scheme": scheme, "viewport": {"width": width, "height": 900}}
    with visit(java_script_enabled=True, **options) as page:
        page.goto("/api/docs")

        found = findings(page)

    assert found == []


def test_leads_to_an_operation_without_scripts(visit: Visit) -> None:
    with visit(java_script_enabled=False, viewport={"width": 390, "height": 844}) as page:
        page.goto("/api/docs")
        page.get_by_text("On this page").click()
        page.get_by_role("link", name="Create a customer").first.click()

        expect(page).to_have_url(page.url.partition("#")[0] + "#createCustomer")
        expect(page.get_by_role("heading", name="Create a customer")).to_be_in_viewport()


def test_one_click_takes_a_whole_command(visit: Visit) -> None:
    with visit() as page:
        page.goto("/api/docs")
        page.locator("#createCustomer .api-curl").first.click()

        taken = page.evaluate("getSelection().toString()")

    assert taken.startswith("curl -X POST ")
    assert taken.rstrip().endswith("}'")
