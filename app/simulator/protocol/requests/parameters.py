"""Checks parameters at every depth, as the table in parameters.txt says."""

import re
from collections.abc import Iterator
from difflib import get_close_matches

from app.simulator.protocol.errors import StripeError, missing_parameter
from app.simulator.protocol.requests.currencies import CURRENCIES
from app.simulator.protocol.requests.parameter_table import Kind, Parameter, table
from app.simulator.store import JSON

# By its description Stripe takes no empty value for these, but in fact it does, and unsets them.
_UNSETTABLE = frozenset(
    [
        *("city", "country", "line1", "line2", "postal_code", "state"),
        *("default_payment_method", "description", "email", "name", "phone"),
    ]
)


def check(operation: str, given: JSON) -> JSON:
    """Return the parameters with the types that the table gives them.

    Raises StripeError for unknown parameters first, then for missing ones, then for wrong values.
    """
    known = table()[operation]
    unknown = list(_unknown(known, given, ""))
    if unknown:
        raise _unknown_parameters(unknown)
    return _convert_fields(known, given, "")


def _unknown_parameters(unknown: list[tuple[str, str | None]]) -> StripeError:
    names = ", ".join(name for name, _ in unknown)
    message = f"Received unknown parameter{'s' if len(unknown) > 1 else ''}: {names}"
    first, suggestion = unknown[0]
    if suggestion and len(unknown) == 1:
        message += f". Did you mean {suggestion}?"
    return StripeError(message, code="parameter_unknown", param=first)


def _unknown(known: dict[str, Parameter], given: JSON, path: str) -> Iterator[tuple[str, str | None]]:
    for name, value in given.items():
        here = f"{path}[{name}]" if path else name
        if name not in known:
            yield here, next(iter(get_close_matches(name, known, n=1)), None)
            continue
        yield from _unknown_within(known[name].kinds, value, here)


def _unknown_within(kinds: tuple[Kind, ...], value: object, path: str) -> Iterator[tuple[str, str | None]]:
    if not isinstance(value, dict):
        return
    for kind in kinds:
        if kind.name == "{}":
            yield from _unknown(kind.fields, value, path)
        elif kind.name in {"list", "map"}:
            for name, element in value.items():
                yield from _unknown_within(kind.element, element, f"{path}[{name}]")


def _convert_fields(known: dict[str, Parameter], given: JSON, path: str) -> JSON:
    for name, parameter in known.items():
        if parameter.required and name not in given:
            raise missing_parameter(f"{path}[{name}]" if path else name)
    return {
        name: _convert(known[name].kinds, value, f"{path}[{name}]" if path else name)
        for name, value in given.items()
    }


def _convert(kinds: tuple[Kind, ...], value: object, path: str) -> object:
    if isinstance(value, dict):
        return _convert_dict(kinds, value, path)
    text = str(value)
    by_name = {kind.name: kind for kind in kinds}
    if text == "":
        if '""' in by_name or re.split(r"[\[\]]+", path.rstrip("]"))[-1] in _UNSETTABLE:
            return ""
        raise StripeError(
            f"You passed an empty string for '{path}'. We assume empty values are an attempt to unset "
            f"a parameter; however '{path}' cannot be unset. You should remove '{path}' from your "
            "request or supply a non-empty value.",
            code="parameter_invalid_empty",
            param=path,
        )
    scalars = [kind for kind in kinds if kind.name not in {"{}", "map", "list", '""'}]
    if not scalars:
        expected = "array" if "list" in by_name else "object"
        raise StripeError(f"Invalid {expected}", param=path)
    return _convert_text(scalars[0], text, path)


def _convert_dict(kinds: tuple[Kind, ...], value: JSON, path: str) -> object:
    for kind in kinds:
        if kind.name == "{}":
            return _convert_fields(kind.fields, value, path)
        if kind.name == "map":
            return {
                name: _convert((*kind.element, Kind('""')), element, f"{path}[{name}]")
                for name, element in value.items()
            }
        if kind.name == "list" and all(name.isdecimal() for name in value):
            ordered = sorted(value.items(), key=lambda item: int(item[0]))
            return [_convert(kind.element, element, f"{path}[{name}]") for name, element in ordered]
    raise StripeError(f"Invalid {_type_name(kinds)}", param=path)


def _type_name(kinds: tuple[Kind, ...]) -> str:
    name = kinds[0].name
    return {"list": "array", "one of": "string", "text": "string"}.get(name, name)


def _convert_text(kind: Kind, text: str, path: str) -> object:
    match kind.name:
        case "integer" | "timestamp":
            if not re.fullmatch(r"[+-]?[0-9]{1,18}", text):
                message = f"Invalid integer: {text}"
                raise StripeError(message, code="parameter_invalid_integer", param=path)
            return int(text)
        case "number" | "decimal":
            if not re.fullmatch(r"[+-]?[0-9]{1,18}(\.[0-9]{1,18})?", text):
                raise StripeError(f"Invalid decimal: {text}", param=path)
            return text if kind.name == "decimal" else float(text)
        case "boolean":
            if text not in {"true", "false"}:
                raise StripeError(f"Invalid boolean: {text}", param=path)
            return text == "true"
        case "currency":
            return _currency(text, path)
        case "one of":
            if text not in kind.words:
                raise StripeError(f"Invalid {path}: must be one of {_join_words(kind.words)}", param=path)
    if kind.longest is not None and len(text) > kind.longest:
        shown = f"{text[:10]}...{text[-10:]}"
        message = f"Invalid string: {shown}; must be at most {kind.longest} characters"
        raise StripeError(message, param=path)
    return text


def _currency(text: str, path: str) -> str:
    code = text.lower()
    if code not in CURRENCIES:
        known = ", ".join(CURRENCIES)
        message = f"Invalid currency: {code}. Stripe currently supports these currencies: {known}"
        raise StripeError(message, param=path)
    return code


def _join_words(options: tuple[str, ...]) -> str:
    return options[0] if len(options) == 1 else ", ".join(options[:-1]) + ", or " + options[-1]
