"""A portal that is killed and started again while people use it, and what must be true in the end."""

import random
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import time_machine
from flask import Flask

from app import db
from app.config import Settings
from app.idempotency.actions import ABANDONED
from app.simulator import Simulator
from app.sync.leases import LEASE
from tests.proof.mortal import Doom, Mortal
from tests.proof.travellers import Traveller
from tests.proof.truth import Verdict, compare

OVER = max(LEASE, ABANDONED).total_seconds() + 1
PATIENCE = 60.0


class Haunted:
    """The portal's process, which is started again whenever it has died; and people, by name."""

    def __init__(
        self,
        app: Flask,
        settings: Settings,
        simulator: Simulator,
        clock: time_machine.Traveller,
        port: int,
        folder: Path,
    ) -> None:
        self.app = app
        self.simulator = simulator
        self._settings = settings
        self._clock = clock
        self._port = port
        self._points = folder / "points"
        self._people = 0
        self._over = threading.Event()
        self._care = threading.Lock()
        self.deaths = 0
        self._collapses = 0
        self._mortal = self._start(None)
        self._nurse = threading.Thread(target=self._look_after, name="nurse")
        self._nurse.start()

    def close(self) -> None:
        """Let it die for good."""
        self._over.set()
        self._nurse.join()
        self._mortal.kill()
        assert not self._collapses, "it ended by itself"

    def dooms(self) -> Counter[str]:
        """The points that were reached since this was asked last, and how often."""
        seen = self._points.read_text().splitlines() if self._points.exists() else []
        self._points.unlink(missing_ok=True)
        return Counter(seen)

    def restart(self, doom: Doom | None) -> None:
        """Kill it, and start it with another fate."""
        with self._care:
            self._mortal.kill()
            self._mortal = self._start(doom)

    @contextmanager
    def full_disk(self) -> Iterator[None]:
        """A while in which its database can't grow."""
        file = self._settings.database_url.removeprefix("sqlite:///")
        self._mortal.limit_files(Path(f"{file}-wal").stat().st_size)
        try:
            yield
        finally:
            self._mortal.limit_files(-1)

    def kill_soon(self) -> None:
        """Kill it some moment within the next second; most often only once it has begun to answer.

        On a busy machine it would else be killed again and again before it has done anything.
        """
        if random.random() < 0.8:  # noqa: S311 - no secret
            self.until(self._answers, lambda: "it does not start")
        self._over.wait(random.uniform(0.05, 1))  # noqa: S311 - no secret
        with self._care:  # only one may ask how it ended: the answer is read from a pipe
            self._mortal.kill()

    def comes(self) -> Traveller:
        """Somebody new."""
        self._people += 1
        return Traveller(self._settings.public_url, f"traveller-{self._people}")

    def verdict(self) -> Verdict:
        """How we and Stripe agree at this moment."""
        with self.app.app_context():
            return compare(db.session(), self.simulator.books)

    def agrees_at_last(self) -> None:
        """Wait until all is as it should be."""
        self.until(lambda: bool(self.verdict()), lambda: str(self.verdict()))

    def until(self, condition: Callable[[], bool], problem: Callable[[], str]) -> None:
        """Wait for a condition, not for a time; say what the problem is when it never comes true."""
        give_up = time.monotonic() + PATIENCE
        while not condition():
            assert time.monotonic() < give_up, problem()
            self._over.wait(0.05)

    def _answers(self) -> bool:
        with suppress(OSError), socket.create_connection(("127.0.0.1", self._port), timeout=1):
            return True
        return False

    def _start(self, doom: Doom | None) -> Mortal:
        return Mortal(self._settings, self._port, self._points, doom, time.time())

    def _look_after(self) -> None:
        while not self._over.wait(0.01):
            with self._care:
                if self._mortal.is_dead:
                    self._collapses += not self._mortal.was_killed
                    self.deaths += 1
                    self._clock.shift(OVER)  # what it held may be taken over
                    self._mortal = self._start(None)
