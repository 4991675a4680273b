"""What the application asks of Stripe, counted at the simulator's door."""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

from app.simulator import Simulator


@dataclass
class StripeCalls:
    """Every call that reached the simulated Stripe, and what is to happen around some of them."""

    made: list[str] = field(default_factory=list)  # such as POST /v1/customers
    refusals: dict[str, dict[str, str]] = field(default_factory=dict)  # error objects, by route
    _first: list[tuple[str, Callable[[], object]]] = field(default_factory=list)
    _then: list[tuple[str, Callable[[], object]]] = field(default_factory=list)

    @classmethod
    def of(cls, simulator: Simulator) -> "StripeCalls":
        """Listen at the door of a simulator."""
        calls = cls()
        inside = simulator.wsgi.wsgi_app

        def listening(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
            name = f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']}"
            calls.made.append(name)
            calls._happen(calls._first, name)
            if name in calls.refusals:
                start_response("400 Bad Request", [("Content-Type", "application/json")])
                return [json.dumps({"error": calls.refusals[name]}).encode()]
            answer = list(inside(environ, start_response))
            calls._happen(calls._then, name)
            return answer

        simulator.wsgi.wsgi_app = listening  # type: ignore[method-assign]
        return calls

    def before(self, route: str, action: Callable[[], object]) -> None:
        """Do something once, when the next call of a route arrives."""
        self._first.append((route, action))

    def after(self, route: str, action: Callable[[], object]) -> None:
        """Do something once, when the next call of a route is answered."""
        self._then.append((route, action))

    def clear(self) -> None:
        """Count from here on."""
        self.made.clear()

    def _happen(self, planned: list[tuple[str, Callable[[], object]]], name: str) -> None:
        for plan in [plan for plan in planned if fnmatchcase(name, plan[0])]:
            planned.remove(plan)
            plan[1]()
