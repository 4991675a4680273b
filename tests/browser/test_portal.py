"""The console's pages of the portal in a real browser: every section is for everybody, on every screen."""

from tests.browser.conftest import Place, Visit
from tests.support.walk import expect_title, findings_everywhere


def test_every_section_is_accessible(visit: Visit, place: Place) -> None:
    found: list[str] = []
    with visit() as page:
        place.log_in(page, "admin")
        page.goto("/operator/portal")
        expect_title(page, "Portal")
        found += findings_everywhere(page)
        page.get_by_role("link", name="Default", exact=True).first.click()
        menu = page.get_by_role("navigation", name="Sections of the profile")
        for name in menu.get_by_role("link").all_inner_texts():
            menu.get_by_role("link", name=name, exact=True).click()
            found += findings_everywhere(page)
        page.goto("/operator/portal/handovers")
        found += findings_everywhere(page)

    assert found == []
