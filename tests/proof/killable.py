"""A portal that is killed and started again while people use it over the network.

The simulated Stripe stays alive in the test's process, so the test can compare both sides at the end.
"""

import random
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path

import time_machine
from flask import Flask

from app.api.idempotency import ABANDONED_AFTER
from app.core import db
from app.core.config import Settings
from app.simulator import Simulator
from app.sync.payer_leases import LEASE_DURATION
from tests.proof.network_people import NetworkPerson
from tests.proof.portal_process import CrashPoint, PortalProcess
from tests.support.truth import Verdict, compare

TAKEOVER_DELAY = max(LEASE_DURATION, ABANDONED_AFTER) + timedelta(
    seconds=1
)  # then what a dead process held is free
PATIENCE = 180.0  # seconds; far more than it takes, for a machine that is busy with other work


class KillablePortal:
    """The portal's process, which is started again whenever it has died."""

    def __init__(
        self,
        app: Flask,
        settings: Settings,
        simulator: Simulator,
        clock: time_machine.Traveller,
        port: int,
        folder: Path,
    ) -> None:
        self.app = app  # in the test's process, only to read the database
        self.simulator = simulator
        self.clock = clock
        self.deaths = 0
        self._settings = settings
        self._port = port
        self._points = folder / "points"
        self._people = 0
        self._errors = 0  # deaths by anything but SIGKILL
        self._closing = threading.Event()
        self._lock = threading.Lock()
        self._process = self._start(None)
        self._supervisor = threading.Thread(target=self._supervise, name="supervisor")
        self._supervisor.start()

    def close(self) -> None:
        """Kill the process and don't start it again."""
        self._closing.set()
        self._supervisor.join()
        self._process.kill()
        assert not self._errors, "the process ended unasked"

    def take_points(self) -> Counter[str]:
        """The crash points that were reached since the last call of this, and how often."""
        seen = self._points.read_text().splitlines() if self._points.exists() else []
        self._points.unlink(missing_ok=True)
        return Counter(seen)

    def restart(self, dies_at: CrashPoint | None = None) -> None:
        """Kill the process, and start one that dies at that point."""
        with self._lock:
            self._process.kill()
            self._process = self._start(dies_at)

    @contextmanager
    def full_disk(self) -> Iterator[None]:
        """Let the database file not grow meanwhile."""
        file = self._settings.database_url.removeprefix("sqlite:///")
        self._process.limit_files(Path(f"{file}-wal").stat().st_size)
        try:
            yield
        finally:
            self._process.limit_files(-1)

    def kill_soon(self) -> None:
        """Kill the process at a random moment within a second, mostly after it has begun to listen.

        On a busy machine it would otherwise be killed again and again before it has done anything.
        """
        if random.random() < 0.8:  # noqa: S311 - no secret
            self.wait_until(self._is_listening, lambda: "it does not start")
        self._closing.wait(random.uniform(0.05, 1))  # noqa: S311 - no secret
        with self._lock:  # only one thread may ask how it ended: the answer is read from a pipe
            self._process.kill()

    def person(self) -> NetworkPerson:
        """Somebody new."""
        self._people += 1
        return NetworkPerson(self._settings.public_url, f"person-{self._people}")

    def compare(self) -> Verdict:
        """Compare everything that the portal holds with everything that Stripe holds, now."""
        with self.app.app_context():
            return compare(db.session(), self.simulator.store)

    def wait_until_agreed(self) -> None:
        """Wait until the portal and Stripe hold the same."""
        self.wait_until(lambda: bool(self.compare()), lambda: str(self.compare()))

    def wait_until(self, condition: Callable[[], bool], problem: Callable[[], str]) -> None:
        """Wait for a condition. Say what the problem is if it never comes true."""
        give_up = time.monotonic() + PATIENCE
        while not condition():
            assert time.monotonic() < give_up, problem()
            self._closing.wait(0.05)

    def _is_listening(self) -> bool:
        with suppress(OSError), socket.create_connection(("127.0.0.1", self._port), timeout=1):
            return True
        return False

    def _start(self, dies_at: CrashPoint | None) -> PortalProcess:
        return PortalProcess(self._settings, self._port, self._points, dies_at, time.time())

    def _supervise(self) -> None:
        while not self._closing.wait(0.01):
            with self._lock:
                if self._process.is_dead:
                    self._errors += not self._process.was_killed
                    self.deaths += 1
                    self.clock.shift(TAKEOVER_DELAY)
                    self._process = self._start(None)
