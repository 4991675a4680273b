"""Threads that ask Stripe at the same time: its latency costs the time, not our processor."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from queue import Empty, SimpleQueue
from typing import TypeVar

from flask import Flask

GROUP_DELAY = 0.1  # seconds that a result waits at most for others, to be stored together with them

Result = TypeVar("Result")


class Callers:
    """Daemon threads, so that none keeps a process alive. They start when they are needed."""

    def __init__(self, app: Flask, most: int) -> None:
        self._app = app
        self._most = most
        self._jobs: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._lock = threading.Lock()
        self._started = 0

    def run(self, calls: Sequence[Callable[[], Result]]) -> Iterator[list[Result]]:
        """Make all calls, each in a thread. Yield the results in groups, as they come. No call may raise."""
        if len(calls) == 1:
            yield [calls[0]()]
            return
        results: SimpleQueue[Result] = SimpleQueue()
        self._start(len(calls))
        for call in calls:
            self._jobs.put(_job(call, results))
        left = len(calls)
        while left:
            group = _group(results, left)
            left -= len(group)
            yield group

    def close(self) -> None:
        """End the threads, each after its current call."""
        with self._lock:
            for _ in range(self._started):
                self._jobs.put(None)
            self._started = 0

    def _start(self, number: int) -> None:
        with self._lock:
            for _ in range(min(number, self._most) - self._started):
                self._started += 1
                threading.Thread(target=self._serve, name="gangway-caller", daemon=True).start()

    def _serve(self) -> None:
        while (job := self._jobs.get()) is not None:
            with self._app.app_context():
                job()


def _job(call: Callable[[], Result], results: SimpleQueue[Result]) -> Callable[[], None]:
    return lambda: results.put(call())


def _group(results: SimpleQueue[Result], most: int) -> list[Result]:
    """Return a result, with those that come soon after it."""
    group = [results.get()]
    until = time.monotonic() + GROUP_DELAY
    while len(group) < most:
        try:
            group.append(results.get(timeout=max(0.0, until - time.monotonic())))
        except Empty:
            break
    return group
