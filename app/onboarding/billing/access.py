"""Who may open the billing page of a customer, and what they may see and do there."""

from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app import audit, customers
from app.core import db
from app.core.config import settings
from app.core.database import statements
from app.core.db import utcnow
from app.core.values import frozen
from app.onboarding import queries
from app.onboarding.billing.models import Way
from app.onboarding.models import BillingAccess, BillingPerson, Signup, browser_hash
from app.payers import Payer, PaymentMethod


@frozen
class Access:
    """One browser that may open the billing page of one customer, and since when."""

    customer: customers.Customer
    way: Way
    since: datetime
    profile: str | None = None  # of the portal; None: the default one
    person_id: str | None = None  # None: the customer's first person, or a guest

    @property
    def is_guest(self) -> bool:
        """Did it open a link, which anybody may have received?"""
        return self.way is Way.LINK

    @property
    def may_invite(self) -> bool:
        """May it decide who else has access? Only the customer's first person may."""
        return not self.is_guest and self.person_id is None

    def sees(self, method: PaymentMethod) -> bool:
        """May it be shown a method? A guest sees none that was there before it came."""
        return not self.is_guest or method.created_at >= self.since

    def sees_default(self, payer: Payer) -> bool:
        """May it know which method is the default? There may be none."""
        return payer.default_method is None or self.sees(payer.default_method)


def find(session: Session, browser: str | None, customer_id: str | None = None) -> Access | None:
    """Return this browser's access: to that customer, else to the one that it opened last.

    A browser is remembered for some days after it signed up or got access again. A guest stays for as long as
    its link is not revoked, and a person for as long as nobody removes them.
    """
    found = queries.of_browser(session, browser, customer_id)
    if browser is None or found is None:
        return None
    is_remembered = found.created_at > queries.remembered_since()
    if is_remembered and found.is_guest:
        return _access(session, found, Way.LINK)
    if is_remembered and found.form_id is not None:
        return _access(session, found, Way.SIGNUP)
    granted = queries.access_of(session, browser, customer_id)
    return _access(session, granted, Way(granted.way), granted.person_id) if granted else None


def others(session: Session, access: Access, browser: str) -> list[customers.Customer]:
    """Return some of the other customers that this browser may open as a known person, by name."""
    signed_up = sa.select(Signup.customer_id).where(
        Signup.browser_hash == browser_hash(browser),
        Signup.link_id.is_(None),
        Signup.created_at > queries.remembered_since(),
    )
    let_in = queries.accesses_of(browser).with_only_columns(BillingAccess.customer_id)
    customer = customers.Customer
    query = (
        sa.select(customer)
        .where(
            customer.id.in_(signed_up.union(let_in)),
            customer.id != access.customer.id,
            customer.deleted_at.is_(None),
        )
        .order_by(customer.name, customer.id)
        .limit(queries.MAX_CUSTOMERS)
    )
    return list(session.scalars(query))


def _access(
    session: Session, held: Signup | BillingAccess, way: Way, person_id: str | None = None
) -> Access | None:
    """Return the access to a customer that is not deleted."""
    customer = session.get(customers.Customer, held.customer_id, populate_existing=True)
    if customer is None or customer.deleted_at is not None:
        return None
    return Access(customer, way, held.created_at, held.profile, person_id)


def end_access(session: Session, *which: sa.ColumnElement[bool]) -> list[str]:
    """End the access that meets all conditions. Return the hashes of the browsers. Flushes."""
    ended = session.scalars(
        sa.delete(BillingAccess)
        .where(*which)
        .returning(BillingAccess.browser_hash)
        .execution_options(synchronize_session=False)
    )
    return list(ended)


def let_in(
    session: Session,
    customer_id: str,
    browser: str,
    *,
    way: Way,
    profile: str | None,
    person_id: str | None = None,
) -> None:
    """Let a browser (the nonce in its cookie) open a customer's billing page from now on. Flushes.

    The caller has proved who is there. This replaces an earlier way in, except that an invitation never
    lowers the rights of a browser of the customer's first person. `profile` names the profile of its pages;
    None is the default one.
    """
    now = utcnow()
    held = queries.access_of(session, browser, customer_id)
    if held is not None and held.person_id is None and person_id is not None:
        return
    values = {
        "customer_id": customer_id,
        "browser_hash": browser_hash(browser),
        "way": way.value,
        "person_id": person_id,
        "profile": profile,
        "created_at": now,
        "expires_at": now + timedelta(days=settings().browser_days),
    }
    insert = db.insert(session, BillingAccess).values(values)
    session.execute(insert.on_conflict_do_update(index_elements=["customer_id", "browser_hash"], set_=values))
    if person_id is not None:
        is_new = sa.and_(BillingPerson.id == person_id, BillingPerson.joined_at.is_(None))
        statements.update_all(session, BillingPerson, is_new, joined_at=now)
    audit.note(
        session,
        "billing_page.entered",
        actor="visitor",
        customer_id=customer_id,
        way=way.value,
        person_id=person_id,
    )
