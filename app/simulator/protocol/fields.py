"""Fields of many objects: metadata and addresses."""

from app.simulator.protocol.errors import StripeError
from app.simulator.store import JSON

_ADDRESS = ("city", "country", "line1", "line2", "postal_code", "state")


def merge_metadata(old: JSON | None, given: JSON | str | None, param: str = "metadata") -> JSON:
    """Return the metadata after an update. An empty value deletes its key, an empty string deletes all.

    Source: https://docs.stripe.com/api/metadata. Raises StripeError for more than 50 keys, for a key
    over 40 characters or with brackets, and for a value over 500 characters.
    """
    if given == "":
        return {}
    result = dict(old or {})
    for key, value in (given or {}).items() if not isinstance(given, str) else ():
        if len(key) > 40:
            raise StripeError(
                f"Metadata keys can be up to 40 characters long. The key '{key}' has {len(key)}.",
                param=param,
            )
        if "[" in key or "]" in key:
            raise StripeError(f"Metadata keys must not contain brackets: {key}", param=param)
        if len(value) > 500:
            raise StripeError(
                f"Metadata values can have up to 500 characters, but you passed in a value that is "
                f"{len(value)} characters. Invalid value: {value[:20]}...",
                param=f"{param}[{key}]",
            )
        if value == "":
            result.pop(key, None)
        else:
            result[key] = value
    if len(result) > 50:
        raise StripeError("You can only have up to 50 metadata keys.", param=param)
    return result


def address(given: JSON | str | None) -> JSON | None:
    """Return an address with all its parts; a missing one is null."""
    if not isinstance(given, dict):
        return None
    return {part: given.get(part) or None for part in _ADDRESS}
