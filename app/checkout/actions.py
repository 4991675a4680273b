"""Opening hosted pages."""

from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import NoReturn

import structlog
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app import apps, audit, customers, payers
from app.checkout import expected, queries
from app.checkout.blocked import refuse_blocked
from app.checkout.keys import session_key
from app.checkout.models import CheckoutSession
from app.checkout.replaced import close_older
from app.checkout.status import restate
from app.core import db
from app.core.config import settings
from app.core.db import utcnow
from app.core.errors import Conflict, PreconditionFailed
from app.gateway import HostedSession, PageOptions, StripeGateway, StripeObjectMissing, StripeRefused

FORGOTTEN = timedelta(hours=20)  # Stripe remembers an idempotency key for a day at least
SETTLED = timedelta(minutes=1)  # by then, whoever asked Stripe at the same time has had the answer
MOST_DELETED = 5  # Stripe customers that turn out to be deleted while one page is opened


@dataclass(frozen=True, kw_only=True)
class Order:
    """What every surface asks for: who will pay, on what page, and where to send them after.

    The customer's id says whether it is a new one. The key names this wish for a page: the same order
    with the same key finds the same page, another key opens another.
    """

    customer: customers.NewCustomer
    page: PageOptions
    key: str
    stripe_customer_id: str | None = None  # an existing one that is to be taken
    replaces_open: bool = False  # does it take the place of the payer's open sessions?


@dataclass(frozen=True, kw_only=True)
class Started:
    """A page that was opened: our row of it, and what Stripe said."""

    session: CheckoutSession
    payer: payers.Payer
    hosted: HostedSession
    closed: frozenset[str] = frozenset()  # the payer's older sessions that were closed at Stripe


class Raced(Conflict):
    """A concurrent call for the same customer was quicker: looking again and trying again is right."""

    is_passing = True


def start(session: Session, app: apps.App, order: Order, *, actor: str) -> Started:
    """See to a customer, its Stripe customer and a hosted page on which it saves a payment method.

    What is missing is made. Reads, ends its reading, asks Stripe, then writes; the caller commits. Only that
    a Stripe customer is expected is committed before it is asked for.
    The idempotency keys are made of the customer's id and the order's key, so the same order finds the
    same Stripe objects whether it is repeated at once, later, or after a crash in between; what is expected
    finds them when Stripe has forgotten the keys. Whose Stripe customer was deleted there gets another,
    whether or not we knew of the deletion; so does whose Stripe customer was unbound. An order that
    replaces what is open has the payer's older open sessions expire at Stripe before it is recorded.

    Raises CustomerTaken when another customer has the key or a subject key; PreconditionFailed for a
    deleted customer, and for a given Stripe customer that is not there or is somebody else's; Conflict for
    one that takes the place of another; Raced; and what the gateway raises.
    """
    structlog.contextvars.bind_contextvars(customer_id=order.customer.id)  # for the log, from here on
    plan = _plan(session, app, order)
    hosted, stripe_customer_id = _opened(session, apps.connect(app), app, order, plan)
    closed: frozenset[str] = frozenset()
    if order.replaces_open and plan.payer is not None:
        closed = close_older(session, plan.payer, hosted.id)
    db.start_write(session)
    try:
        payer = _record_payer(session, app, order, stripe_customer_id, plan, actor=actor)
        opened = _record_page(session, payer, order, hosted, actor=actor)
        session.flush()
        restate(session, payer, utcnow())
        session.flush()
    except IntegrityError as error:
        session.rollback()
        raise Raced("conflict error: this customer is being set up already; try again") from error
    return Started(session=opened, payer=payer, hosted=hosted, closed=closed)


@dataclass
class _Plan:
    """What is there already."""

    is_new: bool  # is the customer not there yet?
    payer: payers.Payer | None  # whose Stripe customer is there, as far as we know
    lost: set[str]  # Stripe customers (cus_…) that stood for the customer and were deleted at Stripe


def _plan(session: Session, app: apps.App, order: Order) -> _Plan:
    """Find what is there. Ends the reading. Raises what forbids the order."""
    # Before the customer: who is deleted between the two must not seem to lack a Stripe customer only.
    payer = payers.of_customer(session, app.id, order.customer.id)
    lost = payers.lost_of_customer(session, app.id, order.customer.id)
    customer = session.get(customers.Customer, order.customer.id, populate_existing=True)
    if customer is None:
        customers.refuse_taken(session, order.customer)
    else:
        customers.refuse_deleted(customer)
    refuse_blocked(payer)
    if payer is not None and payer.gone_at is not None:
        payer = None
    if order.stripe_customer_id is not None:
        _refuse_bound(session, app, order, payer)
    db.end_read(session)
    return _Plan(customer is None, payer, lost)


def _opened(
    session: Session, stripe: StripeGateway, app: apps.App, order: Order, plan: _Plan
) -> tuple[HostedSession, str]:
    """The page, and the Stripe customer for whom it is; another one where Stripe says that it was deleted."""
    for _ in range(MOST_DELETED):
        if plan.payer is not None:
            customer_id = plan.payer.stripe_customer_id
        else:
            customer_id = _stripe_customer(session, stripe, app, order, plan.lost)
        named = session_key(order.key, app, order.customer.id, customer_id, asdict(order.page))
        try:
            hosted = stripe.open_setup_session(
                customer_id, order.page, metadata=_metadata(app, order.customer.id), idempotency_key=named
            )
        except StripeRefused as error:
            is_about_it = "customer" in error.fields and order.stripe_customer_id is None
            if not is_about_it or not _is_gone(stripe, customer_id):
                raise
            plan.lost.add(customer_id)
            plan.payer = None
        else:
            return hosted, customer_id
    raise Raced("conflict error: its Stripe customers are deleted as soon as they are made; try again")


def _is_gone(stripe: StripeGateway, customer_id: str) -> bool:
    try:
        return stripe.customer(customer_id).deleted
    except StripeObjectMissing:
        return True


def _refuse_bound(session: Session, app: apps.App, order: Order, payer: payers.Payer | None) -> None:
    wanted = order.stripe_customer_id
    if payer is not None and payer.stripe_customer_id != wanted:
        bound = f"customer {order.customer.id} is bound to Stripe customer {payer.stripe_customer_id}"
        raise Conflict(f"conflict error: {bound}")
    holder = payers.of_stripe_customer(session, app.id, wanted) if wanted else None
    if holder is not None and holder.customer_id != order.customer.id:
        raise PreconditionFailed(
            f"precondition failed error: Stripe customer {wanted} is bound to another customer"
        )


def _stripe_customer(
    session: Session, stripe: StripeGateway, app: apps.App, order: Order, lost: set[str]
) -> str:
    """The given Stripe customer, if it is there, else a new one; after so many lost ones, another new one."""
    if order.stripe_customer_id is None:
        return _new_stripe_customer(session, stripe, app, order.customer, lost)
    try:
        found = stripe.customer(order.stripe_customer_id)
    except StripeObjectMissing as error:
        raise PreconditionFailed(f"precondition failed error: {error.detail}") from error
    if found.deleted:
        raise PreconditionFailed(f"precondition failed error: Stripe customer {found.id} is deleted")
    return found.id


def _new_stripe_customer(
    session: Session, stripe: StripeGateway, app: apps.App, wanted: customers.NewCustomer, lost: set[str]
) -> str:
    """A new Stripe customer, or the one of an earlier try that was never recorded; nobody else's, ever."""
    marks = _metadata(app, wanted.id)

    def is_taken(found: str) -> bool:
        is_somebodys = queries.is_taken(session, app.id, found, customer_id=wanted.id)
        db.end_read(session)
        return found in lost or is_somebodys

    now, asked = utcnow(), expected.find(session, app.id, wanted.id)
    is_forgotten = asked is not None and asked.first_asked_at < now - FORGOTTEN
    if asked is not None and is_forgotten:
        known = stripe.find_customer(
            marks, since=asked.first_asked_at, until=asked.last_asked_at, is_taken=is_taken
        )
        if known is not None:
            stripe.update_customer(known, name=wanted.name, email=wanted.primary_email or "")
            return known
    since = now if asked is None or is_forgotten else asked.first_asked_at
    expected.note(session, app.id, wanted, since=since)
    _refuse_twin(session, app, wanted, lost)
    again = f"-again-{len(lost)}" if lost else ""
    made = stripe.create_customer(
        name=wanted.name,
        email=wanted.primary_email,
        metadata=marks,
        idempotency_key=f"gangway-customer-{app.id}-{wanted.id}{again}",  # whatever its name: never two
        since=since,
        is_taken=is_taken,
    )
    if is_taken(made):
        raise Raced("conflict error: what Stripe made for this customer is taken; try again")
    return made


def _refuse_twin(session: Session, app: apps.App, wanted: customers.NewCustomer, lost: set[str]) -> None:
    """Ask for nothing, and change no name at Stripe, once a twin has recorded what it made. Ends the reading.

    A twin that records it later finds that this call asked, too. Commits when it refuses.
    """
    payer = payers.of_customer(session, app.id, wanted.id)
    db.end_read(session)
    if payer is None or payer.gone_at is not None or payer.stripe_customer_id in lost:
        return
    db.start_write(session)
    if not expected.settle(session, app.id, wanted):
        payers.expect_contact(session, payer.id, utcnow())
    session.commit()
    raise Raced("conflict error: this customer is being set up already; try again")


def _record_payer(
    session: Session, app: apps.App, order: Order, stripe_customer_id: str, plan: _Plan, *, actor: str
) -> payers.Payer:
    """Store what is missing of customer and payer; a concurrent twin may have stored some of it."""
    customer = session.get(customers.Customer, order.customer.id, populate_existing=True)
    if customer is None:
        customer = customers.create(session, order.customer, actor=actor)
    customers.refuse_deleted(customer)
    payer = payers.of_customer(session, app.id, customer.id)
    if plan.is_new and not customers.is_same(customer, order.customer):
        _refuse_rival(session, payer)
    if payer is not None and payer.stripe_customer_id in plan.lost:
        payers.end_gone(session, payer)
        payer = None
    if payer is None:
        payer = payers.take_up(session, app.id, customer.id, stripe_customer_id)
    elif payer.stripe_customer_id != stripe_customer_id:
        session.rollback()
        raise Raced("conflict error: this customer is being set up already; try again")
    if order.stripe_customer_id is None:  # also what a call left that found the payer recorded by its twin
        is_told = expected.settle(session, app.id, order.customer)
        if not is_told:
            payers.expect_contact(session, payer.id, utcnow() + SETTLED)
    # As it is now, and stays: a worker may have found the method saved since it was read.
    return payers.fresh(session, payer.id, lock=True)


def _refuse_rival(session: Session, payer: payers.Payer | None) -> NoReturn:
    """A call with other details was quicker: what it stored counts, at Stripe, too. Commits."""
    if payer is not None:
        payers.expect_contact(session, payer.id, utcnow())
    session.commit()
    raise Raced("conflict error: this customer is being set up already, with other details")


def _record_page(
    session: Session, payer: payers.Payer, order: Order, hosted: HostedSession, *, actor: str
) -> CheckoutSession:
    """Store the page, unless a twin of this order has."""
    known = session.get(CheckoutSession, hosted.id, populate_existing=True)
    if known is not None:
        return known
    opened = CheckoutSession(
        id=hosted.id,
        payer_id=payer.id,
        setup_intent_id=hosted.setup_intent_id,
        url=hosted.url,
        currency=order.page.currency,
        expires_at=hosted.expires_at,
    )
    session.add(opened)
    pull_at = utcnow() + timedelta(seconds=settings().pull_interval)
    is_given = order.stripe_customer_id is not None and payer.verified_at is None
    why = "binding" if is_given else None  # it may have methods from before
    payers.mark_due(session, payer.id, pull_at, why=why, by_clock=True)
    audit.note(
        session,
        "checkout.started",
        actor=actor,
        customer_id=payer.customer_id,
        app_id=payer.app_id,
        stripe_customer_id=payer.stripe_customer_id,
        session_id=opened.id,
    )
    return opened


def _metadata(app: apps.App, customer_id: str) -> dict[str, str]:
    return {"om_namespace": apps.NAMESPACE, "om_app_id": app.id, "om_customer_id": customer_id}
