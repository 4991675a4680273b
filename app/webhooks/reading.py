"""What Stripe signed: an event of the app's own mode, or something else, and what that is."""

import hashlib
import json
from dataclasses import dataclass
from typing import Any

NOT_JSON = "It is not JSON that could be read."
NO_OBJECT = "It is not a JSON object, so it is no event."
NO_EVENT = "It has no id, type and mode, so it is no event."
OTHER_MODE = "It is of the other mode: test and live are kept apart."
UNREADABLE = "unreadable"  # stands for the type of what has none


@dataclass(frozen=True)
class Reading:
    """A signed body. What is no event gets an id made of its bytes, by which a repeat is known again."""

    id: str
    type: str
    body: dict[str, Any]  # empty if it is no event
    ignored_because: str | None


def read(payload: str, *, livemode: bool) -> Reading:
    """Read a body that Stripe has signed for an app of this mode."""
    try:
        body = json.loads(payload)
    except (ValueError, RecursionError):
        return _unusable(payload, NOT_JSON)
    if not isinstance(body, dict):
        return _unusable(payload, NO_OBJECT)
    if not is_event(body):
        return _unusable(payload, NO_EVENT)
    reason = None if body["livemode"] is livemode else OTHER_MODE
    return Reading(body["id"], body["type"], body, reason)


def is_event(body: Any) -> bool:
    """Has this the shape of an event, with an id and a type that a database takes?"""
    return (
        isinstance(body, dict)
        and _is_name(body.get("id"))
        and _is_name(body.get("type"))
        and isinstance(body.get("livemode"), bool)
    )


def _is_name(value: Any) -> bool:
    return isinstance(value, str) and 0 < len(value) <= 255 and value.isprintable()


def _unusable(payload: str, reason: str) -> Reading:
    digest = hashlib.sha256(payload.encode(errors="replace")).hexdigest()
    return Reading(f"unreadable_{digest[:32]}", UNREADABLE, {}, reason)
