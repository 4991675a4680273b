"""Ask Stripe about one payer: the part of a convergence that needs no database, so that many run at once."""

import time
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum

import structlog

from app import apps, payers
from app.core import db
from app.core.db import utcnow
from app.core.errors import AppError
from app.gateway import StripeUnavailable
from app.sync import payer_leases, throttle
from app.sync.convergence import contact
from app.sync.convergence.fetch import LocalState, fetch
from app.sync.convergence.policy import apply_policy
from app.sync.convergence.state import StripeState
from app.sync.payer_leases import Lease

log = structlog.get_logger("gangway.sync")

RENEW_AFTER = timedelta(seconds=5)


class Outcome(Enum):
    """How a convergence ended."""

    CURRENT = "current"  # our record equals what Stripe said
    FAILED = "failed"  # Stripe failed, or we failed to store its answer; the worker retries
    SUPERSEDED = "superseded"  # another worker took over the lease; nothing was written


class LeaseLost(Exception):
    """Another worker has taken over the lease."""


@dataclass
class Convergence:
    """One payer that is being converged: what we hold, what Stripe said, and how it ended."""

    lease: Lease
    local: LocalState
    cause: str
    customer_id: str
    generation: int  # of the payer when we read it
    is_known: bool = False  # the events that wait tell nothing new, so Stripe is not asked
    began: float = field(default_factory=time.perf_counter)
    read_at: datetime = field(default_factory=utcnow)
    asked_at: datetime = field(default_factory=utcnow)
    calls: int = 0  # of Stripe, that have begun
    state: StripeState | None = None  # what Stripe said
    error: AppError | None = None  # why that failed
    outcome: Outcome | None = None  # None: not written yet, or given back unasked

    def fail(self, error: AppError) -> None:
        """Note that it failed."""
        self.state, self.error = None, error

    def break_off(self, error: Exception) -> None:
        """Note that we failed."""
        log.error("convergence_broke", payer=self.lease.payer_id, exc_info=error)
        self.fail(AppError(f"Stripe's answer could not be understood or stored ({type(error).__name__})."))


class Trouble:
    """Says when what ails Stripe or the key concerns everybody, so that the rest of a batch is not asked."""

    def __init__(self) -> None:
        self._unexplained = 0  # failures in a row
        self.is_general = False

    def note(self, error: AppError | None) -> None:
        """Note how a convergence went. A success shows that earlier failures were chance."""
        if error is None:
            self._unexplained = 0
        elif isinstance(error, throttle.KEY_ERRORS):
            self.is_general = True
        elif isinstance(error, StripeUnavailable):
            self._unexplained += error.retry_after is None
            is_too_often = self._unexplained > throttle.MAX_UNEXPLAINED_FAILURES
            self.is_general |= is_too_often or error.retry_after is not None


def ask(one: Convergence, trouble: Trouble) -> Convergence:
    """Fetch the state of a payer from Stripe, and change there what is to be changed. Raises nothing.

    A payer that was not asked about, because of others' trouble, has neither a state nor an error then.
    """
    if trouble.is_general or one.is_known:
        return one
    heartbeat = _LeaseHeartbeat(one)
    one.asked_at = utcnow()
    try:
        if one.local.payer.stripe_customer_id is None:  # reserved, and nobody came back for it
            one.local = _create(one.lease)
        stripe = apps.connect(one.local.payer.app)
        state = fetch(stripe, one.local, heartbeat)
        apply_policy(stripe, one.local, state, heartbeat)
        contact.tell_contact(stripe, one.local.contact, state, heartbeat)
        one.state = state
    except LeaseLost:
        one.outcome = Outcome.SUPERSEDED
    except AppError as error:
        one.fail(error)
    except Exception as error:  # noqa: BLE001 (any error counts as a failed attempt, so attempts end)
        db.session().rollback()
        one.break_off(error)
    if one.outcome is None:
        trouble.note(one.error)
    return one


def _create(lease: Lease) -> LocalState:
    """Create the Stripe customer of a reserved payer, and return what we hold of it then. Commits."""
    session = db.session()  # of this thread
    payers.create_at_stripe(session, payers.fresh(session, lease.payer_id))
    [local] = LocalState.of_many(session, [lease.payer_id], full=True)
    db.end_read(session)
    return local


class _LeaseHeartbeat:
    """Renews the lease while Stripe answers slowly, so that the work is not lost."""

    def __init__(self, one: Convergence) -> None:
        self._one, self._lease, self._since = one, one.lease, one.read_at

    def __call__(self) -> None:
        """Renew the lease if some of its time has gone. Raises LeaseLost when another has it."""
        self._one.calls += 1
        if utcnow() - self._since > RENEW_AFTER:
            if not payer_leases.renew(db.session(), self._lease):  # of this thread
                raise LeaseLost
            self._since = utcnow()
