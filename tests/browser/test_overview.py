"""The overview, the events and the audit log in a real browser."""

import json
import re
from datetime import timedelta

import pytest
import sqlalchemy as sa
from playwright.sync_api import expect

from app import apps
from app.core import db
from app.core.db import new_id, utcnow
from app.customers import Customer
from app.payers import Payer
from app.webhooks import Event
from tests.browser.conftest import Place, Visit
from tests.support.walk import PHONE, expect_title, findings, findings_everywhere, follow

STATUSES = ("saved", "failed", "abandoned", "expiring", "in_progress", "removed", None)


def customer(place: Place, status: str | None, name: str = "Somebody") -> None:
    """Somebody who signed up and is not due."""
    with place.app.app_context():
        session = db.session()
        db.start_write(session)
        made = Customer(id=new_id(), name=name, created_at=utcnow() - timedelta(hours=1))
        session.add(made)
        session.flush()
        if status is not None:
            app_id = apps.find(session).id
            payer = Payer(
                app_id=app_id,
                customer_id=made.id,
                stripe_customer_id=f"cus_{made.id}",
                status=status,
                status_since=utcnow(),
                status_until=sa.null(),  # else the worker would look, and know better
                verify_at=sa.null(),
            )
            session.add(payer)
        session.commit()


def failed_event(place: Place) -> None:
    """An event of somebody that was given up."""
    with place.app.app_context():
        session = db.session()
        db.start_write(session)
        thing = {"id": "cus_Somebody1", "object": "customer", "email": "ada@example.com"}
        body = {"id": "evt_1", "type": "customer.updated", "livemode": False, "data": {"object": thing}}
        session.add(
            Event(
                app_id=apps.find(session).id,
                id="evt_1",
                type="customer.updated",
                payload=json.dumps(body),
                state="dead",
                reason="Stripe can't be reached.",
                payer_id=session.scalar(sa.select(Payer.id).limit(1)),
                finished_at=utcnow(),
            )
        )
        session.commit()


def test_numbers_change_by_themselves_and_the_focus_stays(visit: Visit, place: Place) -> None:
    customer(place, "saved")
    with visit() as page:
        place.log_in(page)
        page.clock.install()
        page.goto("/operator/")
        signed_up = page.locator(".funnel strong").first
        expect(signed_up).to_have_text("1")
        page.get_by_text("View as table").click()
        newest = page.locator(".newest").get_by_role("link", name="Somebody", exact=True)
        newest.focus()
        customer(place, "failed", "Newcomer")

        page.clock.run_for(21_000)

        expect(signed_up).to_have_text("2")
        expect(page.get_by_role("heading", name="1 Declined")).to_be_visible()
        expect(page.locator(".table-scroll")).to_be_visible()
        expect(page.locator(".newest").get_by_role("link", name="Somebody", exact=True)).to_be_focused()
        expect(page.locator(".newest time").first).to_have_attribute("title", re.compile("UTC"))


def test_numbers_stay_while_somebody_is_about_to_press_a_button(visit: Visit, place: Place) -> None:
    customer(place, "failed")
    with visit() as page:
        place.log_in(page)
        page.clock.install()
        page.goto("/operator/")
        page.get_by_role("button", name="Make a link").focus()
        customer(place, "failed", "Newcomer")

        page.clock.run_for(21_000)
        expect(page.get_by_role("button", name="Make a link")).to_be_focused()
        expect(page.locator(".funnel strong").first).to_have_text("1")

        page.get_by_role("button", name="Make a link").blur()
        page.clock.run_for(21_000)
        expect(page.locator(".funnel strong").first).to_have_text("2")


@pytest.mark.parametrize("javascript", [True, False])
def test_a_failed_event_is_looked_into_and_retried(visit: Visit, place: Place, *, javascript: bool) -> None:
    customer(place, "saved", "Ada Lovelace")
    failed_event(place)
    with visit(java_script_enabled=javascript) as page:
        place.log_in(page)
        page.goto("/operator/")
        page.get_by_role("heading", name="1 Failed events").locator("..").get_by_role(
            "link", name="Customer changed at Stripe"
        ).click()
        expect_title(page, "Customer changed at Stripe")
        expect(page.locator("main")).to_contain_text("Stripe can't be reached.")
        expect(page.locator("pre")).not_to_contain_text("ada@example.com")
        page.get_by_text("Show personal data").click()
        page.get_by_role("button", name="Show now").click()
        expect(page.locator("pre")).to_contain_text("ada@example.com")
        page.get_by_role("button", name="Retry now").click()

        expect(page.locator("main")).to_contain_text("We retry this event now.")
        page.get_by_role("navigation", name="Console").get_by_role("link", name="Audit log").click()
        expect(page.locator("main")).to_contain_text("Event retried")
        expect(page.locator("main")).to_contain_text("Personal data of an event viewed")


def test_every_page_is_accessible(visit: Visit, place: Place) -> None:
    for status in STATUSES:
        customer(place, status)
    failed_event(place)
    found: list[str] = []
    with visit() as page:
        place.log_in(page, "admin")
        for path in (
            "/operator/",
            "/operator/?span=custom&from=x",
            "/operator/events",
            "/operator/events?origin=backfill",
            "/operator/audit",
        ):
            page.goto(path)
            found += findings_everywhere(page)
        page.goto("/operator/events")
        follow(page, page.locator("table").get_by_role("link", name="Customer changed at Stripe"))
        found += findings_everywhere(page)
        page.set_viewport_size(PHONE)
        page.get_by_role("button", name="Menu").click()
        expect(page.get_by_role("navigation", name="Console")).to_be_visible()
        found += findings(page)

    assert found == []
