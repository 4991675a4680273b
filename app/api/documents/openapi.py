"""The OpenAPI document, made from the operations and their pydantic models.

flask-openapi could make it, too. But its pages need scripts, and `/api/docs` must work without JavaScript and
under our content security policy. We would keep `docs.py` and our rules for bodies, problems and headers, and
replace this module only.
"""

import re
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Any

from pydantic import TypeAdapter
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core.core_schema import TaggedUnionSchema

from app.api.documents import answer_headers, problem_schema
from app.api.documents.examples import example
from app.api.operation import Operation
from app.api.wire import ULID_PATTERN, WireModel

JSON = dict[str, Any]

SCHEMAS = "#/components/schemas/{model}"
RESPONSES = "#/components/responses/{status}"
ABOUT = (
    "Customers, Stripe customers and saved payment methods, in agreement. Compatible with OpenMeter's "
    "customer, app and checkout API. Field names are read in any letter case, unknown fields are ignored."
)

EVERYWHERE = (400, 401, 403, 500)

PATH_PARAMETERS: Mapping[str, tuple[str, JSON]] = {
    "customerIdOrKey": (
        "The customer's id, or else its key. Encode it: a slash in a key is `%2F`.",
        {"type": "string", "minLength": 1, "maxLength": 256, "examples": ["my-database-id"]},
    ),
    "id": (
        "The app's id.",
        {"type": "string", "pattern": ULID_PATTERN, "examples": ["01K0A5QJ7M8Z3T9V4XWYB2C6DE"]},
    ),
    "appId": (
        "The app's id.",
        {"type": "string", "pattern": ULID_PATTERN, "examples": ["01K0A5QJ7M8Z3T9V4XWYB2C6DE"]},
    ),
    "linkId": (
        "The link's id.",
        {"type": "string", "pattern": ULID_PATTERN, "examples": ["01K0A5QJ7M8Z3T9V4XWYB2C6DE"]},
    ),
    "type": (
        "The kind of app.",
        {"type": "string", "enum": ["stripe", "sandbox", "custom_invoicing"], "examples": ["stripe"]},
    ),
}

IDEMPOTENCY_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "description": (
        "Identifies this request for a day. A repeat with the same body gets the first answer again. A "
        "repeat with another body, or while the first request is still running, is a conflict."
    ),
    "schema": {"type": "string", "maxLength": 255, "pattern": "^[!-~]([ -~]*[!-~])?$"},
}


def document(operations: Iterable[Operation], *, server: str, version: str) -> JSON:
    """The whole document, version 3.1.0. Its schemas are pydantic's, which are JSON Schema already."""
    known = list(operations)
    schemas = _schemas(known) | {"Problem": problem_schema.PROBLEM}
    paths: dict[str, JSON] = {}
    for operation in known:
        path = re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", operation.rule)
        paths.setdefault(path, {})[operation.method.lower()] = _operation(operation, path, schemas)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Gangway", "version": version, "description": ABOUT},
        "servers": [{"url": server}],
        "security": [{"token": []}],
        "tags": [{"name": name} for name in dict.fromkeys(operation.tag for operation in known)],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "responses": {str(status): problem_schema.response(status) for status in problem_schema.ERRORS},
            "headers": answer_headers.HEADERS,
            "securitySchemes": {
                "token": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "Made by `gangway token create`, with scope `read`, `write` or `admin`: "
                    "`write` includes `read`, and `admin` includes both.",
                }
            },
        },
    }


def statuses(operation: Operation) -> list[int]:
    """The statuses of an operation's failures."""
    found = {*EVERYWHERE, *operation.errors}
    if operation.method == "POST":
        found.add(409)  # an Idempotency-Key can be taken
    if operation.body is not None:
        found.add(413)
    return sorted(found)


def _operation(operation: Operation, path: str, schemas: Mapping[str, JSON]) -> JSON:
    described: JSON = {
        "operationId": operation.id,
        "tags": [operation.tag],
        "summary": operation.summary,
        "description": f"{operation.description} Needs a token with scope `{operation.scope}`.".strip(),
        "parameters": [*_path_parameters(path), *_query_parameters(operation.query)],
        "responses": _responses(operation, schemas),
    }
    if operation.method == "POST":
        described["parameters"].append(IDEMPOTENCY_KEY)
    if operation.body is not None:
        schema = _schema(operation.body, "validation")
        examples = operation.examples or {"example": example(schema, schemas)}
        content = {"schema": schema, "examples": {name: {"value": value} for name, value in examples.items()}}
        described["requestBody"] = {"required": True, "content": {"application/json": content}}
    return described


def _responses(operation: Operation, schemas: Mapping[str, JSON]) -> JSON:
    good: JSON = {
        "description": HTTPStatus(operation.status).phrase,
        "headers": answer_headers.references(*answer_headers.of(operation)),
    }
    if operation.answers is not None:
        schema = _schema(operation.answers, "serialization")
        good["content"] = {"application/json": {"schema": schema, "example": example(schema, schemas)}}
    return {str(operation.status): good} | {
        str(status): {"$ref": RESPONSES.format(status=status)} for status in statuses(operation)
    }


def _path_parameters(path: str) -> list[JSON]:
    return [
        {
            "name": name,
            "in": "path",
            "required": True,
            "description": PATH_PARAMETERS[name][0],
            "schema": PATH_PARAMETERS[name][1],
        }
        for name in re.findall(r"{(\w+)}", path)
    ]


def _query_parameters(model: type[WireModel] | None) -> list[JSON]:
    if model is None:
        return []
    schema = model.model_json_schema(ref_template=SCHEMAS)
    return [
        {
            "name": name,
            "in": "query",
            "required": name in schema.get("required", ()),
            "description": part.get("description", ""),
            "schema": {key: value for key, value in part.items() if key != "description"},
        }
        for name, part in schema["properties"].items()
    ]


class AnyOf(GenerateJsonSchema):
    """Writes anyOf for choices that differ by their content: one body may fit several of them."""

    def tagged_union_schema(self, schema: TaggedUnionSchema) -> JsonSchemaValue:
        """As pydantic has it, but not as if the choices excluded each other."""
        made = super().tagged_union_schema(schema)
        made.pop("discriminator", None)
        made["anyOf"] = made.pop("oneOf")
        return made


def _schema(model: Any, mode: Any) -> JSON:
    schema = TypeAdapter(model).json_schema(mode=mode, ref_template=SCHEMAS, schema_generator=AnyOf)
    schema.pop("$defs", None)
    is_model = isinstance(model, type) and issubclass(model, WireModel)
    return {"$ref": SCHEMAS.format(model=schema["title"])} if is_model else schema


def _schemas(operations: list[Operation]) -> dict[str, JSON]:
    """All models that bodies, queries and answers are made of."""
    found: dict[str, JSON] = {}
    for operation in operations:
        for model, mode in (
            (operation.body, "validation"),
            (operation.answers, "serialization"),
            (operation.query, "validation"),
        ):
            if model is None:
                continue
            schema = TypeAdapter(model).json_schema(mode=mode, ref_template=SCHEMAS, schema_generator=AnyOf)  # type: ignore[arg-type]
            found |= schema.pop("$defs", {})
            if isinstance(model, type) and issubclass(model, WireModel) and model is not operation.query:
                found[schema["title"]] = schema
    return {name: found[name] for name in sorted(found)}
