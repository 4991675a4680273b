"""What is at Stripe with our mark on it and has no row here. It is told, and left alone."""

from dataclasses import dataclass
from datetime import timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app import apps, db
from app.apps import App
from app.config import settings
from app.db import utcnow
from app.payers import Payer

MOST_PAGES = 10  # of a hundred customers each, in one go
YOUNG = timedelta(hours=1)  # whoever made one that is younger may be about to record it


@dataclass(frozen=True)
class Strays:
    """What was found, and how far the look has come."""

    customers: list[str]  # cus_…, made for this app, with no payer of ours, not even an ended one
    endpoints: list[str]  # we_…, of which no app of ours knows the secret
    looked_through: int  # customers of the account, the newest first
    next: str | None  # behind this customer (cus_…) the look may go on; None at the end


def strays(session: Session, app: App, *, after: str | None = None) -> Strays:
    """Look through a thousand of an account's customers, from the newest or from where a look has ended.

    A sign-up that was killed between Stripe's answer and our commit, and never taken up again, leaves a
    customer that nobody uses. Ends the reading; raises what the gateway raises.
    """
    db.end_read(session)
    stripe = apps.connect(app)
    young, marked, seen = utcnow() - YOUNG, [], 0
    for _ in range(MOST_PAGES):
        page = stripe.customers(after=after)
        seen += len(page.customers)
        marked += [
            customer.id
            for customer in page.customers
            if customer.metadata.get("om_app_id") == app.id and customer.created_at < young
        ]
        after = page.customers[-1].id if page.has_more else None
        if after is None:
            break
    known = set(
        session.scalars(
            sa.select(Payer.stripe_customer_id).where(
                Payer.app_id == app.id, Payer.stripe_customer_id.in_(marked)
            )
        )
    )
    db.end_read(session)
    there = stripe.webhook_endpoints()
    endpoints = [endpoint.id for endpoint in apps.strays(session, there, settings().public_url)]
    db.end_read(session)
    return Strays([id_ for id_ in marked if id_ not in known], endpoints, seen, after)
