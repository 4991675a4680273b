"""Lists in pages, newest first. Source: https://docs.stripe.com/api/pagination."""

import operator
from collections.abc import Callable
from itertools import islice

from app.simulator.protocol.call import Call
from app.simulator.protocol.errors import StripeError, missing_resource
from app.simulator.store import JSON, Collection

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
    matches: Callable[[JSON], bool] = lambda _: True,
    *,
    customer: str | None = None,
) -> JSON:
    """Return one page of the objects that match, of one customer or of all.

    The call's parameters give the cursor and the size. A cursor may name an object that does not match.
    Raises StripeError for a wrong limit, two cursors, or an unknown cursor.
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
    matching = (
        row.value
        for row in collection.rows(call.account, customer, oldest_first=before is not None)
        if (after is None or row.position < after.position)
        and (before is None or row.position > before.position)
        and matches(row.value)  # first, since a deleted object has only its id
        and _matches_created(call, row.value)
    )
    found = list(islice(matching, size + 1))  # one more, to see whether there is a next page
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


def _matches_created(call: Call, value: JSON) -> bool:
    created = call.params.get("created")
    if created is None:
        return True
    if isinstance(created, int):
        return bool(value["created"] == created)
    return all(_COMPARISONS[name](value["created"], bound) for name, bound in created.items())
