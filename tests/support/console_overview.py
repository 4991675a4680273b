"""The overview of the console: people in each state, and what it says of them."""

from datetime import datetime
from typing import Any

from flask import Flask
from flask.testing import FlaskClient

from app import apps
from app.core import db
from app.core.db import new_id, utcnow
from app.customers import Customer
from app.payers import Payer
from tests.support.browser import Element, Page


def customer(
    app: Flask,
    status: str | None = None,
    *,
    name: str = "Somebody",
    created_at: datetime | None = None,
    app_id: str | None = None,
    **payer: Any,
) -> str:
    """Somebody who stands somewhere; without a status, in no app at all. The id."""
    with app.app_context():
        session, at = db.session(), created_at or utcnow()
        made = Customer(id=new_id(), name=name, created_at=at)
        session.add(made)
        session.flush()
        if status is not None:
            session.add(
                Payer(
                    app_id=app_id or apps.find(session).id,
                    customer_id=made.id,
                    stripe_customer_id=f"cus_{made.id}",
                    status=status,
                    created_at=at,
                    **({"status_since": at, "signed_up_on": at.date()} | payer),
                )
            )
        session.commit()
        return made.id


def funnel(client: FlaskClient, query: str = "") -> dict[str, str]:
    """The four numbers, each with its part of the whole."""
    page = Page.of(client.get(f"/operator/{query}"))
    pairs = page.one("dl", class_="funnel").all("div")
    return {pair.one("dt").text: pair.all("dd")[0].text for pair in pairs}


def concerns(client: FlaskClient) -> dict[str, Element]:
    """What needs attention, by its title with the count."""
    page = Page.of(client.get("/operator/"))
    panels = [panel for panel in page.all("section") if "concern" in panel.get("class").split()]
    return {panel.one("h3").text: panel for panel in panels}
