"""Make our record of a payer equal to what Stripe says now. Nothing else writes payment-method state."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum
from random import SystemRandom

from sqlalchemy.orm import Session

from app import apps, checkout, db, journal, payers, webhooks
from app.config import settings
from app.db import utcnow
from app.errors import AppError
from app.gateway import (
    CustomerFacts,
    Method,
    SessionFacts,
    StripeGateway,
    StripeKeyRejected,
    StripeObjectMissing,
    StripeUnavailable,
)
from app.sync.leases import Lease

MOST_TRIES = 15  # with doubling from two seconds to an hour: about half a day
LONGEST_WAIT = 3600.0
LONGEST_PULL = timedelta(hours=6)
YOUNG = timedelta(hours=1)  # most who finish, finish by then
FRESH = timedelta(minutes=1)
_dice = SystemRandom()


class Outcome(Enum):
    """How a convergence ended."""

    CURRENT = "current"  # our record is what Stripe said
    FAILED = "failed"  # Stripe did not answer well; it will be tried again
    SUPERSEDED = "superseded"  # the lease ran out and another has taken over; nothing was written


@dataclass
class Truth:
    """What Stripe said of one payer, gathered in as few calls as will do."""

    customer: CustomerFacts
    pages: dict[str, SessionFacts | None] = field(default_factory=dict)  # None: Stripe knows no such page
    methods: list[Method] | None = None  # all attached ones, when they were asked for


def converge(session: Session, lease: Lease) -> Outcome:
    """Converge the payer of a lease, and give the lease back. Commits.

    Read, end the reading, ask Stripe, write, commit: a convergence that is killed anywhere leaves the
    payer due or its lease to run out, and the next one does the same again.
    """
    payer = payers.fresh(session, lease.payer_id)
    pages = checkout.unsettled(session, payer.id)
    event_ids = webhooks.waiting(session, payer.id)
    methods = {row.id for row in payer.methods if row.detached_at is None}
    methods |= webhooks.methods_told_of(session, payer.id)
    db.end_read(session)
    asked_at = utcnow()
    try:
        stripe = apps.connect(payer.app)
        truth = _ask(stripe, payer, pages, methods)
        _apply_policy(stripe, payer, pages, truth)
    except AppError as error:
        return _failed(session, lease, error, event_ids)
    return _write(session, lease, truth, event_ids, asked_at)


def dismiss_known(session: Session, lease: Lease) -> bool:
    """Finish the events that tell nothing new any more; True when nothing is left to ask Stripe about.

    An event that arrived while a convergence was under way is judged once more when that is over. This
    is what makes four events about one saved card cost one convergence. Commits; True gives the lease back.
    """
    payer = _fenced(session, lease)
    if payer is None:
        return True
    dismissed, left = webhooks.dismiss_known(session, payer)
    is_quiet = bool(dismissed) and not left
    if is_quiet:
        payer.due_at = _next_pull(session, payer, utcnow())
        _release(payer)
    session.commit()
    return is_quiet


def is_current(session: Session, payer: payers.Payer) -> bool:
    """Is our record final, and fresh enough to be shown without asking?"""
    fresh = payer.verified_at is not None and utcnow() - payer.verified_at < FRESH
    return fresh and not checkout.unsettled(session, payer.id)


def _ask(
    stripe: StripeGateway, payer: payers.Payer, pages: list[checkout.CheckoutSession], methods: set[str]
) -> Truth:
    """One call when a page is unfinished: it brings its SetupIntent, the customer and the default along.

    One more when that leaves open what became of some method that we hold or were told of.
    """
    known: dict[str, SessionFacts | None] = {}
    for page in pages:
        try:
            known[page.id] = stripe.session(page.id)
        except StripeObjectMissing:
            known[page.id] = None
    customer = next((facts.customer for facts in known.values() if facts), None)
    if customer is None:
        try:
            customer = stripe.customer(payer.stripe_customer_id)
        except StripeObjectMissing:
            customer = CustomerFacts(id=payer.stripe_customer_id, deleted=True, default_method=None)
        is_clear = False
    else:
        shown = [customer.default_method, *(facts.setup.method for facts in known.values() if facts)]
        is_clear = methods <= {method.id for method in shown if method}
    truth = Truth(customer, known)
    if not is_clear and not customer.deleted:
        truth.methods = stripe.payment_methods(payer.stripe_customer_id)
    return truth


def _apply_policy(
    stripe: StripeGateway, payer: payers.Payer, pages: list[checkout.CheckoutSession], truth: Truth
) -> None:
    """Make the method that was saved last the one that is charged, once for each page.

    Once, so that a default which somebody chooses later, in Stripe's Dashboard, is not undone.
    """
    if truth.customer.deleted:
        return
    known = (truth.pages[page.id] for page in pages)  # the newest page first
    saved = (facts.setup.method for facts in known if facts and facts.setup.status == "succeeded")
    method, default = next(filter(None, saved), None), truth.customer.default_method
    if method is None:
        return
    keeps = settings().payment_method_policy == "keep" and default is not None
    if method.customer_id != payer.stripe_customer_id or keeps or (default and default.id == method.id):
        return
    truth.customer = stripe.set_default_method(payer.stripe_customer_id, method.id)


def _write(session: Session, lease: Lease, truth: Truth, event_ids: list[str], asked_at: datetime) -> Outcome:
    """Store what Stripe said, in one commit with the events that it settles."""
    now = utcnow()
    payer = _fenced(session, lease)
    if payer is None:
        return Outcome.SUPERSEDED
    for page in checkout.unsettled(session, payer.id):
        if page.id in truth.pages:
            _write_page(session, payer, page, truth.pages[page.id], now)
    _write_methods(session, payer, truth, now)
    _write_customer(session, payer, truth.customer, now)
    apps.note_key_state(session, payer.app, accepted=True)

    payer.verified_at, payer.attempts, payer.last_error = asked_at, 0, None
    if payer.hints == lease.hints:  # else something was hinted at meanwhile, and the payer stays due
        payer.due_at = _next_pull(session, payer, now)
    _release(payer)
    webhooks.finish(session, payer.id, event_ids)
    session.commit()
    return Outcome.CURRENT


def _write_page(
    session: Session,
    payer: payers.Payer,
    page: checkout.CheckoutSession,
    facts: SessionFacts | None,
    now: datetime,
) -> None:
    if facts is None:  # Stripe has forgotten it, as it does when test data is wiped
        page.status, page.setup_status, page.settled_at = "expired", "canceled", now
        _note(session, payer, "checkout.expired", session_id=page.id)
        return
    setup, before = facts.setup, (page.status, page.setup_status, page.error_code, page.decline_code)
    page.status, page.setup_status, page.next_action = facts.status, setup.status, setup.next_action
    page.error_code, page.decline_code, page.error_message = (
        setup.error_code,
        setup.decline_code,
        setup.error_message,
    )
    if setup.method is not None:
        page.payment_method_id = setup.method.id
    if before != (page.status, page.setup_status, page.error_code, page.decline_code):
        _note(
            session,
            payer,
            _what_happened(page),
            session_id=page.id,
            setup_intent_id=setup.id,
            payment_method_id=page.payment_method_id,
            error_code=setup.error_code,
            decline_code=setup.decline_code,
        )
    failed_after_form = page.status == "complete" and setup.status == "requires_payment_method"
    if setup.status in {"succeeded", "canceled"} or page.status == "expired" or failed_after_form:
        page.settled_at = now


def _what_happened(page: checkout.CheckoutSession) -> str:
    if page.setup_status == "succeeded":
        return "setup.succeeded"
    if page.status == "expired":
        return "checkout.expired"
    if page.error_code:
        return "setup.failed"
    if page.status == "complete":
        return "setup.processing"
    return f"setup.{page.setup_status}"


def _write_methods(session: Session, payer: payers.Payer, truth: Truth, now: datetime) -> None:
    facts = [page.setup.method for page in truth.pages.values() if page and page.setup.status == "succeeded"]
    facts += [truth.customer.default_method, *(truth.methods or [])]
    for method in filter(None, facts):
        is_new = method.id not in {row.id for row in payer.methods}
        row = payers.remember(payer, method)
        if is_new and row.detached_at is None:
            _note(session, payer, "payment_method.saved", payment_method_id=row.id, shown=row.title)
    if truth.customer.deleted:
        attached: set[str] = set()
    elif truth.methods is not None:
        attached = {method.id for method in truth.methods}
    else:
        return
    for row in payer.methods:
        if row.detached_at is None and row.id not in attached:
            row.detached_at = now
            _note(session, payer, "payment_method.removed", payment_method_id=row.id, shown=row.title)


def _write_customer(session: Session, payer: payers.Payer, facts: CustomerFacts, now: datetime) -> None:
    if facts.deleted:
        if payer.gone_at is None:
            payer.gone_at = now
            _note(session, payer, "stripe_customer.deleted", stripe_customer_id=payer.stripe_customer_id)
        payer.default_method_id = None
        return
    default = facts.default_method.id if facts.default_method else None
    if default != payer.default_method_id:
        _note(
            session,
            payer,
            "default_method.changed",
            payment_method_id=default,
            before=payer.default_method_id,
        )
        payer.default_method_id = default


def _next_pull(session: Session, payer: payers.Payer, now: datetime) -> datetime | None:
    """When to look unasked: each interval while a page is young, more rarely later, never once settled."""
    pages = checkout.unsettled(session, payer.id)
    if not pages or payer.gone_at is not None:
        return None
    youngest = pages[0]
    interval = timedelta(seconds=settings().pull_interval)
    age = now - youngest.created_at
    wait = interval if age < YOUNG else min(max(interval, age / 2), LONGEST_PULL)
    if youngest.status == "open":  # its end is news, whether or not Stripe's event about it comes
        wait = min(wait, max(interval, youngest.expires_at - now + timedelta(seconds=5)))
    return now + wait


def _failed(session: Session, lease: Lease, error: AppError, event_ids: list[str]) -> Outcome:
    """Note what failed and when to try again; after many tries, leave it to a person."""
    payer = _fenced(session, lease)
    if payer is None:
        return Outcome.SUPERSEDED
    payer.attempts += 1
    payer.last_error = error.detail
    if isinstance(error, StripeKeyRejected):
        apps.note_key_state(session, payer.app, accepted=False)
    if payer.attempts >= MOST_TRIES and payer.hints == lease.hints:  # what was hinted at since gets its try
        payer.due_at = None
        webhooks.finish(session, payer.id, event_ids, failed=error.detail)
        _note(session, payer, "sync.gave_up", reason=error.detail)
    else:
        asked_for = error.retry_after if isinstance(error, StripeUnavailable) else None
        wait = min(2.0**payer.attempts, LONGEST_WAIT) * _dice.uniform(0.5, 1.0)
        payer.due_at = utcnow() + timedelta(seconds=max(wait, asked_for or 0.0))
    _release(payer)
    session.commit()
    return Outcome.FAILED


def _fenced(session: Session, lease: Lease) -> payers.Payer | None:
    """The payer, locked, if the lease is still ours: a slow worker must not overwrite a newer result."""
    db.start_write(session)
    payer = payers.fresh(session, lease.payer_id, lock=True)
    if payer.lease != lease.token:
        session.rollback()
        return None
    return payer


def _release(payer: payers.Payer) -> None:
    payer.lease = payer.leased_until = None


def _note(session: Session, payer: payers.Payer, kind: str, **facts: str | None) -> None:
    journal.note(session, kind, actor="stripe", customer_id=payer.customer_id, app_id=payer.app_id, **facts)
