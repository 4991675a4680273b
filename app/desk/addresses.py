"""The address of the page being shown, with something changed: filters and places in lists stay in it."""

from collections.abc import Iterable
from datetime import datetime

from flask import request, url_for

from app.web.keyset import Position

PLACES = ("before", "after")


def here(**changes: str | None) -> str:
    """This page with other arguments; None takes one away. It begins at the list's first page again."""
    kept = {name: value for name, value in request.args.items() if value and name not in PLACES}
    wanted = {name: value for name, value in (kept | changes).items() if value}
    return url_for(str(request.endpoint), **(request.view_args or {}), **wanted)  # type: ignore[arg-type]


def word(name: str, allowed: Iterable[str]) -> str | None:
    """An argument, if it is one of a few words; what is not filters nothing."""
    value = request.args.get(name, "")
    return value if value in allowed else None


def text(name: str) -> str | None:
    """An argument that somebody typed. What no database takes finds nothing anyway."""
    value = request.args.get(name, "").strip()
    return value if value and value.isprintable() and len(value) <= 255 else None


def place_of(position: Position) -> str:
    """A place in a list, as an address says it."""
    return "~".join(part.isoformat() if isinstance(part, datetime) else part for part in position)


def timed_place(name: str) -> Position | None:
    """A place that is a time and an id; None where the address has none, or none that can be read."""
    moment, _, id_ = request.args.get(name, "").partition("~")
    try:
        instant = datetime.fromisoformat(moment)
    except ValueError:
        return None
    return (instant, id_) if instant.tzinfo is not None and id_.isprintable() else None


def place(name: str) -> Position | None:
    """A place that is an id alone."""
    value = text(name)
    return None if value is None else (value,)
