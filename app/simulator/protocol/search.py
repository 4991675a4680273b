"""The search query language. Source: https://docs.stripe.com/search."""

import operator
import re
from collections.abc import Callable, Iterable

from app.simulator.protocol.call import Call
from app.simulator.protocol.errors import StripeError
from app.simulator.protocol.lists import limit
from app.simulator.store import JSON

Clause = Callable[[JSON], bool]

_CLAUSE = re.compile(
    r"""\s*(?P<negated>-)?
    (?P<field>[a-z_]+)(\[(?P<q>["'])(?P<key>.*?)(?P=q)\])?
    \s*(?P<operator>:|~|>=|<=|>|<)\s*
    ((?P<quote>["'])(?P<text>(\\.|(?!(?P=quote)).)*)(?P=quote)|(?P<bare>[^\s"']+))""",
    re.VERBOSE,
)
_JOIN = re.compile(r"\s+(AND|OR)(?=\s)|\s*$", re.IGNORECASE)
_NUMBERS: dict[str, Callable[[int, int], bool]] = {
    ":": operator.eq,
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
}


def page(call: Call, values: Iterable[JSON], *, fields: tuple[str, ...]) -> JSON:
    """Return a `search_result` of the objects that match the call's query."""
    matches = _parse(call.params["query"], fields)
    found = [value for value in values if matches(value)]
    size, start = limit(call.params), call.params.get("page", "0")
    if not start.isdecimal():
        raise StripeError(f"Invalid page: {start}", param="page")
    end = int(start) + size
    more = len(found) > end
    return {
        "object": "search_result",
        "data": found[int(start) : end],
        "has_more": more,
        "next_page": str(end) if more else None,
        "url": call.url,
    }


def _parse(query: str, fields: tuple[str, ...]) -> Clause:
    clauses: list[Clause] = []
    joins: set[str] = set()
    place = 0
    while True:
        clause = _CLAUSE.match(query, place)
        join = _JOIN.match(query, clause.end()) if clause else None
        if clause is None or join is None:
            raise StripeError(f"Unable to parse the search query: {query}", param="query")
        clauses.append(_clause(clause, fields))
        place = join.end()
        if join[1] is None:
            break
        joins.add(join[1].upper())
    if len(joins) > 1:
        raise StripeError("You cannot combine AND and OR in one query.", param="query")
    combine = any if joins == {"OR"} else all
    return lambda value: combine(clause(value) for clause in clauses)


def _clause(found: re.Match[str], fields: tuple[str, ...]) -> Clause:
    name, key, sign = found["field"], found["key"], found["operator"]
    raw = found["text"] if found["bare"] is None else found["bare"]
    operand = re.sub(r"\\(.)", r"\1", raw)
    if name not in (*fields, "metadata") or (name == "metadata") != (key is not None):
        raise StripeError(f"Field `{name}` is an unsupported search field.", param="query")
    if name == "created":
        if sign not in _NUMBERS or not operand.isdecimal():
            raise StripeError("created is compared with a number of seconds.", param="query")
        test: Clause = lambda value: _NUMBERS[sign](value["created"], int(operand))  # noqa: E731
    elif sign == "~" and key is None and len(operand) >= 3:
        test = lambda value: operand.lower() in (value.get(name) or "").lower()  # noqa: E731
    elif sign == ":":
        absent = found["bare"] == "null"
        test = lambda value: _equals(value, name, key, None if absent else operand)  # noqa: E731
    else:
        raise StripeError(f"Operator `{sign}` is not supported here.", param="query")
    return (lambda value: not test(value)) if found["negated"] else test


def _equals(value: JSON, name: str, key: str | None, operand: str | None) -> bool:
    """Compare without upper and lower case. `null` matches a missing value."""
    actual = value["metadata"].get(key) if key is not None else value.get(name)
    if operand is None:
        return actual is None
    return (actual or "").lower() == operand.lower()
