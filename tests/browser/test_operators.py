"""The operators' own pages, as a person goes through them."""

import re

import pytest
import sqlalchemy as sa
from playwright.sync_api import Page, expect

from app import operators
from app.core import db
from app.operators.models import OperatorSession
from tests.browser.conftest import Place, Visit
from tests.support.operators import PASSWORD, Telephone, member
from tests.support.walk import PHONE, expect_title, findings_everywhere, follow

# The texts of what stands further right than the frame that holds it, or than its own parent.
OVERFLOWING = """selector => Array.from(document.querySelectorAll(`${selector} tbody *`), element => [
    element, element.getBoundingClientRect(), element.closest(selector).getBoundingClientRect()
]).filter(([element, box, frame]) => box.width > 1 && (
    box.right > frame.right + 1 || element.scrollWidth > element.clientWidth + 1 && element.clientWidth > 1
)).map(([element]) => `${element.tagName} ${element.className} ${element.textContent.trim().slice(0, 40)}`)"""


def log_in(page: Page, password: str = PASSWORD) -> None:
    page.goto("/operator/account")
    page.get_by_label("Email address").fill("ada@example.com")
    page.get_by_label("Password", exact=True).fill(password)
    follow(page, page.get_by_role("button", name="Log in"))


def set_up_second_factor(page: Page) -> tuple[Telephone, list[str]]:
    """From the account page to the recovery codes."""
    page.get_by_role("link", name="Set it up").click()
    telephone = Telephone(page.locator("#secret").inner_text())
    page.get_by_label("Code from the app").fill(telephone.code())
    page.get_by_label("Your password").fill(PASSWORD)
    page.get_by_role("button", name="Turn it on").click()
    expect_title(page, "Your recovery codes")
    return telephone, page.locator(".recovery-codes li").all_inner_texts()


@pytest.mark.parametrize("javascript", [True, False])
def test_a_second_factor_is_set_up_and_asked_for(visit: Visit, place: Place, *, javascript: bool) -> None:
    member(place.app)
    with visit(java_script_enabled=javascript) as page:
        log_in(page)
        expect_title(page, "Your account")
        telephone, codes = set_up_second_factor(page)
        page.get_by_role("link", name="I’ve saved them").click()
        if javascript and not page.get_by_role("button", name="Log out", exact=True).is_visible():
            page.get_by_role("button", name="Menu").click()
        page.get_by_role("button", name="Log out", exact=True).click()
        expect_title(page, "Log in")

        log_in(page)
        expect_title(page, "Your code")
        page.get_by_label("Code").fill(telephone.wrong_code())
        page.get_by_role("button", name="Continue").click()
        expect(page.get_by_label("Code")).to_have_attribute("aria-invalid", "true")
        page.get_by_label("Code").fill(codes[0])
        page.get_by_role("button", name="Continue").click()

        expect_title(page, "Your account")
        expect(page.locator("main")).to_contain_text("9 recovery codes are unused")


def test_an_invitation_is_made_passed_on_and_accepted(visit: Visit, place: Place) -> None:
    member(place.app)
    with visit() as admin, visit() as guest:
        log_in(admin)
        admin.goto("/operator/team")
        admin.get_by_label("Email address").fill("bob@example.com")
        admin.get_by_label("Name").fill("Bob")
        admin.get_by_role("button", name="Make the link").click()
        link = admin.get_by_label("One-time link").input_value()

        guest.goto(link)
        guest.get_by_label("New password").fill("bob")
        guest.get_by_role("button", name="Set the password").click()
        expect(guest.locator("main")).to_contain_text("12 characters or more; this one has 3")
        guest.get_by_label("New password").fill("eleven green bicycles")
        guest.get_by_role("button", name="Set the password").click()

        expect(guest).to_have_url(re.compile("/operator/$"))
        guest.goto("/operator/account")
        expect(guest.locator("main")).to_contain_text("bob@example.com · viewer")


def test_the_first_operator_is_made_with_the_token_of_the_log(visit: Visit, place: Place) -> None:
    with place.app.app_context():
        address = operators.offer_setup(db.session())
    assert address is not None
    with visit() as page:
        page.goto(address)
        page.get_by_label("Email address").fill("ada@example.com")
        page.get_by_label("Name").fill("Ada")
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Create the first operator").click()

        expect(page).to_have_url(re.compile("/operator/$"))


def test_a_token_is_made_and_revoked(visit: Visit, place: Place) -> None:
    member(place.app)
    with visit(viewport=PHONE) as page:
        log_in(page)
        page.goto("/operator/tokens")
        page.get_by_label("Name").fill("ledger")
        page.get_by_role("button", name="Make the token").click()
        expect(page.get_by_label("Token", exact=True)).to_have_value(re.compile("^gangway_"))

        page.get_by_text("Revoke", exact=True).click()
        page.get_by_role("button", name="Revoke it").click()

        expect(page.locator("tbody")).to_contain_text("revoked")


def test_every_page_is_accessible(visit: Visit, place: Place) -> None:
    found: list[str] = []
    with place.app.app_context():
        setup = operators.offer_setup(db.session())
    with visit() as page:
        page.goto("/operator/login")
        found += findings_everywhere(page)
        page.goto(str(setup))
        found += findings_everywhere(page)
        follow(page, page.get_by_role("button", name="Create the first operator"))
        found += findings_everywhere(page)
        member(place.app)
        member(place.app, "bob@example.com", "viewer", name="Bob")
        log_in(page, "wrong")
        found += findings_everywhere(page)
        log_in(page)
        found += findings_everywhere(page)
        follow(page, page.get_by_role("button", name="Change the password"))
        found += findings_everywhere(page)
        page.goto("/operator/account/second-factor")
        found += findings_everywhere(page)
        page.goto("/operator/account")
        set_up_second_factor(page)
        found += findings_everywhere(page)
        page.goto("/operator/account")
        found += findings_everywhere(page)
        page.goto("/operator/team")
        found += findings_everywhere(page)
        follow(page, page.get_by_role("button", name="Make the link"))
        found += findings_everywhere(page)
        follow(page, page.get_by_role("link", name="Bob"))
        found += findings_everywhere(page)
        page.get_by_role("button", name="Link for a new password").click()
        link = page.get_by_label("One-time link").input_value()
        page.get_by_text("Disable the account").click()
        found += findings_everywhere(page)
        page.goto("/operator/tokens")
        found += findings_everywhere(page)
        page.get_by_label("Name").fill("ledger")
        follow(page, page.get_by_role("button", name="Make the token"))
        found += findings_everywhere(page)
        page.goto("/operator/account")
        page.get_by_role("button", name="Log out everywhere").click()
        log_in(page)
        expect_title(page, "Your code")
        found += findings_everywhere(page)
        page.goto(link)
        found += findings_everywhere(page)
        page.goto("/operator/invitation?token=none")
        found += findings_everywhere(page)

    assert found == []


def test_the_table_of_logins_stays_in_its_panel(visit: Visit, place: Place) -> None:
    member(place.app)
    with visit() as page:
        log_in(page)
        expect_title(page, "Your account")
        with place.app.app_context():
            change = {"address": "2001:db8:85a3:1234:5678:8a2e:1370:7334", "user_agent": "x" * 80}
            db.session().execute(sa.update(OperatorSession).values(change))
            db.session().commit()
        page.reload()

        for width in (1280, 1024, 390):
            page.set_viewport_size({"width": width, "height": 900})
            table, panel = (
                page.locator(f"section:has(h2#your-sessions) {inner}") for inner in ("table", "h2")
            )
            ends = [box["x"] + box["width"] for box in (table.bounding_box(), panel.bounding_box()) if box]
            assert ends[0] <= ends[1] + 1, width


def test_the_question_before_a_token_is_revoked_stays_in_the_table(visit: Visit, place: Place) -> None:
    member(place.app)
    with visit() as page:
        log_in(page)
        for name in ("ledger", "x" * 100):
            page.goto("/operator/tokens")
            page.get_by_label("Name").fill(name)
            follow(page, page.get_by_role("button", name="Make the token"))
        for question in page.locator("summary", has_text="Revoke").all():
            question.click()

        for width in (1024, 390):
            page.set_viewport_size({"width": width, "height": 900})
            assert page.evaluate(OVERFLOWING, ".table-frame") == [], width
