"""Parse and check the body and the query of a request."""

import json
from collections.abc import Mapping
from typing import Any, get_origin
from urllib.parse import parse_qs

from flask import request
from pydantic import TypeAdapter, ValidationError
from werkzeug.exceptions import RequestEntityTooLarge

from app.api.wire import FROM_THE_WIRE, WireModel, escaped, unstorable
from app.core.errors import Invalid

MAX_BODY_BYTES = 64 * 1024


def parse_body(reads: TypeAdapter[Any]) -> Any:
    """Parse the JSON body. Raises Invalid, which names each bad field by its JSON pointer."""
    if request.mimetype != "application/json":
        raise Invalid("the body must be JSON, with Content-Type: application/json")
    request.max_content_length = MAX_BODY_BYTES + 1  # cuts a body of unknown length
    body = request.get_data()
    if len(body) > MAX_BODY_BYTES:
        raise RequestEntityTooLarge
    try:
        # As OpenMeter's server does: replace bad UTF-8, and ignore what follows the value.
        text = body.decode("utf-8", "replace").removeprefix("\ufeff").lstrip()
        sent, _ = DECODER.raw_decode(text)
    except (ValueError, RecursionError) as error:
        raise Invalid("the body is not valid JSON") from error
    refuse_unstorable(sent, "body")
    return validate(reads, sent, strict=True)


def _no_json(name: str) -> None:
    raise ValueError(f"{name} belongs to Python, not to JSON")


DECODER = json.JSONDecoder(parse_constant=_no_json)


def parse_query(model: type[WireModel]) -> Any:
    """Parse the query. The last of several values wins, unless the field is a list."""
    sent: dict[str, Any] = {}
    given = parse_qs(request.query_string.decode("utf-8", "replace"), keep_blank_values=True)
    for name, read in model.model_fields.items():
        wire_name = read.alias or name
        values = given.get(wire_name)
        if values:
            sent[wire_name] = values if get_origin(read.annotation) is list else values[-1]
    return validate(TypeAdapter(model), sent)


def validate(reads: TypeAdapter[Any], sent: Any, *, strict: bool = False) -> Any:
    """Validate data as a model. Raises Invalid. Use `strict` for JSON, where "5" is not a number."""
    try:
        return reads.validate_python(sent, strict=strict, context=FROM_THE_WIRE)
    except ValidationError as error:
        fields: dict[str, str] = {}
        for problem in error.errors(include_url=False, include_input=False, include_context=False):
            where = _pointer(problem["loc"], sent, is_missing=problem["type"] == "missing")
            fields.setdefault(where, problem["msg"].removeprefix("Value error, "))
        pointer, message = next(iter(fields.items()))
        raise Invalid(f"{pointer or 'body'}: {message}", fields=fields) from error


def _pointer(location: tuple[int | str, ...], sent: Any, *, is_missing: bool) -> str:
    """Return the JSON pointer of an error.

    A location also names the models of a union that pydantic tried. The request does not contain those.
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


def _sent_as(names: Mapping[str, Any], name: str) -> str | None:
    """Return the name in the letter case of the request."""
    if name in names:
        return name
    return next((other for other in names if other.casefold() == name.casefold()), None)


def refuse_unstorable(value: Any, what: str) -> None:
    """Raise Invalid when no database can store the text."""
    bad = list(unstorable(value))
    if bad:
        sentence = "text must not have NUL characters or unpaired surrogates"
        raise Invalid(f"{what}: {sentence}", fields=dict.fromkeys(bad, sentence))
