"""Forms and queries in the bracket syntax of Stripe's clients."""

from urllib.parse import parse_qsl

from app.simulator.protocol.errors import StripeError
from app.simulator.store import JSON


def decode(text: str) -> JSON:
    """Turn `a[b]=1&c[]=2&d[0][e]=3` into nested dicts of strings.

    A list with `[]` becomes a dict with the keys "0", "1" and so on, like one with indexes. Only the
    table of parameters knows which dicts are lists. Raises StripeError for what it can't parse.
    """
    tree: JSON = {}
    for name, value in parse_qsl(text, keep_blank_values=True):
        steps = _steps(name)
        place = tree
        for step in steps[:-1]:
            inner = place.setdefault(_key(place, step, name), {})
            if not isinstance(inner, dict):
                raise StripeError(f"Invalid parameter: {name} is given in two ways.", param=name)
            place = inner
        place[_key(place, steps[-1], name)] = value
    return tree


def _steps(name: str) -> list[str]:
    head, bracket, rest = name.partition("[")
    if not bracket:
        return [name]
    if not head or not rest.endswith("]"):
        raise StripeError(f"Invalid parameter name: {name}", param=name)
    return [head, *rest[:-1].split("][")]


def _key(place: JSON, step: str, name: str) -> str:
    """Return the key for `[]`: the next index, or for `a[][b]` the last element while it has no b."""
    if step:
        return step
    last = str(len(place) - 1)
    inner = name.rsplit("[]", 1)[-1].strip("[]").split("][")[0]
    if inner and isinstance(place.get(last), dict) and inner not in place[last]:
        return last
    return str(len(place))
