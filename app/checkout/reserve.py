"""The rows of Checkout Sessions that are about to be opened."""

from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.checkout.models import CheckoutSession
from app.core import db
from app.core.db import utcnow
from app.core.errors import Conflict
from app.gateway import KEY_LIFETIME, CheckoutSessionOptions
from app.payers import Payer

MAX_TRIES = 3  # a twin may delete its row between our two statements
RETENTION = timedelta(days=2)  # of what was never opened


@dataclass(frozen=True, kw_only=True)
class Order:
    """What every surface asks for: who will pay, and on what terms."""

    customer_id: str
    options: CheckoutSessionOptions
    idempotency_key: str | None = None  # the caller's; the same key finds the same checkout session
    is_own: bool = False  # for our own pages, which share one session
    stripe_customer_id: str | None = None  # an existing one to link
    profile: str | None = None  # of the portal, for our own pages; None: the default one
    closes_older: bool = False  # should the payer's older open sessions expire?
    is_first: bool = False  # was the customer stored a moment ago, so that it has nothing yet?


def reserve(session: Session, payer: Payer, order: Order, *, is_new: bool = False) -> CheckoutSession:
    """Return the row to continue with: our pages' current one, that of the caller's key, or a new one.

    A unique index decides which of several inserts was first, and the others find its row. For a new payer,
    which nobody else sees yet, there is nothing to find. Flushes.
    """
    which: sa.ColumnElement[bool]
    if is_new:
        return _insert(session, payer, order)
    if order.is_own:
        _retire_current(session, payer, order)
        which = CheckoutSession.is_current.is_(True)
    elif order.idempotency_key is not None:
        _forget_old_key(session, payer, order.idempotency_key)
        which = CheckoutSession.idempotency_key == order.idempotency_key
    else:
        return _insert(session, payer, order)
    insert = db.insert(session, CheckoutSession).on_conflict_do_nothing()
    query = sa.select(CheckoutSession).where(CheckoutSession.payer_id == payer.id, which)
    for _ in range(MAX_TRIES):
        session.execute(insert.values(_values(payer, order)))
        found = session.scalar(query.execution_options(populate_existing=True))
        if found is not None:
            return found
    raise Conflict("Checkout sessions of this customer come and go just now. Try again in a moment.")


def forget(session: Session, reserved: CheckoutSession) -> None:
    """Delete a useless reservation, unless a twin has recorded it. Commits."""
    db.start_write(session)
    session.execute(
        sa.delete(CheckoutSession)
        .where(CheckoutSession.id == reserved.id, CheckoutSession.stripe_session_id.is_(None))
        .execution_options(synchronize_session=False)
    )
    session.commit()


def purge(session: Session) -> None:
    """Delete the reservations that nobody came back for. Commits."""
    db.start_write(session)
    session.execute(
        sa.delete(CheckoutSession)
        .where(CheckoutSession.stripe_session_id.is_(None), CheckoutSession.created_at < utcnow() - RETENTION)
        .execution_options(synchronize_session=False)
    )
    session.commit()


def _insert(session: Session, payer: Payer, order: Order) -> CheckoutSession:
    row = CheckoutSession(**_values(payer, order))
    session.add(row)
    session.flush()
    return row


def _values(payer: Payer, order: Order) -> dict[str, Any]:
    return {
        "payer_id": payer.id,
        "options": asdict(order.options),
        "currency": order.options.currency,
        "idempotency_key": order.idempotency_key,
        "is_current": order.is_own,
        "profile": order.profile,
    }


def _retire_current(session: Session, payer: Payer, order: Order) -> None:
    """Let the current session be current no longer where it is over, too old or in other terms.

    The terms are the currency and the language.
    """
    now = utcnow()
    is_reserved = CheckoutSession.stripe_session_id.is_(None)
    is_usable = sa.or_(
        sa.and_(is_reserved, CheckoutSession.created_at > now - KEY_LIFETIME),
        sa.and_(CheckoutSession.status == "open", CheckoutSession.expires_at > now),
    )
    locale = CheckoutSession.options["locale"].as_string()
    is_readable = sa.or_(locale.is_(None), locale == order.options.locale)
    session.execute(
        sa.update(CheckoutSession)
        .where(
            CheckoutSession.payer_id == payer.id,
            CheckoutSession.is_current,
            sa.not_(sa.and_(is_usable, CheckoutSession.currency == order.options.currency, is_readable)),
        )
        .values(is_current=False)
        .execution_options(synchronize_session=False)
    )


def _forget_old_key(session: Session, payer: Payer, key: str) -> None:
    """Let a key that was used more than a day ago name a new session, as it does at Stripe."""
    session.execute(
        sa.update(CheckoutSession)
        .where(
            CheckoutSession.payer_id == payer.id,
            CheckoutSession.idempotency_key == key,
            CheckoutSession.created_at < utcnow() - KEY_LIFETIME,
        )
        .values(idempotency_key=None)
        .execution_options(synchronize_session=False)
    )
