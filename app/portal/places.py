"""Read and write one value of a profile's document by its place."""

from typing import Any

Place = tuple[str, ...]  # names on the way to a value, such as ("brand", "company_name")


def value_at(document: dict[str, Any], place: Place) -> Any:
    """Return the value at a place; None where the document has none."""
    for name in place[:-1]:
        document = document.get(name, {})
    return document.get(place[-1])


def put_at(document: dict[str, Any], place: Place, value: object) -> None:
    """Put a value at its place. Objects that are missing on the way are added."""
    for name in place[:-1]:
        document = document.setdefault(name, {})
    document[place[-1]] = value
