"""Customers at Stripe with our mark on them that have no row here. They are told, and left alone."""

from dataclasses import dataclass
from datetime import timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app import apps
from app.apps import App
from app.core import db
from app.core.db import utcnow
from app.payers import Payer

FEW_PAGES = 10  # of a hundred customers each: what somebody who waits for a page of ours can wait for
YOUNG = timedelta(hours=1)  # whoever made one that is younger may be about to record it


@dataclass(frozen=True)
class Strays:
    """What was found, and among how many."""

    customers: list[str]  # cus_…, made for this app, with no payer of ours, not even an ended one
    looked_through: int  # customers of the account, the newest first
    is_all: bool  # were there no more?


def strays(session: Session, app: App, *, pages: int | None = FEW_PAGES) -> Strays:
    """Look through so many pages of an account's customers, a hundred on each, the newest first; None is all.

    A sign-up that was killed between Stripe's answer and our commit, and never taken up again, leaves a
    customer that nobody uses. Ends the reading; raises what the gateway raises.
    """
    db.end_read(session)
    stripe = apps.connect(app)
    found: list[str] = []
    old, seen, looked, after = utcnow() - YOUNG, 0, 0, None
    while pages is None or looked < pages:
        page = stripe.customers(after=after)
        looked += 1
        seen += len(page.customers)
        marked = [
            customer.id
            for customer in page.customers
            if customer.metadata.get("om_app_id") == app.id and customer.created_at < old
        ]
        found += _unknown(session, app.id, marked)
        if not page.has_more:
            return Strays(found, seen, is_all=True)
        after = page.customers[-1].id
    return Strays(found, seen, is_all=False)


def _unknown(session: Session, app_id: str, customers: list[str]) -> list[str]:
    """Those of these Stripe customers that no row of ours has. Ends the reading."""
    known = set(
        session.scalars(
            sa.select(Payer.stripe_customer_id).where(
                Payer.app_id == app_id, Payer.stripe_customer_id.in_(customers)
            )
        )
    )
    db.end_read(session)
    return [id_ for id_ in customers if id_ not in known]
