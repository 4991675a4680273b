"""Make our record of payers equal to what Stripe says now. Nothing else writes payment-method state."""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import timedelta

import structlog
from sqlalchemy.orm import Session

from app import checkout
from app.core import db, metrics
from app.core.db import utcnow
from app.payers import Payer
from app.sync.convergence.asking import Convergence, Outcome, Trouble, ask
from app.sync.convergence.fetch import LocalState
from app.sync.convergence.outcomes import record
from app.sync.payer_leases import Lease

log = structlog.get_logger("gangway.sync")

MAX_AGE = timedelta(minutes=1)  # of a record that we show without asking Stripe

Ask = Callable[[], Convergence]
AskAll = Callable[[Sequence[Ask]], Iterable[list[Convergence]]]  # gives the results in groups, as they come


def converge(session: Session, lease: Lease, *, cause: str | None = None, full: bool = False) -> Outcome:
    """Converge the payer of a lease, and release the lease. Commits.

    Read, end the transaction, fetch from Stripe, store, commit. If the process dies in between, the payer
    stays due or its lease runs out, and the next convergence starts again. Any error while fetching or
    storing counts as a failed attempt, so attempts end. A payer with a due reason is fetched in full.
    """
    [one] = _read(session, [lease], cause=cause, full=full)
    _write(session, [ask(one, Trouble())])
    _report(one)
    return one.outcome or Outcome.SUPERSEDED


def converge_many(session: Session, leases: Sequence[Lease], ask_all: AskAll | None = None) -> None:
    """Converge the payers of many leases, and release the leases. Commits.

    They are read together, and stored together as soon as Stripe has answered; `ask_all` asks at the same
    time, while without it one is asked after the other. Stripe is not asked about a payer if its events tell
    nothing new: four events about one saved card cost one convergence.
    """
    ones = _read(session, leases)
    for one in ones:
        one.is_known = one.local.is_known
    trouble = Trouble()
    for group in (ask_all or _one_by_one)([_asking(one, trouble) for one in ones]):
        _write(session, group)
    for one in ones:
        _report(one)


def is_current(session: Session, payer: Payer) -> bool:
    """Is our record final, and fresh enough to show without asking Stripe?"""
    is_fresh = payer.verified_at is not None and utcnow() - payer.verified_at < MAX_AGE
    return is_fresh and not payer.is_contact_due and not checkout.unsettled(session, payer.id)


def _read(
    session: Session, leases: Sequence[Lease], *, cause: str | None = None, full: bool = False
) -> list[Convergence]:
    """Read what the convergences start from. Ends the transaction."""
    by_payer = {lease.payer_id: lease for lease in leases}
    ones = [
        Convergence(
            by_payer[local.payer.id],
            local,
            cause or local.payer.due_reason or _cause(local),
            customer_id=local.payer.customer_id,
            generation=local.payer.generation,
        )
        for local in LocalState.of_many(session, list(by_payer), full=full)
    ]
    db.end_read(session)
    return ones


def _asking(one: Convergence, trouble: Trouble) -> Ask:
    return lambda: ask(one, trouble)


def _one_by_one(calls: Sequence[Ask]) -> Iterator[list[Convergence]]:
    yield [call() for call in calls]


def _write(session: Session, ones: Sequence[Convergence]) -> None:
    """Store how convergences ended. Those that can't be stored together are stored one by one."""
    left = [one for one in ones if one.outcome is None]
    if len(left) > 1:
        try:
            left = record(session, left, skip_locked=True)
        except Exception:
            session.rollback()
            log.warning("batch_not_stored", exc_info=True)
    for one in left:
        _write_one(session, one)


def _write_one(session: Session, one: Convergence) -> None:
    try:
        record(session, [one], skip_locked=False)
    except Exception as error:  # noqa: BLE001 (any error counts as a failed attempt, so attempts end)
        session.rollback()
        one.break_off(error)
        record(session, [one], skip_locked=False)


def _report(one: Convergence) -> None:
    if one.outcome is None:  # given back
        return
    metrics.current().convergence(one.cause, one.outcome.value, time.perf_counter() - one.began)
    log.info(
        "converged",
        payer=one.lease.payer_id,
        customer_id=one.customer_id,
        events=one.local.events.event_ids,
        cause=one.cause,
        outcome=one.outcome.value,
    )


def _cause(local: LocalState) -> str:
    if local.events.event_ids:
        return "event"
    return "timer" if local.contact is None else "contact"
