"""Store how convergences ended: many in one transaction, each only while its lease is held."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy.orm import Session

from app import apps, checkout, payers, webhooks
from app.core import db
from app.core.config import settings
from app.core.db import utcnow
from app.core.errors import AppError
from app.gateway import StripeKeyRejected, StripeUnavailable
from app.payers import Payer
from app.sync import schedule, throttle
from app.sync.convergence import contact
from app.sync.convergence.asking import Convergence, Outcome
from app.sync.convergence.state import StripeState
from app.sync.convergence.store import Held, store
from app.webhooks import KNOWN

ADOPT_RETRY_DELAY = timedelta(seconds=2)  # somebody was changing the customer
TIMER_CAUSES = {"timer", "verify", "expiring", "stale", "reserved"}  # neither an event nor a person


def record(session: Session, ones: Sequence[Convergence], *, skip_locked: bool) -> list[Convergence]:
    """Store how convergences ended, and release their leases, in one commit.

    Payers that another worker has leased meanwhile are left out: a slow worker must not overwrite a newer
    result. With `skip_locked`, return those that somebody else is changing; nothing is stored of them yet.
    Raises what the database raises, with nothing stored at all.
    """
    db.start_write(session)
    ids = [one.lease.payer_id for one in ones]
    locked = {payer.id: payer for payer in payers.locked(session, ids, skip_locked=skip_locked)}
    ours: list[tuple[Convergence, Payer]] = []
    for one in ones:
        payer = locked.get(one.lease.payer_id)
        if payer is not None and payer.lease == one.lease.token:
            ours.append((one, payer))
        elif payer is not None:
            one.outcome = Outcome.SUPERSEDED
    if ours:
        ended = _Recorder(session, ours).record()
        session.commit()
        for one, outcome in ended:
            one.outcome = outcome
    else:
        session.rollback()
    return [one for one in ones if one.lease.payer_id not in locked]


class _Recorder:
    """Stores one batch. The changes are made in memory, and go to the database together."""

    def __init__(self, session: Session, ours: Sequence[tuple[Convergence, Payer]]) -> None:
        self._session = session
        self._ours = ours
        self._now = utcnow()
        self._held = Held.by(session, {payer.id: (payer, one.state) for one, payer in ours})
        self._finished: dict[tuple[str, str | None], list[str]] = defaultdict(list)  # events by state, reason

    def record(self) -> list[tuple[Convergence, Outcome | None]]:
        """Store everything. Return how each convergence ended; None was given back unasked. Flushes."""
        session = self._session
        self._spend()
        with session.no_autoflush:
            fetched = [(one, payer, one.state) for one, payer in self._ours if one.state is not None]
            sent = {payer.id: self._settle_contact(one, payer, state) for one, payer, state in fetched}
            living = [payer for _, payer, state in fetched if not state.customer.deleted]
            busy = payers.adopt_missing(session, living)
            for one, payer, state in fetched:
                self._store(one, payer, state, is_contact_sent=sent[payer.id], is_busy=payer.id in busy)
            for one, payer in self._ours:
                if one.error is not None:
                    self._fail(one, payer, one.error)
                elif one.is_known:
                    self._dismiss(one, payer)
                payer.lease = payer.leased_until = None
        session.flush()
        ids = [payer.id for _, payer in self._ours]
        for (event_state, reason), event_ids in self._finished.items():
            webhooks.finish(session, ids, event_ids, state=event_state, reason=reason)
        self._note_health()
        return [(one, _outcome(one)) for one, _ in self._ours]

    def _spend(self) -> None:
        """Take the calls from the budget that were not reserved. Its lock comes before the app's."""
        calls: dict[str, int] = defaultdict(int)
        for one, payer in self._ours:
            calls[payer.app_id] += max(0, one.calls - one.lease.prepaid_calls) if one.state else 0
        for app_id in sorted(calls):
            throttle.spend(self._session, app_id, calls[app_id])

    def _settle_contact(self, one: Convergence, payer: Payer, state: StripeState) -> bool:
        is_sent = contact.settle(payer, one.local.contact, state)
        if not state.customer.deleted:
            contact.learn(payer, state)
        return is_sent

    def _store(
        self, one: Convergence, payer: Payer, state: StripeState, *, is_contact_sent: bool, is_busy: bool
    ) -> None:
        was_failing = payer.attempts > 0
        changes = store(self._session, payer, state, self._held, asked_at=one.asked_at, now=self._now)
        events = one.local.events
        if one.cause in TIMER_CAUSES and not events.event_ids and not settings().is_pulling:
            _suspect_drift(payer, changes)
        if payer.generation == one.lease.generation:
            self._plan_next_check(payer, is_contact_sent=is_contact_sent, is_busy=is_busy)
        elif was_failing:  # news arrived meanwhile, and need not wait for the retry
            payer.due_at = self._now
        self._finish(one, "done", None)

    def _plan_next_check(self, payer: Payer, *, is_contact_sent: bool, is_busy: bool) -> None:
        """Schedule the next check of a payer without news meanwhile."""
        payer.due_at = schedule.next_check(payer, self._unsettled(payer), self._now)
        payer.due_reason, payer.is_priority, payer.is_choice_due = None, False, False
        if not is_contact_sent:
            payer.due_at = self._now
        elif is_busy:
            payer.due_at = min(filter(None, (payer.due_at, self._now + ADOPT_RETRY_DELAY)))

    def _dismiss(self, one: Convergence, payer: Payer) -> None:
        """Finish events that tell nothing new, for which Stripe was not asked."""
        self._finish_known(one)
        if payer.generation == one.generation:
            payer.attempts, payer.last_error = 0, None  # the failed attempts no longer matter
            payer.due_at = schedule.next_check(payer, self._unsettled(payer), self._now)
            payer.is_priority = False

    def _fail(self, one: Convergence, payer: Payer, error: AppError) -> None:
        """Note the failure and when to retry. After many attempts, leave the payer to an operator."""
        now = self._now
        is_early = payer.attempts > 0 and (payer.due_at is None or payer.due_at > now)
        payer.last_error = error.detail
        asked_for = error.retry_after if isinstance(error, StripeUnavailable) else None
        self._finish_known(one)
        if isinstance(error, throttle.KEY_ERRORS):  # never give up on a payer that waits for a better key
            payer.due_at = now + schedule.retry_delay(1)
        elif is_early:  # a person asked before the next attempt was due
            pass
        elif payer.attempts + 1 >= settings().max_attempts and payer.generation == one.lease.generation:
            payer.attempts += 1
            payer.due_at, payer.due_reason, payer.is_priority = None, None, False
            self._finish(one, "dead", error.detail)
            payers.note(self._session, payer, "sync.gave_up", actor="stripe", reason=error.detail)
        else:  # also at the last attempt, when news arrived meanwhile
            payer.attempts += 1
            payer.due_at = now + schedule.retry_delay(payer.attempts, asked_for=asked_for)

    def _finish(self, one: Convergence, state: str, reason: str | None) -> None:
        known = set(one.local.events.known_ids)
        self._finished[state, reason] += [id_ for id_ in one.local.events.event_ids if id_ not in known]
        self._finish_known(one)

    def _finish_known(self, one: Convergence) -> None:
        known = self._finished["done", KNOWN]
        known += [id_ for id_ in one.local.events.known_ids if id_ not in known]

    def _unsettled(self, payer: Payer) -> list[checkout.CheckoutSession]:
        return [row for row in self._held.unsettled[payer.id] if row.settled_at is None]

    def _note_health(self) -> None:
        """Note for each app whether Stripe and its key work, in the order of the answers. Flushes.

        Lock the budget before the app, or two may deadlock.
        """
        answers: dict[str, list[AppError | None]] = defaultdict(list)
        for one, payer in self._ours:
            if one.error is not None or one.state is not None:
                answers[payer.app_id].append(one.error)
        for app_id in sorted(answers):
            throttle.note_answers(self._session, app_id, answers[app_id])
        for one, payer in self._ours:
            if one.state is not None or isinstance(one.error, StripeKeyRejected):
                apps.note_key_state(self._session, payer.app, accepted=one.error is None)


def _outcome(one: Convergence) -> Outcome | None:
    if one.error is not None:
        return Outcome.FAILED
    return Outcome.CURRENT if one.state is not None or one.is_known else None


def _suspect_drift(payer: Payer, changes: list[str]) -> None:
    """Remember changes without an event. If no event arrives soon, webhooks are broken."""
    if changes:
        payer.drift = ", ".join(dict.fromkeys([*(payer.drift or "").split(", "), *changes])).strip(", ")
