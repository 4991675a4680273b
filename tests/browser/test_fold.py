"""The buttons that lead on are seen without scrolling, in every language and below the notice of a demo."""

import pytest
from playwright.sync_api import Locator, Page, ViewportSize

from app.portal import LANGUAGES
from tests.browser.conftest import Visit
from tests.support.walk import PHONE, follow

ROOM = 24  # pixels below the button, so that it is seen to be one
LAPTOP: ViewportSize = {"width": 1280, "height": 800}


def end_of(found: Locator) -> float:
    """Return where an element ends, in pixels from the top of a window that was not scrolled."""
    return float(found.evaluate("element => scrollY + element.getBoundingClientRect().bottom"))


def show(page: Page, language: str) -> None:
    """Open the form, where the notice of the simulator stands above everything."""
    page.goto(f"/signup?language={language}")
    assert page.locator(".demo").is_visible()


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_button_of_the_form_is_above_the_fold(visit: Visit, language: str) -> None:
    with visit(viewport=LAPTOP) as page:
        show(page, language)

        assert end_of(page.locator(".pay-row .primary")) <= LAPTOP["height"] - ROOM


@pytest.mark.parametrize("language", LANGUAGES)
def test_both_answers_about_a_typo_are_above_the_fold(visit: Visit, language: str) -> None:
    with visit(viewport=LAPTOP) as page:
        show(page, language)
        page.locator("[name=name]").fill("Ada Ltd")
        page.locator("[name=email]").fill("annemarie.schwarzenbach@gmial.com")
        follow(page, page.locator(".pay-row .primary"))

        answers = page.locator(".alert-actions button")

        assert answers.count() == 2
        assert max(end_of(each) for each in answers.all()) <= LAPTOP["height"] - ROOM


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_form_takes_a_screen_and_a_half_of_a_phone(visit: Visit, language: str) -> None:
    with visit(viewport=PHONE) as page:
        show(page, language)

        assert end_of(page.locator("main .panel")) <= 1.5 * PHONE["height"]
