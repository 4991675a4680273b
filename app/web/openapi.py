"""The OpenAPI document: the operations, as the code has them."""

import re
from collections.abc import Iterable
from http import HTTPStatus
from typing import Any

from pydantic import TypeAdapter

from app.web.api import Operation
from app.web.wire import WireModel

REFERENCES = "#/components/schemas/{model}"
EVERYWHERE = (400, 401, 403)

PROBLEM = {
    "type": "object",
    "description": "What went wrong, as RFC 9457 has it.",
    "required": ["type", "title", "status", "detail", "instance"],
    "properties": {
        "type": {"type": "string", "format": "uri-reference", "examples": ["about:blank"]},
        "title": {"type": "string", "examples": ["Bad Request"]},
        "status": {"type": "integer", "minimum": 400, "maximum": 599, "examples": [400]},
        "detail": {"type": "string", "examples": ["validation error: /name: Field required"]},
        "instance": {
            "type": "string",
            "format": "uri-reference",
            "examples": ["urn:request:01J00000000000000000000000"],
        },
        "extensions": {
            "type": "object",
            "properties": {
                "validationErrors": {
                    "type": "array",
                    "items": {
                        "type": "object",
                        "required": ["code", "message", "field"],
                        "properties": {
                            "code": {"type": "string"},
                            "message": {"type": "string"},
                            "field": {"type": "string", "description": "A JSON pointer into the body."},
                        },
                    },
                }
            },
        },
    },
}


def document(operations: Iterable[Operation], *, server: str, version: str) -> dict[str, Any]:
    """The whole document, version 3.1.0. Its schemas are pydantic's, which are JSON Schema already."""
    known = list(operations)
    schemas = _schemas(known)
    paths: dict[str, dict[str, Any]] = {}
    for operation in known:
        path = re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", operation.rule)
        paths.setdefault(path, {})[operation.method.lower()] = _operation(operation, path)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Gangway",
            "version": version,
            "description": (
                "Customers, Stripe customers and saved payment methods, in agreement. Compatible with OpenMeter's "
                "customer, app and checkout API. Field names are read in any letter case, unknown ones are ignored."
            ),
        },
        "servers": [{"url": server}],
        "security": [{"token": []}],
        "paths": paths,
        "components": {
            "schemas": schemas | {"Problem": PROBLEM},
            "securitySchemes": {
                "token": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "Made by `gangway token create`.",
                }
            },
        },
    }


def _operation(operation: Operation, path: str) -> dict[str, Any]:
    described: dict[str, Any] = {
        "operationId": operation.id,
        "tags": [operation.tag],
        "summary": operation.summary,
        "description": f"{operation.description} Needs a token with scope `{operation.scope}`.".strip(),
        "parameters": [*_path_parameters(path), *_query_parameters(operation.query)],
        "responses": _responses(operation),
    }
    if operation.method == "POST":
        described["parameters"].append(
            {
                "name": "Idempotency-Key",
                "in": "header",
                "description": "The same key and body give the first answer again; another body is a conflict.",
                "schema": {"type": "string", "minLength": 1, "maxLength": 255},
            }
        )
    if operation.body is not None:
        content: dict[str, Any] = {"schema": _schema(operation.body, "validation")}
        if operation.examples:
            content["examples"] = {name: {"value": value} for name, value in operation.examples.items()}
        described["requestBody"] = {"required": True, "content": {"application/json": content}}
    return described


def _responses(operation: Operation) -> dict[str, Any]:
    good: dict[str, Any] = {"description": HTTPStatus(operation.status).phrase}
    if operation.answers is not None:
        good["content"] = {"application/json": {"schema": _schema(operation.answers, "serialization")}}
    problems = sorted({*EVERYWHERE, *operation.errors})
    content = {"application/problem+json": {"schema": {"$ref": REFERENCES.format(model="Problem")}}}
    return {str(operation.status): good} | {
        str(status): {"description": HTTPStatus(status).phrase, "content": content} for status in problems
    }


def _path_parameters(path: str) -> list[dict[str, Any]]:
    return [
        {
            "name": name,
            "in": "path",
            "required": True,
            "schema": {"type": "string", "minLength": 1, "maxLength": 256},
        }
        for name in re.findall(r"{(\w+)}", path)
    ]


def _query_parameters(model: type[WireModel] | None) -> list[dict[str, Any]]:
    if model is None:
        return []
    schema = model.model_json_schema(ref_template=REFERENCES)
    return [
        {"name": name, "in": "query", "required": name in schema.get("required", []), "schema": part}
        for name, part in schema["properties"].items()
    ]


def _schema(model: Any, mode: Any) -> dict[str, Any]:
    schema = TypeAdapter(model).json_schema(mode=mode, ref_template=REFERENCES)
    name = schema.get("title")
    schema.pop("$defs", None)
    is_model = isinstance(model, type) and issubclass(model, WireModel)
    return {"$ref": REFERENCES.format(model=name)} if is_model else schema


def _schemas(operations: list[Operation]) -> dict[str, Any]:
    """All models that bodies, queries and answers are made of."""
    found: dict[str, Any] = {}
    for operation in operations:
        for model, mode in (
            (operation.body, "validation"),
            (operation.answers, "serialization"),
            (operation.query, "validation"),
        ):
            if model is None:
                continue
            schema = TypeAdapter(model).json_schema(mode=mode, ref_template=REFERENCES)  # type: ignore[arg-type]
            found |= schema.pop("$defs", {})
            if isinstance(model, type) and issubclass(model, WireModel) and model is not operation.query:
                found[schema["title"]] = schema
    return found
