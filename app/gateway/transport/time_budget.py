"""How long Stripe may take: less while a person waits for a page than when only the worker does.

A page makes several calls. They share one budget, so that it answers in time however many of them hang.
A call that hangs is not tried again then. One that fails at once is: an old connection may be stale.
"""

from collections.abc import Mapping
from contextvars import ContextVar
from time import monotonic
from typing import Any

import stripe
from flask import Blueprint

PERSON_TIMEOUTS = (3.0, 6.0)  # seconds to connect, seconds to answer
PERSON_BUDGET = 8.5  # seconds for all calls of one page, which is to answer within ten
QUICK_FAILURE = 1.0  # seconds of the budget; what got no answer for longer hangs
SHORTEST_CALL = 0.25  # seconds; with less than this left, Stripe is not asked at all

_deadline: ContextVar[float | None] = ContextVar("gangway_stripe_deadline", default=None)


def set_budget(seconds: float = PERSON_BUDGET) -> None:
    """A person waits: from here on, all calls of this thread have this many seconds together."""
    _deadline.set(monotonic() + seconds)


def clear_budget() -> None:
    """Nobody waits now."""
    _deadline.set(None)


def limit_waiting(pages: Blueprint) -> None:
    """Limit how long Stripe may take for these pages, because a person waits: each answers in ten seconds."""
    pages.before_request(set_budget)
    pages.teardown_request(lambda _error: clear_budget())  # the thread goes on to other work


def time_left() -> float | None:
    """Seconds that are left of the budget; None when nobody waits."""
    deadline = _deadline.get()
    return None if deadline is None else deadline - monotonic()


def timeouts(usual: tuple[float, float]) -> tuple[float, float]:
    """Seconds to connect and seconds to answer, for a call that begins now."""
    left = time_left()
    if left is None:
        return usual
    connect = min(PERSON_TIMEOUTS[0], left / 2)
    return connect, min(PERSON_TIMEOUTS[1], left - connect)


def refuse_late_call() -> None:
    """Raise APIConnectionError when a person waits and no time is left for another call."""
    left = time_left()
    if left is not None and left < SHORTEST_CALL:
        raise stripe.APIConnectionError(  # type: ignore[no-untyped-call]
            "Stripe has taken too long for a page that somebody is waiting for.", should_retry=False
        )


def allows_retry(response: tuple[Any, int, Mapping[str, str] | None] | None) -> bool:
    """May a call be tried again after this answer, or after none?"""
    left = time_left()
    least = PERSON_BUDGET - QUICK_FAILURE if response is None else SHORTEST_CALL
    return left is None or left > least
