"""Idempotency keys: a repeated request gets the first answer again.

Source: https://docs.stripe.com/api/idempotent_requests. The store holds the answers. Only memory holds the
requests in progress, so a crash leaves no key in use.
"""

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from app.simulator.protocol.call import Call
from app.simulator.protocol.errors import StripeError
from app.simulator.store import JSON

ANSWER_RETENTION = 24 * 3600  # seconds


@dataclass(frozen=True)
class Answer:
    """An answer, and the id of the request that got it first."""

    status: int
    body: JSON
    request: str
    replayed: bool = False
    retry_after: float = 0  # seconds


class RequestsInProgress:
    """The idempotency keys of requests without an answer yet."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._keys: set[str] = set()

    @contextmanager
    def hold(self, storage_key: str, key: str) -> Iterator[None]:
        """Hold this key for one request. Raises StripeError (409) when another request holds it."""
        with self._lock:
            if storage_key in self._keys:
                raise StripeError(
                    "There is currently another in-progress request using this Idempotent Key (that "
                    "probably means you submitted twice, and the other request is still going through): "
                    f"{key}. Please try again later.",
                    status=409,
                    kind="idempotency_error",
                    code="idempotency_key_in_use",
                )
            self._keys.add(storage_key)
        try:
            yield
        finally:
            with self._lock:
                self._keys.discard(storage_key)


def storage_key(call: Call, key: str) -> str:
    """Return the id under which the store has the answer. Raises StripeError for too long a key."""
    if len(key) > 255:
        message = "Idempotency keys must be at most 255 characters long."
        raise StripeError(message, kind="idempotency_error")
    return f"{call.account}/{key}"


def find_answer(call: Call, key: str) -> Answer | None:
    """Return the first answer for this key. Raises StripeError when it belongs to another request."""
    stored = call.store.idempotency.get(storage_key(call, key))
    if stored is None or stored["created"] < call.now - ANSWER_RETENTION:
        return None
    if stored["url"] != call.url:
        raise StripeError(
            "Keys for idempotent requests can only be used for the same endpoint they were first used for "
            f"('{stored['url']}' vs '{call.url}'). Try using a key other than '{key}' if you meant to "
            "execute a different request.",
            kind="idempotency_error",
        )
    if stored["parameters"] != _digest(call):
        raise StripeError(
            "Keys for idempotent requests can only be used with the same parameters they were first used "
            f"with. Try using a key other than '{key}' if you meant to execute a different request.",
            kind="idempotency_error",
        )
    return Answer(stored["status"], stored["body"], stored["request"], replayed=True)


def store_answer(call: Call, key: str, answer: Answer) -> None:
    """Store an answer in the same transaction as the change that it reports."""
    stored = {
        "created": call.now,
        "url": call.url,
        "parameters": _digest(call),
        "status": answer.status,
        "body": answer.body,
        "request": answer.request,
    }
    call.store.idempotency.put(storage_key(call, key), stored, call.account)


def _digest(call: Call) -> str:
    return hashlib.sha256(json.dumps(call.params, sort_keys=True).encode()).hexdigest()
