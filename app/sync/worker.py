"""The worker: sorts the inbox and converges whoever is due, in a thread of the web process or alone."""

import threading
import time

import structlog
from flask import Flask

from app import db, idempotency, webhooks
from app.sync import leases
from app.sync.converge import converge, dismiss_known

log = structlog.get_logger("gangway.worker")

IDLE = 1.0  # seconds between looks when nobody wakes it
AFTER_TROUBLE = 5.0
TIDY_EVERY = 3600.0


class Worker:
    """One or more threads that do what is due. `wake` saves the wait after an event arrived here."""

    def __init__(self, app: Flask, threads: int = 1) -> None:
        self._app = app
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._tidy_at = 0.0
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

    def stop(self, timeout: float = 10.0) -> None:
        """Finish what is under way, at most that many seconds; the rest is left to its lease."""
        self._stopping.set()
        self._wake.set()
        for thread in self._threads:
            if thread.is_alive():
                thread.join(timeout)

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._wake.clear()
            try:
                busy = self._turn()
            except Exception:  # the database is away, or a bug: neither may end the worker
                log.exception("worker_trouble")
                self._stopping.wait(AFTER_TROUBLE)
                continue
            if not busy:
                self._wake.wait(IDLE)

    def _turn(self) -> bool:
        with self._app.app_context():
            if time.monotonic() >= self._tidy_at:
                self._tidy_at = time.monotonic() + TIDY_EVERY
                idempotency.purge(db.session())
            return turn()


def turn() -> bool:
    """Do one thing that is due: sort a batch of events, then converge one payer. False when all is quiet."""
    session = db.session()
    sorted_any = webhooks.sort(session) > 0
    lease = leases.claim_due(session)
    if lease is None:
        return sorted_any
    if dismiss_known(session, lease):
        return True
    outcome = converge(session, lease)
    log.info("converged", payer=lease.payer_id, outcome=outcome.value)
    return True


def drain(limit: int = 1000) -> int:
    """Do everything that is due now, in this thread. Returns how many turns it took."""
    turns = 0
    while turns < limit and turn():
        turns += 1
    return turns
