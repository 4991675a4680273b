"""The URL of the current page: its arguments, and changed copies of it."""

from collections.abc import Iterable
from datetime import UTC, datetime

from flask import request, url_for

from app.core.db import is_id
from app.core.errors import NotFound
from app.web.keyset import Position

POSITIONS = ("before", "after")
NO_PAGE = "There is no such page. Go back to the start of the list."
MAX_ID_LENGTH = 255
MAX_LABEL_LENGTH = 256
FIRST, LAST = (
    datetime(1970, 1, 1, tzinfo=UTC),
    datetime(9000, 1, 1, tzinfo=UTC),
)  # every database stores these


def current_url(**changes: str | None) -> str:
    """The current URL with changed arguments; None removes one. A list starts at its first page again."""
    kept = {name: value for name, value in request.args.items() if value and _is_ours(name)}
    wanted = {name: value for name, value in (kept | changes).items() if value}
    return url_for(str(request.endpoint), **(request.view_args or {}), **wanted)  # type: ignore[arg-type]


def _is_ours(name: str) -> bool:
    """Keep an argument, unless it is a position or means something to `url_for`."""
    return name not in {*POSITIONS, "endpoint", *(request.view_args or {})} and not name.startswith("_")


def choice(name: str, allowed: Iterable[str]) -> str | None:
    """An argument with one of the allowed values; None for any other."""
    value = request.args.get(name, "")
    return value if value in allowed else None


def text(name: str) -> str | None:
    """An argument that somebody typed; None when no stored text can equal it."""
    value = request.args.get(name, "").strip()
    return value if value and value.isprintable() and len(value) <= 255 else None


def format_position(position: Position) -> str:
    """A position in a list, as text for a URL."""
    return "~".join(part.isoformat() if isinstance(part, datetime) else part for part in position)


def timed_position(name: str) -> Position | None:
    """Read a position that is a time and an id. Raises NotFound for any other."""
    given = request.args.get(name, "")
    if not given:
        return None
    moment, _, id_ = given.partition("~")
    try:
        local = datetime.fromisoformat(moment)
        instant = local.astimezone(UTC)
    except (ValueError, OverflowError):
        raise NotFound(NO_PAGE) from None
    is_id_like = id_.isprintable() and 0 < len(id_) <= MAX_ID_LENGTH
    if local.tzinfo is None or not FIRST <= instant <= LAST or not is_id_like:
        raise NotFound(NO_PAGE)
    return (instant, id_)


def named_position(name: str) -> Position | None:
    """Read a position that is a text of at most 256 letters and an id. Raises NotFound for any other."""
    given = request.args.get(name, "")
    if not given:
        return None
    label, _, id_ = given.rpartition("~")
    if not is_id(id_) or not 0 < len(label) <= MAX_LABEL_LENGTH:
        raise NotFound(NO_PAGE)
    return (label, id_)


def id_position(name: str) -> Position | None:
    """Read a position that is an id. Raises NotFound for any other."""
    given = request.args.get(name, "")
    if not given:
        return None
    if not is_id(given):
        raise NotFound(NO_PAGE)
    return (given,)
