"""The page that explains the API, in a real browser."""

from playwright.sync_api import ViewportSize, expect

from tests.browser.conftest import Visit
from tests.support.walk import COLOURS, DESKTOP, PHONE, findings, findings_everywhere

NARROWEST: ViewportSize = {"width": 320, "height": 900}


def test_is_accessible_and_fits(visit: Visit) -> None:
    with visit() as page:
        page.goto("/api/docs")
        found = findings_everywhere(page, sizes=[PHONE])
        for size in (NARROWEST, DESKTOP):
            page.set_viewport_size(size)
            found += findings(page, without=COLOURS)  # the page is so long that they take many seconds

    assert found == []


def test_leads_to_an_operation_without_scripts(visit: Visit) -> None:
    with visit(java_script_enabled=False, viewport=PHONE) as page:
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
