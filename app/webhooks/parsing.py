"""Parse what Stripe signed: an event of the app's mode, or something that we ignore."""

import hashlib
import json
from typing import Any

from app.core.values import frozen

NOT_TEXT = "It is not UTF-8 text."
NOT_JSON = "It is not valid JSON."
NO_OBJECT = "It is not a JSON object, so not an event."
NO_EVENT = "It has no id, type and mode, so it is not an event."
OTHER_MODE = "It is in the other mode. Test and live mode are separate."
UNREADABLE = "unreadable"  # the type of a body without one


@frozen
class ParsedEvent:
    """A signed body. If it is not an event, its id is a digest of its bytes, which recognises a repeat."""

    id: str
    type: str
    body: dict[str, Any]  # empty if it is not an event
    ignored_because: str | None


def parse_bytes(payload: bytes, *, livemode: bool) -> tuple[str, ParsedEvent]:
    """Return a signed body as text that a database can store, and parse it."""
    try:
        text = payload.decode()
    except UnicodeDecodeError:
        text = payload.decode(errors="backslashreplace")
        return text.replace("\x00", ""), _unusable(text, NOT_TEXT)
    return text.replace("\x00", ""), parse(text, livemode=livemode)


def parse(payload: str, *, livemode: bool) -> ParsedEvent:
    """Parse a body that Stripe has signed for an app of this mode."""
    try:
        body = json.loads(payload)
    except (ValueError, RecursionError):
        return _unusable(payload, NOT_JSON)
    if not isinstance(body, dict):
        return _unusable(payload, NO_OBJECT)
    if not is_event(body):
        return _unusable(payload, NO_EVENT)
    return ParsedEvent(body["id"], body["type"], body, None if body["livemode"] is livemode else OTHER_MODE)


def reason_to_ignore(payload: str, body: dict[str, Any], *, livemode: bool) -> str | None:
    """Say why an app of this mode ignores a stored payload and its parsed body. Return None for an event."""
    if is_event(body) and body["livemode"] is livemode:
        return None
    return parse(payload, livemode=livemode).ignored_because


def is_event(body: Any) -> bool:
    """Is this an event, with an id and a type that a database can store?"""
    return (
        isinstance(body, dict)
        and _is_name(body.get("id"))
        and _is_name(body.get("type"))
        and isinstance(body.get("livemode"), bool)
    )


def _is_name(value: Any) -> bool:
    return isinstance(value, str) and 0 < len(value) <= 255 and value.isprintable()


def _unusable(payload: str, reason: str) -> ParsedEvent:
    digest = hashlib.sha256(payload.encode(errors="replace")).hexdigest()
    return ParsedEvent(f"unreadable_{digest[:32]}", UNREADABLE, {}, reason)
