"""Make our record of a payer equal to what Stripe says now. Nothing else writes payment-method state."""

import time
from datetime import datetime, timedelta
from enum import Enum

import structlog
from sqlalchemy.orm import Session

from app import apps, audit, checkout, payers, webhooks
from app.core import db, metrics
from app.core.config import settings
from app.core.db import utcnow
from app.core.errors import AppError
from app.gateway import StripeKeyRejected, StripeUnavailable
from app.payers import Payer
from app.sync import contact, payer_leases, schedule, throttle
from app.sync.fetch import LocalState, fetch
from app.sync.payer_leases import Lease
from app.sync.policy import apply_policy
from app.sync.store import store

log = structlog.get_logger("gangway.sync")

MAX_AGE = timedelta(minutes=1)  # of a record that we show without asking Stripe
RENEW_AFTER = timedelta(seconds=5)
ADOPT_RETRY_DELAY = timedelta(seconds=2)  # somebody was changing the customer
TIMER_CAUSES = {"timer", "verify", "expiring", "stale", "reserved"}  # neither an event nor a person


class Outcome(Enum):
    """How a convergence ended."""

    CURRENT = "current"  # our record equals what Stripe said
    FAILED = "failed"  # Stripe failed, or we failed to store its answer; the worker retries
    SUPERSEDED = "superseded"  # another worker took over the lease; nothing was written


class LeaseLost(Exception):
    """Another worker has taken over the lease."""


def converge(session: Session, lease: Lease, *, cause: str | None = None, full: bool = False) -> Outcome:
    """Converge the payer of a lease, and release the lease. Commits.

    Read, end the transaction, fetch from Stripe, store, commit. If the process dies in between, the payer
    stays due or its lease runs out, and the next convergence starts again. Any error while fetching or
    storing counts as a failed attempt, so attempts end. A payer with a due reason is fetched in full.
    """
    began = time.perf_counter()
    payer = payers.fresh(session, lease.payer_id)
    local = LocalState.of(session, payer, full=full or payer.due_reason is not None)
    db.end_read(session)
    cause = cause or payer.due_reason or _cause(local)
    heartbeat = _LeaseHeartbeat(session, lease)
    asked_at = utcnow()
    try:
        if payer.stripe_customer_id is None:  # reserved, and nobody came back for it
            payer = payers.create_at_stripe(session, payer)
            local = LocalState.of(session, payer, full=True)
            db.end_read(session)
        stripe = apps.connect(payer.app)
        state = fetch(stripe, local, heartbeat)
        apply_policy(stripe, local, state, heartbeat)
        contact.tell_contact(stripe, local.contact, state, heartbeat)

        now = utcnow()
        locked = _fenced(session, lease)
        if locked is None:
            outcome = Outcome.SUPERSEDED
        else:
            was_failing = locked.attempts > 0
            throttle.spend(session, locked.app_id, heartbeat.calls - lease.prepaid_calls)
            is_contact_sent = contact.settle(locked, local.contact, state, asked_at=asked_at)
            is_adopted = contact.learn(session, locked, state.customer, filter(None, state.sessions.values()))
            changes = store(session, locked, state, asked_at=asked_at, now=now)
            if cause in TIMER_CAUSES and not local.event_ids and not settings().is_pulling:
                _suspect_drift(locked, changes)
            if locked.generation == lease.generation:
                _plan_next_check(session, locked, now, is_contact_sent=is_contact_sent, is_adopted=is_adopted)
            elif was_failing:  # news arrived meanwhile, and need not wait for the retry
                locked.due_at = now
            _release(locked)
            webhooks.finish(session, locked.id, local.event_ids)
            session.commit()
            outcome = Outcome.CURRENT
    except LeaseLost:
        outcome = Outcome.SUPERSEDED
    except AppError as error:
        outcome = _failed(session, lease, error, local.event_ids)
    except Exception as error:
        session.rollback()
        log.exception("convergence_broke", payer=lease.payer_id)
        odd = AppError(f"Stripe's answer could not be understood or stored ({type(error).__name__}).")
        outcome = _failed(session, lease, odd, local.event_ids)
    metrics.current().convergence(cause, outcome.value, time.perf_counter() - began)
    log.info(
        "converged",
        payer=lease.payer_id,
        customer_id=payer.customer_id,
        events=local.event_ids,
        cause=cause,
        outcome=outcome.value,
    )
    return outcome


def dismiss_known(session: Session, lease: Lease) -> bool:
    """Finish the events that tell nothing new. Return True when Stripe need not be asked. Commits.

    Events that arrive during a convergence are judged when it ends, so four events about one saved card
    cost one convergence. True also releases the lease.
    """
    payer = _fenced(session, lease)
    if payer is None:
        return True
    dismissed, left = webhooks.dismiss_known(session, payer)
    is_quiet = bool(dismissed) and not left and payer.due_reason is None and not payer.is_contact_due
    if is_quiet:
        payer.attempts, payer.last_error = 0, None  # the failed attempts no longer matter
        payer.due_at, payer.is_priority = schedule.next_check(session, payer, utcnow()), False
        _release(payer)
    session.commit()
    return is_quiet


def is_current(session: Session, payer: Payer) -> bool:
    """Is our record final, and fresh enough to show without asking Stripe?"""
    is_fresh = payer.verified_at is not None and utcnow() - payer.verified_at < MAX_AGE
    return is_fresh and not payer.is_contact_due and not checkout.unsettled(session, payer.id)


class _LeaseHeartbeat:
    """Renews the lease while Stripe answers slowly, so that the work is not lost."""

    def __init__(self, session: Session, lease: Lease) -> None:
        self._session, self._lease, self._since = session, lease, utcnow()
        self.calls = 0  # that have begun

    def __call__(self) -> None:
        """Renew the lease if some of its time has gone. Raises LeaseLost when another has it."""
        self.calls += 1
        if utcnow() - self._since > RENEW_AFTER:
            if not payer_leases.renew(self._session, self._lease):
                raise LeaseLost
            self._since = utcnow()


def _cause(local: LocalState) -> str:
    if local.event_ids:
        return "event"
    return "timer" if local.contact is None else "contact"


def _failed(session: Session, lease: Lease, error: AppError, event_ids: list[str]) -> Outcome:
    """Note the failure and when to retry. After many attempts, leave the payer to an operator."""
    payer = _fenced(session, lease)
    if payer is None:
        return Outcome.SUPERSEDED
    now = utcnow()
    is_early = payer.attempts > 0 and (payer.due_at is None or payer.due_at > now)
    payer.last_error = error.detail
    asked_for = error.retry_after if isinstance(error, StripeUnavailable) else None
    if isinstance(error, throttle.KEY_ERRORS):  # never give up on a payer that waits for a better key
        payer.due_at = now + schedule.retry_delay(1)
    elif is_early:  # a person asked before the next attempt was due
        pass
    elif payer.attempts + 1 >= settings().max_attempts and payer.generation == lease.generation:
        payer.attempts += 1
        payer.due_at, payer.due_reason, payer.is_priority = None, None, False
        webhooks.finish(session, payer.id, event_ids, failed=error.detail)
        audit.note(
            session,
            "sync.gave_up",
            actor="stripe",
            customer_id=payer.customer_id,
            app_id=payer.app_id,
            reason=error.detail,
        )
    else:  # also at the last attempt, when news arrived meanwhile
        payer.attempts += 1
        payer.due_at = now + schedule.retry_delay(payer.attempts, asked_for=asked_for)
    _release(payer)
    session.flush()
    throttle.note_failure(session, payer.app_id, error)  # lock the budget before the app, or two may deadlock
    if isinstance(error, StripeKeyRejected):
        apps.note_key_state(session, payer.app, accepted=False)
    session.commit()
    return Outcome.FAILED


def _plan_next_check(
    session: Session, payer: Payer, now: datetime, *, is_contact_sent: bool, is_adopted: bool
) -> None:
    """Schedule the next check of a payer without news meanwhile."""
    payer.due_at = schedule.next_check(session, payer, now)
    payer.due_reason, payer.is_priority, payer.is_choice_due = None, False, False
    if not is_contact_sent:
        payer.due_at = min(filter(None, (payer.due_at, payer.contact_until or now)))
    elif not is_adopted:
        payer.due_at = min(filter(None, (payer.due_at, now + ADOPT_RETRY_DELAY)))


def _suspect_drift(payer: Payer, changes: list[str]) -> None:
    """Remember changes without an event. If no event arrives soon, webhooks are broken."""
    if changes:
        payer.drift = ", ".join(dict.fromkeys([*(payer.drift or "").split(", "), *changes])).strip(", ")


def _fenced(session: Session, lease: Lease) -> Payer | None:
    """Return the locked payer if we still hold the lease: a slow worker must not overwrite a newer result."""
    db.start_write(session)
    payer = payers.fresh(session, lease.payer_id, lock=True)
    if payer.lease != lease.token:
        session.rollback()
        return None
    return payer


def _release(payer: Payer) -> None:
    payer.lease = payer.leased_until = None
