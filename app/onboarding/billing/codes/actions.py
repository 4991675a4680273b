"""One-time codes: six digits, sent to a stored address, with which its owner logs in.

Whether or not an address is known, a request does the same work and gets the same answer. The worker that
sends the message looks up who has the address.
"""

import hmac
import secrets
from datetime import timedelta

import sqlalchemy as sa
from limits import parse_many
from sqlalchemy.orm import Session

from app import outbox, portal
from app.core import db
from app.core.database import statements
from app.core.db import new_id, utcnow
from app.onboarding import queries
from app.onboarding.billing.access import let_in
from app.onboarding.billing.codes import mail as code_mail
from app.onboarding.billing.codes.holders import locked_holders
from app.onboarding.billing.codes.stored import address_hash, is_sent_to
from app.onboarding.billing.models import BillingCode, Way
from app.onboarding.browsers.keyed_hash import keyed_hash
from app.onboarding.browsers.renewal import JUST_NOW, Entered, renew, renewed
from app.onboarding.models import browser_hash
from app.web import limits
from app.web.addresses.client_address import client_address

LIFETIME = timedelta(minutes=15)
MAX_TRIES = 5
MAX_PURGED = 1000  # old codes in one request
BUDGET_OF_CLIENT = "20 per hour"
BUDGET_OF_CLIENT_FOR_ADDRESS = "5 per hour;10 per day"
BUDGET_OF_ADDRESS = "20 per hour;60 per day"  # a stranger alone can't use it up, nor fill a mailbox


def request_code(session: Session, address: str, *, browser: str) -> None:
    """Make the current code of an address in a browser, and put its message in the outbox. Commits.

    It takes the place of the code that this browser asked for before. Codes of other browsers stay as they
    are. Raises TooMany.
    """
    client, mailbox = client_address(), address_hash(address)
    budgets = (
        (BUDGET_OF_CLIENT, client),
        (BUDGET_OF_CLIENT_FOR_ADDRESS, f"{client} {mailbox}"),
        (BUDGET_OF_ADDRESS, mailbox),
    )
    limits.current().spend_items(
        [(item, ("billing-code", name)) for budget, name in budgets for item in parse_many(budget)]
    )
    code = f"{secrets.randbelow(10**6):06}"
    db.start_write(session)
    _purge(session)
    _store(session, address, code, browser)
    outbox.put(session, code_mail.draft(address, code), kind=code_mail.KIND, expires_at=utcnow() + LIFETIME)
    session.commit()


def use_code(session: Session, address: str, code: str, *, browser: str) -> Entered | None:
    """Give a browser access to one of the customers by its code. None for a wrong, old or used code. Commits.

    Of several customers it is one of the profile that this request names, if there is one. A double click
    works, too. The try is counted and committed before anything is compared, so many at once get no more
    tries.
    """
    db.start_write(session)
    row = _count_try(session, address, browser)
    session.commit()
    expected = row.code_hash if row else keyed_hash("code", new_id())
    is_right = hmac.compare_digest(expected, keyed_hash("code", f"{row.id if row else ''}:{code}"))
    if row is None or not is_right:
        return None
    if row.used_at is not None:
        return _again(session, row, browser)
    db.start_write(session)
    # First, in the order of all who end access.
    holders = locked_holders(session, address, portal.current_slug())
    name = renewed(browser, row.id)
    if not holders or not _claim(session, row.id, name):
        session.rollback()
        return _again(session, row, browser)
    renew(session, browser, row.id)
    for holder in reversed(holders):  # the first is the one that was entered last
        customer_id, person_id = holder.customer_id, holder.person_id
        let_in(session, customer_id, name, way=Way.CODE, profile=holder.profile, person_id=person_id)
    session.commit()
    return Entered(holders[0].customer_id, name)


def _again(session: Session, row: BillingCode, browser: str) -> Entered | None:
    """Let a browser in that has just used this code: its first answer may have been lost."""
    name = renewed(browser, row.id)
    used = session.scalar(
        sa.select(BillingCode.id).where(
            BillingCode.id == row.id,
            BillingCode.browser_hash == browser_hash(name),
            BillingCode.used_at > utcnow() - JUST_NOW,
        )
    )
    access = queries.access_of(session, name) if used is not None else None
    return Entered(access.customer_id, name) if access is not None else None


def _store(session: Session, address: str, code: str, browser: str) -> None:
    now, id_ = utcnow(), new_id()
    values = {
        "id": id_,
        "address_hash": address_hash(address, browser),
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
    sent = sa.select(BillingCode.id, BillingCode.browser_hash).where(is_sent_to(address))
    for id_, asked_by in session.execute(sent.order_by(BillingCode.id.desc())).all():
        if asked_by in map(browser_hash, (browser, renewed(browser, id_))):
            break
    else:
        return None
    return session.scalar(
        sa.update(BillingCode)
        .where(
            BillingCode.id == id_,
            BillingCode.tries < MAX_TRIES,
            BillingCode.expires_at > utcnow(),
        )
        .values(tries=BillingCode.tries + 1)
        .returning(BillingCode)
        .execution_options(synchronize_session=False, populate_existing=True)
    )


def _claim(session: Session, code_id: str, name: str) -> bool:
    """Use a code up, and keep which browser did. Of two requests with the right code, one is the first."""
    values = {"used_at": utcnow(), "browser_hash": browser_hash(name)}
    is_unused = sa.and_(BillingCode.id == code_id, BillingCode.used_at.is_(None))
    return statements.update_all(session, BillingCode, is_unused, **values) > 0


def _purge(session: Session) -> None:
    """Delete codes that are over, some at a time."""
    old = sa.select(BillingCode.id).where(BillingCode.expires_at < utcnow() - LIFETIME).limit(MAX_PURGED)
    statements.delete_all(session, BillingCode, BillingCode.id.in_(old))
