"""Find Stripe customers with our metadata but without a payer here. Report them; change nothing."""

from datetime import timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app import apps
from app.apps import App
from app.core import db
from app.core.db import utcnow
from app.core.values import frozen
from app.payers import Payer

DEFAULT_MAX_PAGES = 10  # of a hundred customers each; a person may wait for the result
MIN_AGE = timedelta(hours=1)  # the process that made a younger one may still record it


@frozen
class Orphans:
    """The orphans, and among how many customers we looked."""

    customers: list[str]  # cus_…, made for this app, without any payer here, even an ended one
    checked: int  # customers of the account
    is_all: bool  # did we check every customer?


def find_orphans(session: Session, app: App, *, pages: int | None = DEFAULT_MAX_PAGES) -> Orphans:
    """Look through pages of an account's customers, the newest first. None means all pages.

    A sign-up that died between Stripe's answer and our commit leaves a customer that nobody uses. Ends the
    transaction. Raises what the gateway raises.
    """
    db.end_read(session)
    stripe = apps.connect(app)
    found: list[str] = []
    old, seen, looked, after = utcnow() - MIN_AGE, 0, 0, None
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
            return Orphans(found, seen, is_all=True)
        after = page.customers[-1].id
    return Orphans(found, seen, is_all=False)


def _unknown(session: Session, app_id: str, customers: list[str]) -> list[str]:
    """Return the Stripe customers without a payer here. Ends the transaction."""
    known = set(
        session.scalars(
            sa.select(Payer.stripe_customer_id).where(
                Payer.app_id == app_id, Payer.stripe_customer_id.in_(customers)
            )
        )
    )
    db.end_read(session)
    return [id_ for id_ in customers if id_ not in known]
