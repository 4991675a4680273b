"""One operation of the API: who may call it, what may be sent and what comes back.

Every call is checked against it, and the OpenAPI document is made of it.
"""

from collections.abc import Mapping
from dataclasses import field
from typing import Any, Literal

from app.api.wire import WireModel
from app.core.values import frozen

Scope = Literal["read", "write", "admin"]
Method = Literal["GET", "POST", "PUT", "DELETE"]


@frozen(kw_only=True)
class Operation:
    """One route of the API, as it is checked and as it is documented."""

    id: str  # OpenMeter's operationId
    tag: str
    method: Method
    rule: str  # Flask's
    summary: str
    description: str
    scope: Scope
    status: int
    body: Any = None  # a type that pydantic can read
    query: type[WireModel] | None = None
    answers: Any = None
    errors: tuple[int, ...] = ()
    examples: Mapping[str, Any] = field(default_factory=dict)
    headers: tuple[str, ...] = ()  # further headers of the answer
