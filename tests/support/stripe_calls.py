"""Records the calls that reach the simulated Stripe, and lets things happen before or after one."""

import json
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

from app.simulator import Simulator


@dataclass
class Planned:
    """Something that happens once, at a call of a route; so many calls of it pass first."""

    route: str  # a pattern such as "POST /v1/customers" or "*"
    action: Callable[[], object]
    skip: int = 0

    def is_due(self, name: str) -> bool:
        """Count a call; true if the action belongs to it."""
        if not fnmatchcase(name, self.route):
            return False
        self.skip -= 1
        return self.skip < 0


@dataclass
class StripeCalls:
    """Every call that reached the simulated Stripe, and what is planned for calls to come."""

    made: list[str] = field(default_factory=list)  # such as POST /v1/customers
    refusals: dict[str, dict[str, str]] = field(
        default_factory=dict
    )  # error objects, by route; `http` is the status
    _before: list[Planned] = field(default_factory=list)
    _after: list[Planned] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)  # calls arrive in many threads

    @classmethod
    def of(cls, simulator: Simulator) -> "StripeCalls":
        """Listen to the calls that a simulator receives."""
        calls = cls()
        inside = simulator.wsgi.wsgi_app

        def listening(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
            name = f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']}"
            calls.made.append(name)
            calls._run(calls._before, name)
            if name in calls.refusals:
                error = dict(calls.refusals[name])
                start_response(error.pop("http", "400 Bad Request"), [("Content-Type", "application/json")])
                return [json.dumps({"error": error}).encode()]
            answer = list(inside(environ, start_response))
            calls._run(calls._after, name)
            return answer

        simulator.wsgi.wsgi_app = listening  # type: ignore[method-assign]
        return calls

    def before(self, route: str, action: Callable[[], object], *, skip: int = 0) -> None:
        """Do something once, when the next call of a route arrives."""
        self._before.append(Planned(route, action, skip))

    def after(self, route: str, action: Callable[[], object], *, skip: int = 0) -> None:
        """Do something once, when the next call of a route is answered."""
        self._after.append(Planned(route, action, skip))

    def clear(self) -> None:
        """Count from here on."""
        self.made.clear()

    def cancel(self) -> None:
        """Do nothing of what is still planned."""
        self._before.clear()
        self._after.clear()

    def _run(self, planned: list[Planned], name: str) -> None:
        with self._lock:
            due = [plan for plan in planned if plan.is_due(name)]
            for plan in due:
                planned.remove(plan)  # first, since the action may itself make calls
        for plan in due:
            plan.action()


def elsewhere(action: Callable[[], object]) -> Callable[[], None]:
    """Do something in another thread, as another process would, and wait for it."""

    def act() -> None:
        with ThreadPoolExecutor(1) as thread:
            thread.submit(action).result()

    return act
