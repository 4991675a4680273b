"""A Stripe small enough to ship: the product runs, demonstrates and tests its whole way without one.

It keeps its own store and imports nothing of ours; the official SDK and CLI talk to it unmodified. It
takes test keys and Stripe's test cards, nothing else.
"""

from app.simulator.accounts import DEFAULT_API_KEY, DEFAULT_RESTRICTED_KEY, add_account, add_key, revoke_key
from app.simulator.deeds import perform
from app.simulator.fault_settings import FAULTS, Faults, FaultSettings
from app.simulator.hosted import Payer
from app.simulator.server import Server, serve
from app.simulator.shapes import JSON
from app.simulator.simulator import Simulator
from app.simulator.store import DEFAULT_ACCOUNT, Row, Store

__all__ = [
    "DEFAULT_ACCOUNT",
    "DEFAULT_API_KEY",
    "DEFAULT_RESTRICTED_KEY",
    "FAULTS",
    "JSON",
    "FaultSettings",
    "Faults",
    "Payer",
    "Row",
    "Server",
    "Simulator",
    "Store",
    "add_account",
    "add_key",
    "perform",
    "revoke_key",
    "serve",
]
