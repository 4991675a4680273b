"""What differs between two documents of settings, by the path of each value."""

import hashlib
from collections.abc import Iterator
from typing import Any

MAX_SHOWN = 500  # characters of one value in the audit log

Values = dict[str, object]


def differences(before: dict[str, Any], after: dict[str, Any]) -> tuple[Values, Values]:
    """Return the values that differ, as they were and as they are. A value that is missing has no path."""
    old, new = dict(_values(before)), dict(_values(after))
    changed = [path for path in {**old, **new} if old.get(path, ...) != new.get(path, ...)]
    filled = {path[:dot] for path in changed for dot in _dots(path)}  # what was empty and has parts, or had
    changed = [path for path in changed if path not in filled]
    return (
        {path: _shown(path, old[path]) for path in changed if path in old},
        {path: _shown(path, new[path]) for path in changed if path in new},
    )


def _values(document: object, path: str = "") -> Iterator[tuple[str, object]]:
    """Return each value that is no object, with its path. An empty object is a value, too."""
    if isinstance(document, dict) and document:
        for name, value in document.items():
            yield from _values(value, f"{path}.{name}" if path else str(name))
    elif path:
        yield path, document


def _dots(path: str) -> list[int]:
    return [place for place, letter in enumerate(path) if letter == "."]


def _shown(path: str, value: object) -> object:
    """Return what the audit log shows of a value: of a picture a digest, of a long text its beginning."""
    if isinstance(value, str) and path.endswith(".data"):
        return f"sha256:{hashlib.sha256(value.encode()).hexdigest()[:16]}"
    if isinstance(value, str) and len(value) > MAX_SHOWN:
        return value[:MAX_SHOWN] + "…"
    return value
