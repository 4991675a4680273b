"""Form bodies and queries in the bracket syntax that Stripe's clients send."""

from urllib.parse import parse_qsl

from app.simulator.errors import StripeError
from app.simulator.shapes import JSON


def decode(text: str) -> JSON:
    """Turn `a[b]=1&c[]=2&d[0][e]=3` into nested dicts whose leaves are strings.

    A list written with `[]` becomes a dict with the keys "0", "1", … as the indexed form does: only
    the table of parameters knows which of them are lists. Raises StripeError for what has no reading.
    """
    tree: JSON = {}
    for name, value in parse_qsl(text, keep_blank_values=True):
        steps = _steps(name)
        place = tree
        for step in steps[:-1]:
            inner = place.setdefault(_numbered(place, step, name), {})
            if not isinstance(inner, dict):
                raise StripeError(f"Invalid parameter: {name} is given in two ways.", param=name)
            place = inner
        place[_numbered(place, steps[-1], name)] = value
    return tree


def _steps(name: str) -> list[str]:
    head, bracket, rest = name.partition("[")
    if not bracket:
        return [name]
    if not head or not rest.endswith("]"):
        raise StripeError(f"Invalid parameter name: {name}", param=name)
    return [head, *rest[:-1].split("][")]


def _numbered(place: JSON, step: str, name: str) -> str:
    """`[]` names the next element, except that `a[][b]` goes on with an element that has no b yet."""
    if step:
        return step
    last = str(len(place) - 1)
    inner = name.rsplit("[]", 1)[-1].strip("[]").split("][")[0]
    if inner and isinstance(place.get(last), dict) and inner not in place[last]:
        return last
    return str(len(place))
