"""A request to the API, and the operations that answer it."""

from collections.abc import Callable
from dataclasses import dataclass, field

from app.simulator.protocol.work import PINNED_VERSION, Work
from app.simulator.store import JSON


@dataclass
class Call(Work):
    """One request: its parameters, and the variables of its path."""

    params: JSON = field(default_factory=dict)
    path: dict[str, str] = field(default_factory=dict)
    version: str = PINNED_VERSION
    url: str = ""


Handler = Callable[[Call], JSON]

OPERATIONS: dict[str, Handler] = {}


def operation(name: str) -> Callable[[Handler], Handler]:
    """Register a handler, such as that of "POST /v1/customers/{customer}". `Call.path` holds the customer."""

    def register(handler: Handler) -> Handler:
        OPERATIONS[name] = handler
        return handler

    return register
