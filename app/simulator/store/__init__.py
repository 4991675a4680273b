"""What the simulated Stripe knows: its objects, their ids, and the time."""

from app.simulator.store.clock import Clock
from app.simulator.store.collection import DEFAULT_ACCOUNT, JSON, Collection, Row
from app.simulator.store.store import Store

__all__ = ["DEFAULT_ACCOUNT", "JSON", "Clock", "Collection", "Row", "Store"]
