"""The OpenAPI document: the operations, as the code has them."""

import re
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Any

from pydantic import TypeAdapter
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core.core_schema import TaggedUnionSchema

from app.api import answer_headers
from app.api.operation import Operation
from app.api.wire import ULID_PATTERN, WireModel
from app.web import problems

JSON = dict[str, Any]

SCHEMAS = "#/components/schemas/{model}"
RESPONSES = "#/components/responses/{status}"
ABOUT = (
    "Customers, Stripe customers and saved payment methods, in agreement. Compatible with OpenMeter's "
    "customer, app and checkout API. Field names are read in any letter case, unknown fields are ignored."
)

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
        "Somebody else has the name, or the Idempotency-Key is taken.",
        "another customer has this key or one of these subject keys",
    ),
    412: (
        "The state of things, or Stripe, forbids it; nothing was changed.",
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
    501: ("OpenMeter offers this, and we do not.", "this way of installing is not offered"),
}
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
    "type": (
        "The kind of app.",
        {"type": "string", "enum": ["stripe", "sandbox", "custom_invoicing"], "examples": ["stripe"]},
    ),
}

# How values look that are Stripe's, or the same everywhere, by the names of their fields.
LOOKS: Mapping[str, Any] = {
    "capabilities": [
        {
            "type": "collectPayments",
            "key": "stripe_collect_payment",
            "name": "Collect Payments",
            "description": "Stripe charges the default payment method of a customer.",
        }
    ],
    "configurationId": "bpc_1MrnZsEr7HVcUnBt2Z",
    "defaultForCapabilityTypes": ["calculateTax", "invoiceCustomers", "collectPayments"],
    "id": "bps_1MrnZsEr7HVcUnBt",  # ours have an example of their own
    "installMethods": ["with_api_key"],
    "locale": "auto",
    "maskedAPIKey": "sk_test_***f3a",
    "name": "Stripe",
    "returnUrl": "https://example.com/account",
    "sessionId": "cs_test_a1YS1URlnyQCN5fUUduORoQ7Pw41PJqDWkIVQCpJPqkfIhd6tVY8XB1OLY",
    "setupIntentId": "seti_1RkX3T2eZvKYlo2CqN7pZ0uD",
    "status": "open",
    "stripeAccountId": "acct_1MrnZsEr7HVcUnBt",
    "stripeCustomerId": "cus_NffrFeUfNV2Hib",
    "stripeDefaultPaymentMethodId": "pm_1MqLiJLkdIwHu7ixUEgbFdYF",
    "successURL": "https://example.com/success",
    "url": "https://checkout.stripe.com/c/pay/cs_test_a1YS1URlnyQCN5fUU",
}

IDEMPOTENCY_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "description": (
        "Names this request, for a day. Sent again with the same body it gets the first answer again; with "
        "another body, or while the first is under way, it is a conflict."
    ),
    "schema": {"type": "string", "maxLength": 255, "pattern": "^[!-~]([ -~]*[!-~])?$"},
}

PROBLEM = {
    "type": "object",
    "title": "Problem",
    "description": "What went wrong, as RFC 9457 has it.",
    "required": ["type", "title", "status", "detail", "instance"],
    "properties": {
        "type": {"type": "string", "format": "uri-reference", "examples": ["about:blank"]},
        "title": {"type": "string", "description": "The status in words.", "examples": ["Bad Request"]},
        "status": {"type": "integer", "minimum": 400, "maximum": 599, "examples": [400]},
        "detail": {
            "type": "string",
            "description": "A sentence for whoever writes the client.",
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
            "description": "More, where there is more.",
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


def document(operations: Iterable[Operation], *, server: str, version: str) -> JSON:
    """The whole document, version 3.1.0. Its schemas are pydantic's, which are JSON Schema already."""
    known = list(operations)
    schemas = _schemas(known) | {"Problem": PROBLEM}
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
            "responses": {str(status): _problem(status) for status in ERRORS},
            "headers": answer_headers.HEADERS,
            "securitySchemes": {
                "token": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "Made by `gangway token create`, with scope `read`, `write` or `admin`; "
                    "each may do what those before it may.",
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


def example(schema: JSON, schemas: Mapping[str, JSON]) -> Any:
    """A value that fits a schema, with the optional fields that have an example. A union needs its own."""
    if "$ref" in schema:
        return example(schemas[schema["$ref"].rpartition("/")[2]], schemas)
    fixed = [*schema.get("examples", ()), *(schema[name] for name in ("const", "default") if name in schema)]
    fixed += schema.get("enum", ())
    if fixed:
        return fixed[0]
    return _example_of_type(schema, schemas)


def _example_of_type(schema: JSON, schemas: Mapping[str, JSON]) -> Any:
    required = schema.get("required", ())
    match schema["type"]:
        case "object":
            return {
                name: _example_of_field(name, part, schemas)
                for name, part in schema.get("properties", {}).items()
                if name in required or (name != "deletedAt" and _has_example(name, part, schemas))
            }
        case "array":
            return [example(schema["items"], schemas)]
        case "boolean":
            return False
        case "integer" | "number":
            return schema.get("minimum", 1)
    return "…"


def _example_of_field(name: str, schema: JSON, schemas: Mapping[str, JSON]) -> Any:
    is_said = schema.keys() & {"$ref", "examples", "const", "default", "enum"}
    return LOOKS[name] if name in LOOKS and not is_said else example(schema, schemas)


def _has_example(name: str, schema: JSON, schemas: Mapping[str, JSON]) -> bool:
    if "$ref" in schema:
        return _has_example(name, schemas[schema["$ref"].rpartition("/")[2]], schemas)
    if schema.get("examples") or name in LOOKS:
        return True
    parts = [*schema.get("properties", {}).items(), *([("", schema["items"])] if "items" in schema else [])]
    return any(_has_example(inner, part, schemas) for inner, part in parts)


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


def _problem(status: int) -> JSON:
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
    schema = {"$ref": SCHEMAS.format(model="Problem")}
    return {
        "description": f"{title}. {description}",
        "headers": answer_headers.references(
            "X-Request-Id", *(["WWW-Authenticate"] if status == 401 else [])
        ),
        "content": {"application/problem+json": {"schema": schema, "example": shown}},
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
    """Says anyOf of choices that are told apart by their content: one body may fit several of them."""

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
