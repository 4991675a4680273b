"""A Stripe small enough to embed: the demo and the tests run against it, without a network.

It has its own store and imports nothing else of the application. Stripe's SDK and CLI work with it unchanged.
It takes only test keys and Stripe's test cards.
"""

from app.simulator.control.actions import perform
from app.simulator.protocol.faults.fault_settings import FAULTS, FaultSettings
from app.simulator.protocol.faults.next_calls import Faults
from app.simulator.protocol.keys import DEFAULT_API_KEY, DEFAULT_RESTRICTED_KEY, add_key, revoke_key
from app.simulator.resources.accounts import add_account
from app.simulator.resources.checkout.forms import Payer
from app.simulator.server import Server, serve
from app.simulator.simulator import Simulator
from app.simulator.store import DEFAULT_ACCOUNT, JSON, Row, Store

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
