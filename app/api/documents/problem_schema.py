"""The kinds of errors and the problem document, as the API document describes them."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from app.api.documents import answer_headers
from app.web import problems

JSON = dict[str, Any]

# What each kind of failure is, and a sentence as it is said. Each is in the document once.
ERRORS: Mapping[int, tuple[str, str]] = {
    400: ("The request breaks a rule; nothing was changed.", "/name: Field required"),
    401: (
        "There is no valid token, or the given Stripe API key is not one.",
        "a valid API token is needed, as Authorization: Bearer …",
    ),
    403: (
        "The token may not do this.",
        "this needs a token with scope write; this one has read",
    ),
    404: ("There is no such thing.", "there is no customer with id or key 'my-database-id'"),
    409: (
        "The name or the Idempotency-Key is already in use.",
        "another customer has this key or one of these subject keys",
    ),
    412: (
        "The current state, or Stripe, does not allow it; nothing was changed.",
        "customer 01K0A5QJ7M8Z3T9V4XWYB2C6DE is deleted",
    ),
    413: (
        "The body is larger than 64 KiB.",
        "the body is larger than this address takes",
    ),
    500: (
        "The fault is ours and has been recorded.",
        "The fault is ours and has been recorded. Try again in a moment.",
    ),
    501: ("OpenMeter offers this, but we do not.", "this way of installing is not offered"),
}

PROBLEM = {
    "type": "object",
    "title": "Problem",
    "description": "What went wrong, as RFC 9457 defines it.",
    "required": ["type", "title", "status", "detail", "instance"],
    "properties": {
        "type": {"type": "string", "format": "uri-reference", "examples": ["about:blank"]},
        "title": {"type": "string", "description": "The status in words.", "examples": ["Bad Request"]},
        "status": {"type": "integer", "minimum": 400, "maximum": 599, "examples": [400]},
        "detail": {
            "type": "string",
            "description": "A sentence for the developer of the client.",
            "examples": [problems.prefixed(400, "/name: Field required")],
        },
        "instance": {
            "type": "string",
            "format": "uri",
            "description": "The request's id, as in the header X-Request-Id and in the log.",
            "examples": ["urn:request:01K0A5QJ7M8Z3T9V4XWYB2C6DE"],
        },
        "extensions": {
            "type": "object",
            "description": "Further details, if there are any.",
            "properties": {
                "validationErrors": {
                    "type": "array",
                    "items": {
                        "type": "object",
                        "required": ["code", "message", "field"],
                        "properties": {
                            "code": {"type": "string"},
                            "message": {"type": "string"},
                            "field": {
                                "type": "string",
                                "description": "A JSON pointer into the body, or to a parameter by its name.",
                            },
                        },
                    },
                }
            },
        },
    },
}


def response(status: int) -> JSON:
    """Describe the response of an error, with an example."""
    title, (description, detail) = HTTPStatus(status).phrase, ERRORS[status]
    shown: JSON = {
        "type": "about:blank",
        "title": title,
        "status": status,
        "detail": problems.prefixed(status, detail),
        "instance": "urn:request:01K0A5QJ7M8Z3T9V4XWYB2C6DE",
    }
    if status == 400:
        wrong = {"code": "invalid", "message": "Field required", "field": "/name"}
        shown["extensions"] = {"validationErrors": [wrong]}
    schema = {"$ref": "#/components/schemas/Problem"}
    return {
        "description": f"{title}. {description}",
        "headers": answer_headers.references(
            "X-Request-Id", *(["WWW-Authenticate"] if status == 401 else [])
        ),
        "content": {"application/problem+json": {"schema": schema, "example": shown}},
    }
