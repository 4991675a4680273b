"""A page of the company shows the form in a frame, in a browser that blocks the cookies of other sites."""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from app.portal import Profile
from tests.browser.conftest import CHROMIUM_OPTIONS, PATIENCE, Place
from tests.support.profiles import publish_profiles
from tests.support.walk import expect_title, findings, follow, save_card

SHOP, STRANGER = "https://shop.example.com", "https://stranger.example.net"
AROUND = '<!doctype html><html lang="en"><title>Shop</title><iframe title="Payment" src="{}"></iframe>'


@pytest.fixture(scope="module")
def strict_browser(launch: Callable[..., Browser]) -> Iterator[Browser]:
    """A browser that blocks the cookies of other sites, unless they are partitioned."""
    # A public site may not frame this machine. Here the shop only looks like one.
    local = [
        f"{option},LocalNetworkAccessChecks" if "-features=" in option else option
        for option in CHROMIUM_OPTIONS
    ]
    browser = launch(args=[*local, "--test-third-party-cookie-phaseout"])
    yield browser
    browser.close()


@pytest.fixture
def strict(strict_browser: Browser, place: Place) -> Iterator[BrowserContext]:
    """A visitor of that browser, while a shop may frame our pages."""
    publish_profiles(place.app, Profile(embed_origins=(SHOP,)))
    context = strict_browser.new_context()
    context.set_default_timeout(PATIENCE)
    yield context
    context.close()


def show(context: BrowserContext, place: Place, site: str, path: str = "/signup") -> Page:
    """Open a page of a site that has our page in a frame."""
    page = context.new_page()
    body = AROUND.format(f"{place.portal}{path}")
    page.route(f"{site}/**", lambda route: route.fulfill(content_type="text/html", body=body))
    page.goto(f"{site}/pay")
    return page


def test_a_card_is_saved_from_a_frame(strict: BrowserContext, place: Place) -> None:
    page = show(strict, place, SHOP)
    frame = page.frame_locator("iframe")
    expect(frame.locator(".site-footer")).to_be_hidden()
    expect(frame.locator(".brand")).to_be_hidden()

    frame.get_by_label("Company or your name").fill("Ada Ltd")
    frame.get_by_label("Email address").fill("x")
    frame.get_by_role("button", name="Continue to payment").click()
    expect(frame.get_by_text("Enter an email address like").first).to_be_visible()
    frame.get_by_label("Email address").fill("ada@example.com")
    frame.get_by_role("button", name="Continue to payment").click()
    follow(page, frame.get_by_role("link", name="Continue to Stripe"))
    expect_title(page, "Save")
    save_card(page)
    expect_title(page, "saved")

    assert findings(page) == []
    assert page.url.startswith(f"{place.portal}/return?")
    [cookie] = [each for each in strict.cookies() if each["name"] == "gangway-embedded"]
    assert cookie["sameSite"] == "None"
    assert cookie["secure"]
    assert len(place.simulator.store.customers) == 1


@pytest.mark.parametrize(
    ("site", "path"), [(STRANGER, "/signup"), (SHOP, "/operator/login"), (STRANGER, "/signup?embed=1")]
)
def test_nobody_else_may_frame_it(strict: BrowserContext, place: Place, site: str, path: str) -> None:
    page = show(strict, place, site, path)

    frame = page.frame_locator("iframe").locator("h1")

    expect(frame.filter(has_text="Your details")).to_have_count(0)
    assert [each.url for each in page.frames[1:]] == ["chrome-error://chromewebdata/"]
