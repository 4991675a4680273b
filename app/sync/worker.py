"""The worker: sorts the inbox and converges whoever is due, in threads of the web process or alone."""

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
from app.sync import beats, clock, leases, reconcile
from app.sync.backfill import ListLease, claim_due, expect, read_on, release
from app.sync.converge import converge, dismiss_known
from app.sync.leases import Lease

log = structlog.get_logger("gangway.worker")

IDLE = 1.0  # seconds between looks when nobody wakes it
AFTER_TROUBLE = 5.0
TEND_EVERY = 1.0
TIDY_EVERY = 3600.0
CHORES_EVERY = 15.0
STOPPING = 7.0  # seconds; what is given back then must be so before a web process is killed (`server.GRACE`)

Chore = Callable[[Session], object]  # what later packages have to do now and then; each knows when
type_held = dict[str, Lease | ListLease]  # by thread: what each has under way


class Worker:
    """One or more threads that do what is due. `wake` saves the wait after an event arrived here."""

    def __init__(self, app: Flask, threads: int = 1, *, chores: Sequence[Chore] = ()) -> None:
        self._app = app
        self._chores = chores
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._begun = False
        self._id = new_id()
        self._tend_at = self._tidy_at = self._beat_at = 0.0
        self._chores_at = time.monotonic() + CHORES_EVERY
        self._held: type_held = {}
        self._threads = [
            threading.Thread(target=self._run, name=f"gangway-worker-{number}", daemon=True)
            for number in range(threads)
        ]

    def start(self) -> None:
        """Start the threads."""
        for thread in self._threads:
            thread.start()

    def wake(self) -> None:
        """Something is due now."""
        self._wake.set()

    def stop(self, timeout: float = STOPPING) -> None:
        """Finish what is under way, at most that many seconds in all; what is not finished is given back.

        A thread that Stripe keeps waiting for longer writes nothing any more: its lease is another's.
        """
        give_up = time.monotonic() + timeout
        self._stopping.set()
        self._wake.set()
        for thread in self._threads:
            if thread.is_alive():
                thread.join(max(0.0, give_up - time.monotonic()))
        try:
            self._leave()
        except SQLAlchemyError:  # then its leases run out, and it is missed
            log.exception("not_given_back")

    def _leave(self) -> None:
        for lease in list(self._held.values()):
            with self._app.app_context():
                _give_back(db.session(), lease)
        if self._begun:
            with self._app.app_context():
                beats.leave(db.session(), self._id)

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._wake.clear()
            try:
                with self._app.app_context():
                    busy = self._turn(db.session())
            except Exception:  # the database is away, or a bug: neither may end the worker
                log.exception("worker_trouble")
                self._stopping.wait(AFTER_TROUBLE)
                continue
            if not busy:
                self._wake.wait(IDLE)

    def _turn(self, session: Session) -> bool:
        now = time.monotonic()
        if not self._begun:
            expect(session)
            self._begun = True  # and not before: the database may be away just now
        if now >= self._tidy_at:
            self._tidy_at = now + TIDY_EVERY
            if tidy(session):
                self._tidy_at = now + TEND_EVERY
        if now >= self._beat_at:
            self._beat_at = now + beats.EVERY
            beats.beat(session, self._id, len(self._threads))
        busy = turn(session, self._held)
        if now >= self._chores_at and not self._stopping.is_set():
            self._chores_at = now + CHORES_EVERY
            for chore in self._chores:
                chore(session)
        if now >= self._tend_at and not self._stopping.is_set():
            self._tend_at = now + TEND_EVERY
            if tend(session, self._held):
                self._tend_at, busy = 0.0, True
        return busy


def turn(session: Session | None = None, held: type_held | None = None) -> bool:
    """Do one thing that is due: sort a batch of events, then converge one payer. False when all is quiet.

    What is under way stands in `held`, for whoever has to end it from outside.
    """
    session, held = session or db.session(), {} if held is None else held
    sorted_any = webhooks.sort(session) > 0
    lease = leases.claim_due(session)
    if lease is None:
        return sorted_any or clock.pass_time(session) > 0 or webhooks.close_orphans(session) > 0
    with _under_way(held, lease):
        if not dismiss_known(session, lease):
            converge(session, lease)
    return True


def tend(session: Session, held: type_held | None = None) -> bool:
    """Do a step of what the clock asks for besides. True when there is more of it to be done at once.

    What is under way stands in `held`, as in a turn.
    """
    clock.pass_time(session)  # also while the worker is never idle
    reconcile.tell_drift(session)
    reconcile.verify(session)
    lease = claim_due(session)
    if lease is None:
        return False
    with _under_way({} if held is None else held, lease):
        read_on(session, lease)
    return True


@contextmanager
def _under_way(held: type_held, lease: Lease | ListLease) -> Iterator[None]:
    thread = threading.current_thread().name
    held[thread] = lease
    try:
        yield
    finally:
        del held[thread]


def _give_back(session: Session, lease: Lease | ListLease) -> None:
    """End from outside what is under way: another may take it at once. Commits."""
    if isinstance(lease, Lease):
        leases.release(session, lease)
        log.warning("given_back", payer=lease.payer_id)
    else:
        release(session, lease)
        log.warning("given_back", app=lease.app_id)


def tidy(session: Session) -> bool:
    """Forget what is kept no longer. True when there is more of it."""
    idempotency.purge(session)
    operators.purge(session)
    apps.tidy(session)
    checkout.purge_expected(session)
    return webhooks.prune(session)


def drain(limit: int = 1000) -> int:
    """Do everything that is due now, in this thread. Returns how many turns it took."""
    turns = 0
    while turns < limit and turn():
        turns += 1
    return turns
