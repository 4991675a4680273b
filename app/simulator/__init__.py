"""A Stripe small enough to ship: the product runs, demonstrates and tests its whole way without one.

It keeps its own store and imports nothing of ours; the official SDK and CLI talk to it unmodified. It
takes test keys and Stripe's test cards, nothing else.
"""

from app.simulator.accounts import DEFAULT_API_KEY, DEFAULT_RESTRICTED_KEY
from app.simulator.hosted import Payer
from app.simulator.knobs import Faults, Knobs
from app.simulator.simulator import Simulator
from app.simulator.store import DEFAULT_ACCOUNT, Store

__all__ = [
    "DEFAULT_ACCOUNT",
    "DEFAULT_API_KEY",
    "DEFAULT_RESTRICTED_KEY",
    "Faults",
    "Knobs",
    "Payer",
    "Simulator",
    "Store",
]
