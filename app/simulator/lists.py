"""Pages of lists, newest first. Source: https://docs.stripe.com/api/pagination."""

import operator
from collections.abc import Callable
from itertools import islice

from app.simulator.errors import StripeError, missing_resource
from app.simulator.shapes import JSON
from app.simulator.store import Collection
from app.simulator.work import Call

_COMPARISONS: dict[str, Callable[[int, int], bool]] = {
    "gt": operator.gt,
    "gte": operator.ge,
    "lt": operator.lt,
    "lte": operator.le,
}


def page(
    call: Call,
    collection: Collection,
    kind: str,
    wanted: Callable[[JSON], bool] = lambda _: True,
    *,
    customer: str | None = None,
) -> JSON:
    """One page of the wanted things, of one customer's or of all, newest first, by the call's parameters.

    A cursor may name a thing that is not itself wanted. Raises StripeError for a limit out of range,
    two cursors, or a cursor that names nothing.
    """
    size = limit(call.params)
    start, end = call.params.get("starting_after"), call.params.get("ending_before")
    if start and end:
        raise StripeError(
            "Received both starting_after and ending_before parameters. Please pass in only one.",
            param="ending_before",
        )
    for name, cursor in (("starting_after", start), ("ending_before", end)):
        if cursor and collection.find(cursor, call.account) is None:
            raise missing_resource(kind, cursor, name)
    after, before = (collection.row(cursor) if cursor else None for cursor in (start, end))
    fitting = (
        row.value
        for row in collection.rows(call.account, customer, oldest_first=before is not None)
        if (after is None or row.position < after.position)
        and (before is None or row.position > before.position)
        and wanted(row.value)  # first, since of what is deleted only the id remains
        and _created(call, row.value)
    )
    found = list(islice(fitting, size + 1))  # one more tells whether there is another page
    return {
        "object": "list",
        "data": found[:size] if before is None else found[:size][::-1],
        "has_more": len(found) > size,
        "url": call.url,
    }


def limit(params: JSON) -> int:
    size = int(params.get("limit", 10))
    if not 1 <= size <= 100:
        raise StripeError(
            f"This value must be {'greater than or equal to 1' if size < 1 else 'less than or equal to 100'}"
            f" (it currently is '{size}').",
            code="parameter_invalid_integer",
            param="limit",
        )
    return size


def _created(call: Call, thing: JSON) -> bool:
    wanted = call.params.get("created")
    if wanted is None:
        return True
    if isinstance(wanted, int):
        return bool(thing["created"] == wanted)
    return all(_COMPARISONS[name](thing["created"], bound) for name, bound in wanted.items())
