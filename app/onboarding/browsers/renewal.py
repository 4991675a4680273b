"""A browser that proves who is there gets a new name, in place of the nonce in its cookie.

Somebody who used the same computer before may have kept a copy of that cookie. It must not let them in now.
"""

from datetime import timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.core.database import statements
from app.core.values import frozen
from app.onboarding.browsers.keyed_hash import keyed_hash
from app.onboarding.handovers import HandoverUse
from app.onboarding.models import BillingAccess, Signup, browser_hash

JUST_NOW = timedelta(seconds=5)  # a double click


@frozen
class Entered:
    """A browser that got access to a customer. The caller puts its name into the cookie after the commit."""

    customer_id: str
    browser: str


def renewed(browser: str, proof: str) -> str:
    """Return the name that a browser gets for a proof, such as the id of a code.

    A double click gets the same one. Nobody can compute it without the installation's key.
    """
    return keyed_hash("browser", f"{browser}:{proof}")


def renew(session: Session, browser: str, proof: str) -> str:
    """Move what a browser is remembered for to its new name, and return that. Flushes."""
    name = renewed(browser, proof)
    former, latter = browser_hash(browser), browser_hash(name)
    for model in (Signup, BillingAccess):
        own = sa.select(model.customer_id).where(model.browser_hash == latter)
        is_moved = sa.and_(model.browser_hash == former, model.customer_id.not_in(own))
        statements.update_all(session, model, is_moved, browser_hash=latter)
    customers = [
        sa.select(each.customer_id).where(each.browser_hash == latter) for each in (Signup, BillingAccess)
    ]
    is_moved = sa.and_(HandoverUse.browser_hash == former, HandoverUse.customer_id.in_(sa.union(*customers)))
    statements.update_all(session, HandoverUse, is_moved, browser_hash=latter)
    return name
