"""The headers of the API's answers, as the OpenAPI document describes them."""

from typing import Any

from app.api.operation import Operation

JSON = dict[str, Any]

HEADERS: JSON = {
    "X-Request-Id": {"description": "The request's id.", "schema": {"type": "string"}},
    "Idempotency-Replayed": {
        "description": "Present, and true, when this is the answer to an earlier request.",
        "schema": {"type": "string", "enum": ["true"]},
    },
    "Gangway-Checked-At": {
        "description": (
            "When Stripe was last asked about the state in this answer; absent if it never was. After a "
            "minute, a request makes us ask again in the background."
        ),
        "schema": {"type": "string", "format": "date-time"},
    },
    "WWW-Authenticate": {"description": "How to authenticate.", "schema": {"type": "string"}},
}


def of(operation: Operation) -> list[str]:
    """Name the headers of an operation's answer when all goes well."""
    replayed = ["Idempotency-Replayed"] if operation.method == "POST" else []
    return ["X-Request-Id", *replayed, *operation.headers]


def references(*names: str) -> JSON:
    """Refer to the descriptions of headers."""
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}
