"""One-time codes: six digits that are sent to a stored address, and let its owner in.

Whether or not an address is known, a request does the same work and answers the same. Who has the address is
looked up by the worker that sends the message.
"""

import hashlib
import hmac
import secrets
from dataclasses import dataclass, replace
from datetime import timedelta

import sqlalchemy as sa
from flask import current_app
from limits import parse_many
from sqlalchemy.orm import Session

from app import customers, outbox, portal
from app.core import db
from app.core.addresses import folded_email
from app.core.db import new_id, utcnow
from app.onboarding.billing.access import let_in
from app.onboarding.billing.models import BillingCode, Way
from app.onboarding.models import BillingPerson, browser_hash
from app.web import limits
from app.web.client_address import client_address
from app.web.languages import gettext
from app.web.mail import Message

KIND = "billing_code"  # of the message
LIFETIME = timedelta(minutes=15)
MAX_TRIES = 5
MAX_CUSTOMERS = 20  # that one address opens
MAX_PURGED = 1000  # old codes in one request
BUDGET_OF_CLIENT = "20 per hour"
BUDGET_OF_ADDRESS = "5 per hour"


@dataclass(frozen=True)
class Holder:
    """A customer that an address opens, as its first person or as an invited one."""

    customer_id: str
    email: str  # as it is stored
    person_id: str | None


def request_code(session: Session, address: str, *, browser: str) -> None:
    """Make the current code of an address, and put its message in the outbox. Commits.

    It takes the place of the code before it. Raises TooMany.
    """
    budgets = (
        (BUDGET_OF_CLIENT, client_address()),
        (BUDGET_OF_ADDRESS, keyed_hash("address", folded_email(address))),
    )
    limits.current().spend_items(
        [(item, ("billing-code", name)) for budget, name in budgets for item in parse_many(budget)]
    )
    code = f"{secrets.randbelow(10**6):06}"
    db.end_read(session)
    db.start_write(session)
    _purge(session)
    _store(session, address, code, browser)
    outbox.put(session, _message(address, code), kind=KIND, expires_at=utcnow() + LIFETIME)
    session.commit()


def to_holder(session: Session, message: Message) -> Message | None:
    """Send a code to the address as it is stored. None: nobody has the address."""
    holders = holders_of(session, message.to)
    return replace(message, to=holders[0].email.strip()) if holders else None


def use_code(session: Session, address: str, code: str, *, browser: str) -> str | None:
    """Let a browser in by its code, and return a customer; None for a wrong, old or used one. Commits.

    The try is counted and committed before anything is compared, so many at once get no more tries.
    """
    db.end_read(session)
    db.start_write(session)
    row = _count_try(session, address, browser)
    session.commit()
    expected = row.code_hash if row else keyed_hash("code", new_id())
    is_right = hmac.compare_digest(expected, keyed_hash("code", f"{row.id if row else ''}:{code}"))
    if row is None or not is_right:
        return None
    db.start_write(session)
    holders = _locked_holders(session, address)  # first, in the order of all who end access
    if not holders or not _claim(session, row.id):
        session.rollback()
        return None
    for holder in reversed(holders):  # the first is the one that was entered last
        let_in(session, holder.customer_id, browser, way=Way.CODE, person_id=holder.person_id)
    session.commit()
    return holders[0].customer_id


def _locked_holders(session: Session, address: str) -> list[Holder]:
    """Return the customers that an address opens, and keep that so until the commit.

    A change of the address waits, and then ends the access. So does a second use of the code: with locks that
    two may share, each would wait for the other to write that the person has joined.
    """
    found = holders_of(session, address)
    for model, ids in (
        (customers.Customer, [holder.customer_id for holder in found]),
        (BillingPerson, [holder.person_id for holder in found if holder.person_id]),
    ):
        which = sa.select(model.id).where(model.id.in_(ids)).order_by(model.id)
        session.execute(which.with_for_update(**customers.FOR_CHANGE))
    return holders_of(session, address)


def holders_of(session: Session, address: str) -> list[Holder]:
    """Return the live customers that an address opens, the newest first: as first person, then as invited."""
    address = folded_email(address)
    customer = customers.Customer
    own = session.execute(
        sa.select(customer.id, customer.primary_email, customer.adopted)
        .where(customers.has_email(session, address), customer.deleted_at.is_(None))
        .order_by(customer.id.desc())
        .limit(MAX_CUSTOMERS)
    ).all()
    found = {
        id_: Holder(id_, email or "", None)
        for id_, email, adopted in own
        # Somebody who came by a forwarded link may have typed an address on Stripe's page. It opens nothing.
        if folded_email(email or "") == address and "primary_email" not in (adopted or ())
    }
    invited = session.execute(
        sa.select(customer.id, BillingPerson.email, BillingPerson.id)
        .join(BillingPerson, BillingPerson.customer_id == customer.id)
        .where(
            BillingPerson.email == address,
            BillingPerson.removed_at.is_(None),
            customer.deleted_at.is_(None),
        )
        .order_by(customer.id.desc())
        .limit(MAX_CUSTOMERS)
    ).all()
    for row in invited:
        found.setdefault(row[0], Holder(*row))
    return list(found.values())[:MAX_CUSTOMERS]


def _store(session: Session, address: str, code: str, browser: str) -> None:
    now, id_ = utcnow(), new_id()
    values = {
        "id": id_,
        "address_hash": keyed_hash("address", folded_email(address)),
        "browser_hash": browser_hash(browser),
        "code_hash": keyed_hash("code", f"{id_}:{code}"),
        "tries": 0,
        "created_at": now,
        "expires_at": now + LIFETIME,
        "used_at": None,
    }
    insert = db.insert(session, BillingCode).values(values)
    session.execute(insert.on_conflict_do_update(index_elements=["address_hash"], set_=values))


def _count_try(session: Session, address: str, browser: str) -> BillingCode | None:
    """Count a try for the code that this browser asked for, while it has tries and time left."""
    return session.scalar(
        sa.update(BillingCode)
        .where(
            BillingCode.address_hash == keyed_hash("address", folded_email(address)),
            BillingCode.browser_hash == browser_hash(browser),
            BillingCode.tries < MAX_TRIES,
            BillingCode.expires_at > utcnow(),
            BillingCode.used_at.is_(None),
        )
        .values(tries=BillingCode.tries + 1)
        .returning(BillingCode)
        .execution_options(synchronize_session=False, populate_existing=True)
    )


def _claim(session: Session, code_id: str) -> bool:
    """Use a code up. Of two requests with the right code, one is the first."""
    used = session.scalar(
        sa.update(BillingCode)
        .where(BillingCode.id == code_id, BillingCode.used_at.is_(None))
        .values(used_at=utcnow())
        .returning(BillingCode.id)
        .execution_options(synchronize_session=False)
    )
    return used is not None


def _purge(session: Session) -> None:
    """Delete codes that are over, some at a time."""
    old = sa.select(BillingCode.id).where(BillingCode.expires_at < utcnow() - LIFETIME).limit(MAX_PURGED)
    session.execute(
        sa.delete(BillingCode).where(BillingCode.id.in_(old)).execution_options(synchronize_session=False)
    )


def _message(address: str, code: str) -> Message:
    """Write the message in the reader's language.

    It has nothing that a visitor typed: anybody can sign up with the address of somebody else.
    """
    company = portal.current_profile().brand.company_name
    text = "\n\n".join(
        (
            gettext("Your code is %(code)s.", code=code),
            gettext("Enter it in the browser where you asked for it. It works once, within 15 minutes."),
            gettext("It opens the billing page of %(names)s.", names=company),
            gettext("You didn’t ask for it? Then ignore this message. Never give the code to anybody."),
        )
    )
    return Message(to=address, subject=gettext("Your code for the billing page"), text=text)


def keyed_hash(kind: str, text: str) -> str:
    """Hash a short secret with the installation's key, so that nobody can guess it back from the database."""
    key = str(current_app.secret_key).encode()
    return hmac.new(key, f"billing-{kind}:{text}".encode(), hashlib.sha256).hexdigest()
