"""Opens Checkout Sessions."""

from contextlib import suppress
from dataclasses import asdict
from datetime import datetime, timedelta

import structlog
from sqlalchemy.orm import Session

from app import apps, customers, payers
from app.checkout.models import CheckoutSession
from app.checkout.queries import latest
from app.checkout.reservations import find_or_reserve, forget
from app.checkout.status import restate
from app.core import db
from app.core.config import settings
from app.core.database import rows
from app.core.db import utcnow
from app.core.errors import Conflict, PreconditionFailed
from app.core.values import frozen
from app.gateway import (
    CheckoutSessionOptions,
    OpenedSession,
    StripeFailureStored,
    StripeGateway,
    StripeInProgress,
    StripeRefused,
)
from app.payers import Payer

BUSY = "A checkout session is already being opened for this customer. Try again in a moment."
MAX_TRIES = 10  # each waits for Stripe, so a concurrent twin has recorded its answer long before


class TooManyDeclines(PreconditionFailed):
    """Somebody may be testing stolen cards, so no session is opened for now."""

    title = "Too many tries were declined"


@frozen(kw_only=True)
class Order:
    """What every surface asks for: who will pay, and on what terms."""

    customer_id: str
    options: CheckoutSessionOptions
    idempotency_key: str | None = None  # the caller's; the same key finds the same checkout session
    is_own: bool = False  # for our own pages, which share one session
    stripe_customer_id: str | None = None  # an existing one to link
    profile: str | None = None  # of the portal, for our own pages; None: the default one


@frozen(kw_only=True)
class Reservation:
    """An order with its rows, before Stripe is asked."""

    order: Order
    payer: Payer
    session: CheckoutSession
    is_new: bool  # is the payer new, too?


@frozen(kw_only=True)
class Started:
    """A checkout session that can be used, and what Stripe said when this call opened it."""

    session: CheckoutSession
    payer: Payer
    opened: OpenedSession | None = None  # None: an earlier call had opened it


def reserve(session: Session, app: apps.App, order: Order) -> Reservation:
    """Reserve the payer and the checkout session of an order. Flushes.

    Once this is committed, the worker completes the payer, even if nobody comes back. Raises
    PreconditionFailed for a customer that is deleted or not approved, TooManyDeclines and Conflict.
    """
    payer, is_new = _reserve_payer(session, app, order)
    reserved = _reserve(session, payer, order, is_new=is_new)
    return Reservation(order=order, payer=payer, session=reserved, is_new=is_new)


def start(
    session: Session, app: apps.App, order: Order, *, actor: str, reservation: Reservation | None = None
) -> Started:
    """Open a Checkout Session for a customer to save a payment method, and commit each step.

    Reserve, ask Stripe, record: a repeat, a concurrent call and a restart continue from the rows that they
    find. With `reservation`, the caller has committed the first step. A Stripe customer that was deleted or
    unbound is replaced by a new one.

    Raises PreconditionFailed for a customer that is deleted or not approved, TooManyDeclines, Conflict, and
    what the gateway raises. The reservation then stays, and the next call continues from it.
    """
    structlog.contextvars.bind_contextvars(customer_id=order.customer_id)  # for the log, from here on
    for number in range(MAX_TRIES):
        if reservation is None:
            if number:
                db.end_read(session)
            reservation = reserve(session, app, order)
            session.commit()
        started = _start_reserved(session, reservation, actor=actor)
        if started is not None:
            return started
        reservation = None
    raise Conflict(BUSY)


def _start_reserved(session: Session, reservation: Reservation, *, actor: str) -> Started | None:
    """Ask Stripe for what is reserved, and record it. Return None when its rows are no longer usable."""
    order, reserved = reservation.order, reservation.session
    payer = payers.create_at_stripe(session, reservation.payer)
    if payer.deleted_at is not None:  # unbound, or bound to another, meanwhile
        return None
    opened = None
    if reserved.stripe_session_id is None or order.idempotency_key is not None:
        opened = _open(session, apps.connect(payer.app), payer, reserved, is_shared=order.is_own)
        is_done = opened is not None and (
            (reservation.is_new and _record_first(session, payer, reserved, opened, actor=actor))
            or _record(session, reserved, opened, order, actor=actor)
        )
        if not is_done:
            return None
    return Started(session=reserved, payer=payer, opened=opened)


def is_blocked(payer: Payer) -> bool:
    """Were so many attempts of this payer declined that no session opens for it now?"""
    return settings().max_declines > 0 and payer.is_blocked(utcnow())


def _reserve_payer(session: Session, app: apps.App, order: Order) -> tuple[Payer, bool]:
    """Return the payer, and whether it is new. Flushes. Raises PreconditionFailed and TooManyDeclines."""
    customers.refuse_unapproved(session.get_one(customers.Customer, order.customer_id))
    if order.stripe_customer_id is None:
        payer, is_new = payers.reserve(session, app, order.customer_id)
    else:
        payer, is_new = payers.bind_first(session, app, order.customer_id, order.stripe_customer_id), False
    if is_blocked(payer):
        raise TooManyDeclines("too many attempts of this customer were declined")
    return payer, is_new


def _reserve(session: Session, payer: Payer, order: Order, *, is_new: bool) -> CheckoutSession:
    """Reserve a checkout session. Our own pages share one, and so do calls with one key. Flushes."""
    wanted = CheckoutSession(
        payer_id=payer.id,
        options=asdict(order.options),
        currency=order.options.currency,
        idempotency_key=order.idempotency_key,
        is_current=order.is_own,
        profile=order.profile,
    )
    if not is_new and (order.is_own or order.idempotency_key is not None):
        return find_or_reserve(session, wanted)
    session.add(wanted)
    session.flush()
    return wanted


def _open(
    session: Session, stripe: StripeGateway, payer: Payer, reserved: CheckoutSession, *, is_shared: bool
) -> OpenedSession | None:
    """Ask Stripe for a reserved session. Return None when its Stripe customer turns out to be deleted.

    While a concurrent request is still running, ask again: Stripe gives both the same session. For a shared
    session, return None instead, because the other request may have recorded it.
    """
    assert payer.stripe_customer_id is not None
    db.end_read(session)
    try:
        for _ in range(MAX_TRIES):
            with suppress(StripeInProgress):
                return stripe.open_setup_session(
                    payer.stripe_customer_id,
                    CheckoutSessionOptions(**reserved.options),
                    metadata=payers.metadata(payer),
                    idempotency_key=reserved.id,
                )
            if is_shared:
                return None
        raise Conflict(BUSY)
    except StripeFailureStored:  # if it took effect, nobody was given its URL
        forget(session, reserved)
        raise
    except StripeRefused as error:
        forget(session, reserved)
        if "customer" in error.fields and stripe.customer_or_gone(payer.stripe_customer_id).deleted:
            _end(session, payer)
            return None
        raise


def _end(session: Session, payer: Payer) -> None:
    db.start_write(session)
    payers.end_gone(session, payers.fresh(session, payer.id, lock=True))
    session.commit()


def _record(
    session: Session, reserved: CheckoutSession, opened: OpenedSession, order: Order, *, actor: str
) -> bool:
    """Store what Stripe opened, once. False when the payer has ended meanwhile. Commits.

    The lock on the payer puts concurrent calls in order, so that the last one to record finds the others.
    """
    db.start_write(session)
    payer = payers.fresh(session, reserved.payer_id, lock=True)
    if payer.deleted_at is not None:
        session.rollback()
        return False
    if _set_opened(session, payer, reserved, opened, actor=actor):
        # A bound Stripe customer may have methods from before.
        why = "binding" if order.stripe_customer_id is not None and payer.verified_at is None else None
        payers.mark_due(session, payer.id, at=_next_look(), why=why, scheduled=True)
        restate(session, payer, latest(session, payer), utcnow())
    elif session.get(CheckoutSession, reserved.id, populate_existing=True) is None:  # a twin was refused
        session.rollback()
        return False
    session.commit()
    return True


def _record_first(
    session: Session, payer: Payer, reserved: CheckoutSession, opened: OpenedSession, *, actor: str
) -> bool:
    """Do the same for the first session of a new payer, with fewer reads. Commits.

    Return False, with nothing stored, when something else has happened to it since.
    """
    db.start_write(session)
    is_first = payers.note_first_session(session, payer, due_at=_next_look(), until=opened.expires_at)
    if not is_first or not _set_opened(session, payer, reserved, opened, actor=actor):
        session.rollback()
        return False
    session.commit()
    return True


def _set_opened(
    session: Session, payer: Payer, reserved: CheckoutSession, opened: OpenedSession, *, actor: str
) -> bool:
    """Record what Stripe opened in a reserved session, unless another call did so or deleted it. Flushes."""
    values = {
        "stripe_session_id": opened.id,
        "setup_intent_id": opened.setup_intent_id,
        "url": opened.url,
        "status": "open",
        "created_at": utcnow(),
        "expires_at": opened.expires_at,
    }
    is_reserved = CheckoutSession.stripe_session_id.is_(None)
    if rows.update_if(session, reserved, is_reserved, values=values) is None:
        return False
    stripe_ids = {"stripe_customer_id": payer.stripe_customer_id, "session_id": opened.id}
    payers.note(session, payer, "checkout.started", actor=actor, **stripe_ids)
    return True


def _next_look() -> datetime:
    return utcnow() + timedelta(seconds=settings().pull_interval)
