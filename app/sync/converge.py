"""Make our record of a payer equal to what Stripe says now. Nothing else writes payment-method state."""

import time
from datetime import timedelta
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
from app.sync import contact, leases, pace, schedule
from app.sync.ask import Known, ask, tell_contact
from app.sync.leases import Lease
from app.sync.policy import apply_policy
from app.sync.write import write

log = structlog.get_logger("gangway.sync")

FRESH = timedelta(minutes=1)
RENEW_AFTER = timedelta(seconds=5)
ADOPT_AGAIN_AFTER = timedelta(seconds=2)  # somebody was changing the customer
BY_TIMER = {"timer", "verify", "expiring", "stale"}  # causes that no event and no person had


class Outcome(Enum):
    """How a convergence ended."""

    CURRENT = "current"  # our record is what Stripe said
    FAILED = "failed"  # Stripe did not answer well; it will be tried again
    SUPERSEDED = "superseded"  # the lease ran out and another has taken over; nothing was written


class LeaseLost(Exception):
    """Another has taken over."""


def converge(session: Session, lease: Lease, *, cause: str | None = None, is_whole: bool = False) -> Outcome:
    """Converge the payer of a lease, and give the lease back. Commits.

    Read, end the reading, ask Stripe, write, commit: a convergence that is killed anywhere leaves the
    payer due or its lease to run out, and the next one does the same again. Whatever goes wrong in asking and
    in writing counts as a failed try, so that nobody is tried for ever. Whoever is due for a reason of its
    own is asked about as a whole, as if that were wanted.
    """
    began = time.perf_counter()
    payer = payers.fresh(session, lease.payer_id)
    known = Known.of(session, payer, is_whole=is_whole or payer.due_for is not None)
    db.end_read(session)
    cause = cause or payer.due_for or _cause(known)
    alive = _Heartbeat(session, lease)
    asked_at = utcnow()
    try:
        stripe = apps.connect(payer.app)
        truth = ask(stripe, known, alive)
        apply_policy(stripe, known, truth, alive)
        tell_contact(stripe, known, truth, alive)

        now = utcnow()
        locked = _fenced(session, lease)
        if locked is None:
            outcome = Outcome.SUPERSEDED
        else:
            was_spaced_out = locked.attempts > 0
            pace.charge(session, locked.app_id, alive.calls - lease.paid)
            is_told = contact.settle(locked, known.contact, truth.contact_refusal, asked_at=asked_at)
            is_adopted = contact.learn(session, locked, truth.customer, filter(None, truth.pages.values()))
            changes = write(session, locked, truth, asked_at=asked_at, now=now)
            if cause in BY_TIMER and not known.event_ids and not settings().is_pulling:
                _suspect_drift(locked, changes)
            if locked.hints == lease.hints:
                locked.due_at = schedule.next_pull(session, locked, now)
                locked.due_for, locked.is_wanted, locked.is_choice_due = None, False, False
                if not is_told:
                    locked.due_at = min(filter(None, (locked.due_at, locked.contact_until or now)))
                elif not is_adopted:
                    locked.due_at = min(filter(None, (locked.due_at, now + ADOPT_AGAIN_AFTER)))
            elif was_spaced_out:  # something was hinted at meanwhile, and need not wait for the next try
                locked.due_at = now
            _release(locked)
            webhooks.finish(session, locked.id, known.event_ids)
            session.commit()
            outcome = Outcome.CURRENT
    except LeaseLost:
        outcome = Outcome.SUPERSEDED
    except AppError as error:
        outcome = _failed(session, lease, error, known.event_ids)
    except Exception as error:
        session.rollback()
        log.exception("convergence_broke", payer=lease.payer_id)
        odd = AppError(f"Stripe's answer could not be understood or stored ({type(error).__name__}).")
        outcome = _failed(session, lease, odd, known.event_ids)
    metrics.current().convergence(cause, outcome.value, time.perf_counter() - began)
    log.info(
        "converged",
        payer=lease.payer_id,
        customer_id=payer.customer_id,
        events=known.event_ids,
        cause=cause,
        outcome=outcome.value,
    )
    return outcome


def dismiss_known(session: Session, lease: Lease) -> bool:
    """Finish the events that tell nothing new any more; True when nothing is left to ask Stripe about.

    An event that arrived while a convergence was under way is judged once more when that is over. This
    is what makes four events about one saved card cost one convergence. Commits; True gives the lease back.
    """
    payer = _fenced(session, lease)
    if payer is None:
        return True
    dismissed, left = webhooks.dismiss_known(session, payer)
    is_quiet = bool(dismissed) and not left and payer.due_for is None and not payer.is_contact_due
    if is_quiet:
        payer.attempts, payer.last_error = 0, None  # what was tried in vain is no longer wanted
        payer.due_at, payer.is_wanted = schedule.next_pull(session, payer, utcnow()), False
        _release(payer)
    session.commit()
    return is_quiet


def is_current(session: Session, payer: Payer) -> bool:
    """Is our record final, and fresh enough to be shown without asking?"""
    fresh = payer.verified_at is not None and utcnow() - payer.verified_at < FRESH
    return fresh and not payer.is_contact_due and not checkout.unsettled(session, payer.id)


class _Heartbeat:
    """Keeps the lease while Stripe answers slowly: one that ran out under way would be for nothing."""

    def __init__(self, session: Session, lease: Lease) -> None:
        self._session, self._lease, self._since = session, lease, utcnow()
        self.calls = 0  # begun ones

    def __call__(self) -> None:
        """Renew the lease if some of its time has gone. Raises LeaseLost when another has it."""
        self.calls += 1
        if utcnow() - self._since > RENEW_AFTER:
            if not leases.renew(self._session, self._lease):
                raise LeaseLost
            self._since = utcnow()


def _cause(known: Known) -> str:
    if known.event_ids:
        return "event"
    return "timer" if known.contact is None else "contact"


def _failed(session: Session, lease: Lease, error: AppError, event_ids: list[str]) -> Outcome:
    """Note what failed and when to try again; after many tries, leave it to a person."""
    payer = _fenced(session, lease)
    if payer is None:
        return Outcome.SUPERSEDED
    now = utcnow()
    is_early = payer.attempts > 0 and (payer.due_at is None or payer.due_at > now)
    payer.last_error = error.detail
    asked_for = error.retry_after if isinstance(error, StripeUnavailable) else None
    if isinstance(error, pace.KEYS_FAULT):  # whoever waits for a better key is not given up meanwhile
        payer.due_at = now + schedule.next_try(1)
    elif is_early:  # somebody looked, or reloaded a page, while the next try had its time already
        pass
    elif payer.attempts + 1 >= settings().most_tries and payer.hints == lease.hints:
        payer.attempts += 1
        payer.due_at, payer.due_for, payer.is_wanted = None, None, False
        webhooks.finish(session, payer.id, event_ids, failed=error.detail)
        audit.note(
            session,
            "sync.gave_up",
            actor="stripe",
            customer_id=payer.customer_id,
            app_id=payer.app_id,
            reason=error.detail,
        )
    else:  # also at the last try, when something was hinted at meanwhile
        payer.attempts += 1
        payer.due_at = now + schedule.next_try(payer.attempts, asked_for=asked_for)
    _release(payer)
    session.flush()
    pace.note_failure(session, payer.app_id, error)  # before the app, as everywhere: else two may deadlock
    if isinstance(error, StripeKeyRejected):
        apps.note_key_state(session, payer.app, accepted=False)
    session.commit()
    return Outcome.FAILED


def _suspect_drift(payer: Payer, changes: list[str]) -> None:
    """Remember what no event had told: if none does soon, webhooks are broken."""
    if changes:
        payer.drift = ", ".join(dict.fromkeys([*(payer.drift or "").split(", "), *changes])).strip(", ")


def _fenced(session: Session, lease: Lease) -> Payer | None:
    """The payer, locked, if the lease is still ours: a slow worker must not overwrite a newer result."""
    db.start_write(session)
    payer = payers.fresh(session, lease.payer_id, lock=True)
    if payer.lease != lease.token:
        session.rollback()
        return None
    return payer


def _release(payer: Payer) -> None:
    payer.lease = payer.leased_until = None
