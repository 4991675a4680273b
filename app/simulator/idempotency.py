"""Idempotency keys: the first answer is the only one.

Source: https://docs.stripe.com/api/idempotent_requests. What was answered is kept with the store; which
requests are running is not, so that a crash leaves no key in use.
"""

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from app.simulator.errors import StripeError
from app.simulator.shapes import JSON
from app.simulator.work import Call

KEPT_FOR = 24 * 3600


@dataclass(frozen=True)
class Answer:
    """What a request was answered, and the id of the request that was answered first."""

    status: int
    body: JSON
    request: str
    replayed: bool = False
    retry_after: float = 0  # seconds that the caller is asked to wait


class Running:
    """The requests with a key that are on their way."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._keys: set[str] = set()

    @contextmanager
    def alone(self, place: str, key: str) -> Iterator[None]:
        """Run as the only request with this key; raises StripeError (409) when another one does."""
        with self._lock:
            if place in self._keys:
                raise StripeError(
                    "There is currently another in-progress request using this Idempotent Key (that "
                    "probably means you submitted twice, and the other request is still going through): "
                    f"{key}. Please try again later.",
                    status=409,
                    kind="idempotency_error",
                    code="idempotency_key_in_use",
                )
            self._keys.add(place)
        try:
            yield
        finally:
            with self._lock:
                self._keys.discard(place)


def place(call: Call, key: str) -> str:
    """Where the answer to a key is kept; raises StripeError for a key that is too long."""
    if len(key) > 255:
        message = "Idempotency keys must be at most 255 characters long."
        raise StripeError(message, kind="idempotency_error")
    return f"{call.account}/{key}"


def recall(call: Call, key: str) -> Answer | None:
    """The first answer to this key; raises StripeError when it was another request."""
    kept = call.store.idempotency.get(place(call, key))
    if kept is None or kept["created"] < call.now - KEPT_FOR:
        return None
    if kept["url"] != call.url:
        raise StripeError(
            "Keys for idempotent requests can only be used for the same endpoint they were first used for "
            f"('{kept['url']}' vs '{call.url}'). Try using a key other than '{key}' if you meant to "
            "execute a different request.",
            kind="idempotency_error",
        )
    if kept["parameters"] != _digest(call):
        raise StripeError(
            "Keys for idempotent requests can only be used with the same parameters they were first used "
            f"with. Try using a key other than '{key}' if you meant to execute a different request.",
            kind="idempotency_error",
        )
    return Answer(kept["status"], kept["body"], kept["request"], replayed=True)


def record(call: Call, key: str, answer: Answer) -> None:
    """Keep an answer, in the transaction of what it tells."""
    kept = {
        "created": call.now,
        "url": call.url,
        "parameters": _digest(call),
        "status": answer.status,
        "body": answer.body,
        "request": answer.request,
    }
    call.store.idempotency.put(place(call, key), kept, call.account)


def _digest(call: Call) -> str:
    return hashlib.sha256(json.dumps(call.params, sort_keys=True).encode()).hexdigest()
