"""The worker dispatches events and converges payers, in threads of the web process or in its own."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import structlog
from flask import Flask
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from app import apps, checkout, operators, webhooks
from app.api import idempotency
from app.core import db
from app.core.db import new_id
from app.core.values import frozen
from app.sync import payer_leases
from app.sync.backfill import BackfillLease, claim_list, read_next_page, release_list, request_all_lists
from app.sync.convergence.converge import AskAll, converge_many
from app.sync.payer_leases import Lease
from app.sync.workers import expiry, heartbeat, reconcile
from app.sync.workers.callers import Callers
from app.sync.workers.wakeups import Announcer, Listener
from app.sync.workers.watch import Watch

log = structlog.get_logger("gangway.worker")

BATCH_SIZE = 32  # payers that a thread converges at once
POLL_INTERVAL = 1.0  # seconds; `wake` ends the wait early
RUN_INTERVAL = 0.05  # seconds from the start of a run to the next; one run dispatches what came within it
FIRST_RUN_DELAY = 0.1  # seconds; requests that have waited for the process to start are answered before it
RETRY_DELAY = 5.0
MAINTENANCE_INTERVAL = 1.0
PURGE_INTERVAL = 3600.0
STOP_TIMEOUT = 7.0  # seconds; leases must be given back before a web process is killed (`server.GRACE`)

HeldLeases = dict[str, Sequence[Lease | BackfillLease]]  # by thread


@frozen
class Chore:
    """A task of a later package, which knows itself whether anything is due."""

    run: Callable[[Session], object]
    interval: float  # seconds from one look to the next
    may_block: bool = False  # runs in a separate thread, so that nothing else waits


class Worker:
    """Threads that do the due work. Call `wake` when an event arrives, so they don't wait.

    Without threads, `wake` wakes the workers of other processes, as far as the database can.
    """

    def __init__(self, app: Flask, threads: int = 1, *, chores: Sequence[Chore] = ()) -> None:
        self._app = app
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._has_started = False
        self._id = ""
        self._maintenance_at = self._purge_at = self._heartbeat_at = 0.0
        now = time.monotonic()
        self._chores_at = {chore: now + chore.interval for chore in chores if not chore.may_block}
        self._blocking_chores = [chore for chore in chores if chore.may_block]
        self._held: HeldLeases = {}
        self._callers = Callers(app, threads * BATCH_SIZE)
        self._announcer = Announcer(app)
        self._listeners = (Listener(app, self.wake), Watch(app, self.wake))  # one for each database
        self._thread_count = threads
        self._threads: list[threading.Thread] = []
        self._own_threads: list[threading.Thread] = []  # of the tasks that may block

    def start(self) -> None:
        """Start the threads, in the process that they run in.

        A thread that was made before a fork never counts as alive after it, and `stop` would not wait for it.
        """
        self._id = new_id()
        self._threads = [
            threading.Thread(target=self._run, name=f"gangway-worker-{number}", daemon=True)
            for number in range(self._thread_count)
        ]
        self._own_threads = [
            threading.Thread(target=self._run_alone, args=(chore,), name="gangway-chore", daemon=True)
            for chore in self._blocking_chores
            if self._threads
        ]
        for thread in (*self._threads, *self._own_threads):
            thread.start()
        if self._threads:
            for listener in self._listeners:
                listener.start()

    def wake(self) -> None:
        """Look for due work now."""
        if self._thread_count:
            self._wake.set()
        else:
            self._announcer.announce()

    def stop(self, timeout: float = STOP_TIMEOUT) -> None:
        """Wait for the current work, at most `timeout` seconds in all, then release the remaining leases.

        A thread that still waits for Stripe writes nothing later: it no longer holds its lease.
        """
        give_up = time.monotonic() + timeout
        self._stopping.set()
        self._wake.set()
        self._announcer.stop()
        for listener in self._listeners:
            listener.stop()
        for thread in (*self._threads, *self._own_threads):
            if thread.is_alive():
                thread.join(max(0.0, give_up - time.monotonic()))
        self._callers.close()
        try:
            self._hand_back_leases()
        except SQLAlchemyError:  # the leases and the heartbeat run out instead
            log.exception("leases_not_released")

    def _hand_back_leases(self) -> None:
        for lease in [lease for leases in list(self._held.values()) for lease in leases]:
            with self._app.app_context():
                _release(db.session(), lease)
        if self._has_started:
            with self._app.app_context():
                heartbeat.remove(db.session(), self._id)

    def _run(self) -> None:
        self._stopping.wait(FIRST_RUN_DELAY)
        while not self._stopping.is_set():
            self._wake.clear()
            next_at = time.monotonic() + RUN_INTERVAL
            try:
                with self._app.app_context():
                    busy = self._run_once(db.session())
            except Exception:  # neither a lost database nor a bug may end the worker
                log.exception("worker_trouble")
                self._stopping.wait(RETRY_DELAY)
                continue
            if busy:  # a run for each event would take the processor from the requests of this process
                self._stopping.wait(next_at - time.monotonic())
            else:
                self._wake.wait(POLL_INTERVAL)

    def _run_alone(self, chore: Chore) -> None:
        """Do a task that may block. It must survive a kill, because `stop` waits only so long."""
        while not self._stopping.wait(chore.interval):
            try:
                with self._app.app_context():
                    chore.run(db.session())
            except Exception:  # as above
                log.exception("worker_trouble")
                self._stopping.wait(RETRY_DELAY)

    def _run_once(self, session: Session) -> bool:
        now = time.monotonic()
        if not self._has_started:
            request_all_lists(session)
            self._has_started = True  # only now: the database may have been away
        if now >= self._purge_at:
            self._purge_at = now + PURGE_INTERVAL
            if purge(session):
                self._purge_at = now + MAINTENANCE_INTERVAL
        if now >= self._heartbeat_at:
            self._heartbeat_at = now + heartbeat.HEARTBEAT_INTERVAL
            heartbeat.record(session, self._id, len(self._threads))
        busy = run_once(session, self._held, self._callers.run)
        for chore, due_at in self._chores_at.items():
            if now >= due_at and not self._stopping.is_set():
                self._chores_at[chore] = now + chore.interval
                chore.run(session)
        if now >= self._maintenance_at and not self._stopping.is_set():
            self._maintenance_at = now + MAINTENANCE_INTERVAL
            if run_maintenance(session, self._held):
                self._maintenance_at, busy = 0.0, True
        return busy


def run_once(
    session: Session | None = None,
    held: HeldLeases | None = None,
    ask_all: AskAll | None = None,
    *,
    most: int = BATCH_SIZE,
) -> bool:
    """Dispatch a batch of events, then converge a batch of payers. Return False when nothing is due.

    Note the current leases in `held`, so another thread can release them.
    """
    session, held = session or db.session(), {} if held is None else held
    is_busy = webhooks.dispatch(session) > 0
    leases = payer_leases.claim_due(session, most=most)
    if not leases:
        return is_busy or expiry.update_expired(session) > 0 or webhooks.close_ended(session) > 0
    with _holding(held, *leases):
        converge_many(session, leases, ask_all)
    return True


def run_maintenance(session: Session, held: HeldLeases | None = None) -> bool:
    """Do a step of the scheduled work. Return True when more of it is due now.

    Note the current lease in `held`, as `run_once` does.
    """
    expiry.update_expired(session)  # also when the worker is never idle
    reconcile.report_drift(session)
    reconcile.schedule_verifications(session)
    lease = claim_list(session)
    if lease is None:
        return False
    with _holding({} if held is None else held, lease):
        read_next_page(session, lease)
    return True


@contextmanager
def _holding(held: HeldLeases, *leases: Lease | BackfillLease) -> Iterator[None]:
    thread = threading.current_thread().name
    held[thread] = leases
    try:
        yield
    finally:
        del held[thread]


def _release(session: Session, lease: Lease | BackfillLease) -> None:
    """Release the lease of another thread, so that any worker can take it. Commits."""
    if isinstance(lease, Lease):
        payer_leases.release(session, lease)
        log.warning("lease_released", payer=lease.payer_id)
    else:
        release_list(session, lease)
        log.warning("lease_released", app=lease.app_id)


def purge(session: Session) -> bool:
    """Delete what is older than its retention. Return True when more is left."""
    idempotency.purge(session)
    operators.purge(session)
    apps.purge(session)
    checkout.purge(session)
    return webhooks.prune(session)


def run_until_idle(limit: int = 1000) -> int:
    """Do everything that is due now, in this thread. Return the number of runs."""
    runs = 0
    while runs < limit and run_once():
        runs += 1
    return runs
