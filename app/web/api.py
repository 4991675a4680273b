"""JSON routes: who may call, what may be sent, what comes back. One decorator says all three.

What it says is checked on every call and printed in the OpenAPI document, from the same models.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import wraps
from typing import Any, Literal, Protocol, get_origin
from urllib.parse import parse_qs

from flask import Blueprint, Response, current_app, request
from flask.typing import ResponseReturnValue
from pydantic import TypeAdapter, ValidationError
from werkzeug.exceptions import RequestEntityTooLarge

from app.core.errors import Invalid
from app.web.wire import FROM_THE_WIRE, WireModel, escaped, unstorable

LARGEST = 64 * 1024  # bytes of a body

Scope = Literal["read", "write", "admin"]
Method = Literal["GET", "POST", "PUT", "DELETE"]
Answer = WireModel | list[Any] | None
View = Callable[..., Answer]


@dataclass(frozen=True, kw_only=True)
class Operation:
    """One route of the API, as it is checked and as it is documented."""

    id: str  # OpenMeter's operationId
    tag: str
    method: Method
    rule: str  # Flask's
    summary: str
    description: str
    scope: Scope
    status: int
    body: Any = None  # a type that pydantic can read
    query: type[WireModel] | None = None
    answers: Any = None
    errors: tuple[int, ...] = ()
    examples: Mapping[str, Any] = field(default_factory=dict)
    headers: tuple[str, ...] = ()  # of its answer, of its own


class Gate(Protocol):
    """What stands before every operation; made of packages that stand above this one."""

    def admit(self, operation: Operation) -> None:
        """Raise Unauthorized or Forbidden when the caller may not."""

    def run(self, operation: Operation, run: Callable[[], Response]) -> Response:
        """Run an operation and commit, or give again what it answered under the same Idempotency-Key."""


class Api(Blueprint):
    """A blueprint whose routes are operations."""

    def __init__(self, name: str, import_name: str, *, tag: str) -> None:
        super().__init__(name, import_name, url_prefix="/api/v1")
        self._tag = tag
        self.operations: list[Operation] = []

    def operation(
        self,
        method: Method,
        rule: str,
        *,
        id: str,  # noqa: A002 (OpenAPI's own word)
        scope: Scope,
        status: int = 200,
        body: Any = None,
        query: type[WireModel] | None = None,
        answers: Any = None,
        errors: tuple[int, ...] = (),
        examples: Mapping[str, Any] | None = None,
        headers: tuple[str, ...] = (),
    ) -> Callable[[View], View]:
        """Make a function an operation. It is called with path values, and with `body` and `query` read.

        It flushes what it does; the gate commits.
        """

        def register(view: View) -> View:
            summary, _, description = (view.__doc__ or "").strip().partition("\n")
            operation = Operation(
                id=id,
                tag=self._tag,
                method=method,
                rule=f"{self.url_prefix}{rule}",
                summary=summary,
                description=" ".join(description.split()),
                scope=scope,
                status=status,
                body=body,
                query=query,
                answers=answers,
                errors=errors,
                examples=examples or {},
                headers=headers,
            )
            self.operations.append(operation)
            self.add_url_rule(rule, id, _served(operation, view), methods=[method])
            return view

        return register


def _served(operation: Operation, view: View) -> Callable[..., ResponseReturnValue]:
    reads_body = TypeAdapter(operation.body) if operation.body is not None else None

    @wraps(view)
    def serve(**values: str) -> Response:
        gate: Gate = current_app.extensions["gangway.gate"]
        gate.admit(operation)
        refuse_unstorable(values, "path")
        refuse_unstorable({name: "".join(texts) for name, texts in request.args.lists()}, "query")
        arguments: dict[str, Any] = dict(values)
        if operation.query is not None:
            arguments["query"] = read_query(operation.query)
        if reads_body is not None:
            arguments["body"] = read_body(reads_body)

        def run() -> Response:
            return answered(view(**arguments), operation.status)

        return gate.run(operation, run)

    return serve


def answered(answer: Answer, status: int) -> Response:
    """An answer as JSON."""
    if answer is None:
        response = Response(status=status)
        del response.headers["Content-Type"]  # of nothing
        return response
    body = answer.answer() if isinstance(answer, WireModel) else [item.answer() for item in answer]
    return Response(json.dumps(body), status, mimetype="application/json")


def read_body(reads: TypeAdapter[Any]) -> Any:
    """The request's JSON, checked. Raises Invalid, which names each bad field by its JSON pointer."""
    if request.mimetype != "application/json":
        raise Invalid("validation error: the body must be JSON, with Content-Type: application/json")
    request.max_content_length = LARGEST + 1  # a body of unknown length is cut there, and one too many tells
    body = request.get_data()
    if len(body) > LARGEST:
        raise RequestEntityTooLarge
    try:
        # Read as OpenMeter's server reads: bad UTF-8 is replaced, and what follows the value is ignored.
        text = body.decode("utf-8", "replace").removeprefix("\ufeff").lstrip()
        sent, _ = DECODER.raw_decode(text)
    except (ValueError, RecursionError) as error:
        raise Invalid("validation error: the body is not valid JSON") from error
    refuse_unstorable(sent, "body")
    return checked(reads, sent, strict=True)


def _no_json(name: str) -> None:
    raise ValueError(f"{name} is Python's, not JSON's")


DECODER = json.JSONDecoder(parse_constant=_no_json)


def read_query(model: type[WireModel]) -> Any:
    """The request's query, checked. Where a name comes twice the last one wins, unless it is a list."""
    sent: dict[str, Any] = {}
    given = parse_qs(request.query_string.decode("utf-8", "replace"), keep_blank_values=True)
    for name, read in model.model_fields.items():
        wire_name = read.alias or name
        values = given.get(wire_name)
        if values:
            sent[wire_name] = values if get_origin(read.annotation) is list else values[-1]
    return checked(TypeAdapter(model), sent)


def checked(reads: TypeAdapter[Any], sent: Any, *, strict: bool = False) -> Any:
    """Data as a model. Raises Invalid. Strict is what has types of its own: in JSON, "5" is no number."""
    try:
        return reads.validate_python(sent, strict=strict, context=FROM_THE_WIRE)
    except ValidationError as error:
        fields: dict[str, str] = {}
        for problem in error.errors(include_url=False, include_input=False, include_context=False):
            where = _pointer(problem["loc"], sent, is_missing=problem["type"] == "missing")
            fields.setdefault(where, problem["msg"].removeprefix("Value error, "))
        pointer, message = next(iter(fields.items()))
        raise Invalid(f"validation error: {pointer or 'body'}: {message}", fields=fields) from error


def _pointer(location: tuple[int | str, ...], sent: Any, *, is_missing: bool) -> str:
    """The JSON pointer of an error.

    A location also names the models of a union that were tried; those are not part of what was sent.
    """
    pointer, here = "", sent
    for part in location:
        if isinstance(here, list) and isinstance(part, int):
            here = here[part]
        elif isinstance(here, dict) and (sent_as := _sent_as(here, str(part))) is not None:
            here = here[sent_as]
        elif not (is_missing and part is location[-1]):
            continue
        pointer += f"/{escaped(str(part))}"
    return pointer


def _sent_as(names: Mapping[str, Any], wanted: str) -> str | None:
    """The name, in the letter case in which it was sent."""
    if wanted in names:
        return wanted
    return next((name for name in names if name.casefold() == wanted.casefold()), None)


def refuse_unstorable(value: Any, what: str) -> None:
    """Raise Invalid where text can't be stored."""
    bad = list(unstorable(value))
    if bad:
        sentence = "text must not have NUL characters or unpaired surrogates"
        raise Invalid(f"validation error: {what}: {sentence}", fields=dict.fromkeys(bad, sentence))


__all__ = ["Answer", "Api", "Gate", "Operation", "Scope", "answered", "read_body", "read_query"]
