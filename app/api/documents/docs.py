"""Serve the OpenAPI document, and a page made from it that works without JavaScript."""

import json
import shlex
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from http import HTTPStatus
from typing import Any

from flask import Blueprint, Flask, Response, current_app, render_template
from flask.typing import ResponseReturnValue

from app.api.documents import openapi, problem_schema
from app.api.operation import Operation
from app.api.wire import ULID_PATTERN
from app.core.config import Settings
from app.core.values import frozen
from app.core.version import __version__

bp = Blueprint("docs", __name__)

JSON = dict[str, Any]
MAX_AGE = 300  # seconds; browsers may cache both
MAX_LINE = 72  # characters; lay a longer example out over lines


@frozen(kw_only=True)
class Field:
    """One line of a table: a parameter, or a field of an object."""

    name: str
    type: str
    model: str | None  # the object that the page explains elsewhere
    required: bool
    where: str  # path, query or header; empty for fields
    description: str
    limits: str  # a sentence
    pattern: str


@frozen(kw_only=True)
class Object:
    """An object of the API."""

    name: str
    description: str
    fields: tuple[Field, ...]


@frozen(kw_only=True)
class Call:
    """One operation, as the page shows it."""

    id: str
    method: str
    path: str
    summary: str
    description: str
    scope: str
    parameters: tuple[Field, ...]
    body: Field | None
    body_fields: tuple[Field, ...]
    curls: tuple[tuple[str, str], ...]  # a name, and the command
    status: int
    phrase: str
    answer: Field | None
    answered: str  # JSON
    errors: tuple[tuple[int, str, str], ...]  # status, phrase, what it means


def init_app(app: Flask, operations: Iterable[Operation], settings: Settings) -> None:
    """Serve both. Make each once, at the first request."""
    known = tuple(operations)

    @cache
    def made() -> JSON:
        return openapi.document(known, server=settings.public_url, version=__version__)

    @cache
    def calls() -> dict[str, list[Call]]:
        grouped: dict[str, list[Call]] = {}
        for operation in known:
            grouped.setdefault(operation.tag, []).append(_call(operation, made()))
        return grouped

    app.extensions["gangway.document"] = made
    app.extensions["gangway.calls"] = calls
    app.register_blueprint(bp)


@bp.get("/api/openapi.json")
def document() -> ResponseReturnValue:
    """The OpenAPI document."""
    made: Callable[[], JSON] = current_app.extensions["gangway.document"]
    return _kept(Response(json.dumps(made()), mimetype="application/json"))


@bp.get("/api/docs")
def page() -> ResponseReturnValue:
    """The page."""
    made: Callable[[], JSON] = current_app.extensions["gangway.document"]
    calls: Callable[[], dict[str, list[Call]]] = current_app.extensions["gangway.calls"]
    schemas = made()["components"]["schemas"]
    problem = made()["components"]["responses"]["400"]["content"]["application/problem+json"]["example"]
    drawn = render_template(
        "api/docs.html",
        groups=calls(),
        objects=[_object(name, schema) for name, schema in schemas.items()],
        server=made()["servers"][0]["url"],
        version=made()["info"]["version"],
        problem=json.dumps(problem, indent=2),
    )
    return _kept(Response(drawn, mimetype="text/html"))


def _kept(response: Response) -> Response:
    response.cache_control.max_age = MAX_AGE
    return response


def _call(operation: Operation, document: JSON) -> Call:
    path, described = _described(operation.id, document)
    schemas = document["components"]["schemas"]
    body = described.get("requestBody", {}).get("content", {}).get("application/json")
    answer = described["responses"][str(operation.status)].get("content", {}).get("application/json")
    server = document["servers"][0]["url"]
    examples = {name: shown["value"] for name, shown in body["examples"].items()} if body else {"": None}
    return Call(
        id=operation.id,
        method=operation.method,
        path=path,
        summary=operation.summary.rstrip("."),
        description=operation.description,
        scope=operation.scope,
        parameters=tuple(
            _field(part["name"], part["schema"] | {"description": part["description"]}, part)
            for part in described["parameters"]
        ),
        body=_field("", body["schema"]) if body else None,
        body_fields=_fields(_resolved(body["schema"], schemas)) if body else (),
        curls=tuple((name, _curl(operation.method, server, path, value)) for name, value in examples.items()),
        status=operation.status,
        phrase=HTTPStatus(operation.status).phrase,
        answer=_field("", answer["schema"]) if answer else None,
        answered=json.dumps(answer["example"], indent=2, ensure_ascii=False) if answer else "",
        errors=tuple(
            (status, HTTPStatus(status).phrase, problem_schema.ERRORS[status][0])
            for status in openapi.statuses(operation)
        ),
    )


def _described(operation_id: str, document: JSON) -> tuple[str, JSON]:
    return next(
        (path, described)
        for path, methods in document["paths"].items()
        for described in methods.values()
        if described["operationId"] == operation_id
    )


def _object(name: str, schema: JSON) -> Object:
    return Object(name=name, description=schema.get("description", ""), fields=_fields(schema))


def _resolved(schema: JSON, schemas: Mapping[str, JSON]) -> JSON:
    found: JSON = schemas[_model(schema)] if "$ref" in schema else schema
    return found


def _fields(schema: JSON) -> tuple[Field, ...]:
    required = schema.get("required", ())
    return tuple(
        _field(name, part, {"required": name in required})
        for name, part in schema.get("properties", {}).items()
    )


def _field(name: str, schema: JSON, more: Mapping[str, Any] | None = None) -> Field:
    more = more or {}
    return Field(
        name=name,
        type=_type(schema),
        model=_model(schema) or _model(schema.get("items", {})),
        required=more.get("required", False),
        where=more.get("in", ""),
        description=schema.get("description", ""),
        limits=_sentence(_limits(schema)),
        pattern="" if schema.get("pattern") == ULID_PATTERN else schema.get("pattern", ""),
    )


def _model(schema: JSON) -> str:
    return str(schema.get("$ref", "")).rpartition("/")[2]


def _type(schema: JSON) -> str:
    """Describe a type in a few words."""
    if "$ref" in schema:
        return _model(schema)
    choices = schema.get("anyOf") or schema.get("oneOf")
    if choices:
        return " or ".join(_type(choice) for choice in choices)
    if schema["type"] == "array":
        return f"list of {_type(schema['items'])}"
    if schema["type"] == "object" and "additionalProperties" in schema:
        return f"map of string to {_type(schema['additionalProperties'])}"
    return "instant" if schema.get("format") == "date-time" else str(schema["type"])


def _limits(schema: JSON) -> Iterable[str]:
    """Describe the limits of a value."""
    low, high = schema.get("minLength"), schema.get("maxLength")
    if low and high:
        yield f"{low} to {high} characters"
    elif low == 1:
        yield "not empty"
    elif high:
        yield f"at most {high} characters"
    low, high = schema.get("minimum"), schema.get("maximum")
    if low is not None and high is not None:
        yield f"{low} to {high}"
    elif low is not None:
        yield f"at least {low}"
    if "enum" in schema:
        yield "one of " + ", ".join(str(choice) for choice in schema["enum"])
    if "const" in schema:
        yield f"always {schema['const']}"
    if schema.get("pattern") == ULID_PATTERN:
        yield "a ULID"
    if "default" in schema and schema["default"] != []:
        yield f"{schema['default']} if absent"
    if "items" in schema:
        yield from (f"each {limit}" for limit in _limits(schema["items"]))


def _sentence(parts: Iterable[str]) -> str:
    joined = "; ".join(parts)
    return f"{joined[0].upper()}{joined[1:]}." if joined else ""


def _curl(method: str, server: str, path: str, body: Any) -> str:
    for name, (_, schema) in openapi.PATH_PARAMETERS.items():
        path = path.replace(f"{{{name}}}", schema["examples"][0])
    lines = [f"curl -X {method} {server}{path}", '-H "Authorization: Bearer $TOKEN"']
    if body is not None:
        laid_out = json.dumps(body)
        if len(laid_out) > MAX_LINE:
            laid_out = json.dumps(body, indent=2)
        lines += ['-H "Content-Type: application/json"', f"-d {shlex.quote(laid_out)}"]
    return " \\\n  ".join(lines)
