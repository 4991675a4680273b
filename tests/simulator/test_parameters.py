"""The table of parameters: it agrees with Stripe's description and refuses wrong parameters."""

from collections.abc import Callable
from typing import Any

import pytest

from app.simulator.protocol.call import OPERATIONS
from app.simulator.protocol.requests import parameters
from app.simulator.protocol.requests.parameter_table import Kind, Parameter, table
from tests.simulator.conftest import SUBSET, description
from tests.support.cases import for_each

JSON = dict[str, Any]

needs_subset = pytest.mark.skipif(
    not SUBSET.exists(), reason="needs Stripe's description in ../shared, which is not here"
)
FORM = "application/x-www-form-urlencoded"
# Operations that the Stripe CLI calls and the description lacks.
FOR_THE_CLI = {
    "GET /v1/payment_pages/{session}",
    "POST /v1/events/{id}/retry",
    "POST /v1/payment_pages/{session}/confirm",
    "POST /v1/prices",
    "POST /v1/products",
}

# Operations that the product calls and the description lacks.
# Source: https://docs.stripe.com/api/tax_ids
BESIDES = {
    "DELETE /v1/customers/{customer}/tax_ids/{id}",
    "GET /v1/customers/{customer}/tax_ids",
    "GET /v1/customers/{customer}/tax_ids/{id}",
    "POST /v1/customers/{customer}/tax_ids",
}


def described() -> dict[str, tuple[JSON, list[str]]]:
    """Return the properties and required names of each operation in the description."""
    found: dict[str, tuple[JSON, list[str]]] = {}
    for path, operations in (description() or {})["paths"].items():
        for method in ("get", "post", "delete"):
            if method not in operations:
                continue
            operation = operations[method]
            if method == "get":
                queries = [p for p in operation.get("parameters", []) if p["in"] == "query"]
                properties = {p["name"]: p["schema"] for p in queries}
                required = [p["name"] for p in queries if p.get("required")]
            else:
                body = operation.get("requestBody", {}).get("content", {}).get(FORM, {})
                properties = body.get("schema", {}).get("properties", {})
                required = body.get("schema", {}).get("required", [])
            found[f"{method.upper()} {path}"] = properties, required
    return found


@needs_subset
def test_serves_every_operation_of_the_description() -> None:
    assert set(table()) == set(OPERATIONS)
    assert set(OPERATIONS) - FOR_THE_CLI - BESIDES == set(described())


@needs_subset
def test_agrees_with_the_description_at_every_depth() -> None:
    count = 0
    for operation, (properties, required) in described().items():
        count += compare(operation, table()[operation], properties, set(required))

    assert count > 1500


def compare(path: str, ours: dict[str, Parameter], theirs: JSON, required: set[str] | None) -> int:
    assert set(ours) == set(theirs), path
    if required is not None:
        assert {name for name, one in ours.items() if one.required} == required, path
    return sum(1 + compare_kinds(f"{path} {name}", ours[name].kinds, theirs[name]) for name in ours)


def compare_kinds(path: str, kinds: tuple[Kind, ...], schema: JSON) -> int:
    options = schema.get("anyOf", [schema])
    names = [kind_of(option) for option in options]
    has_empty = any("" in option.get("enum", []) for option in options)
    assert ('""' in {kind.name for kind in kinds}) == has_empty, path
    assert {kind.name for kind in kinds} - {'""'} == set(names) - {'""'}, path
    count = 0
    for kind in kinds:
        same_kind = [o for o, name in zip(options, names, strict=True) if name == kind.name]
        match kind.name:
            case "{}":
                merged = {k: v for o in same_kind for k, v in o.get("properties", {}).items()}
                # Merge alternative objects. A field that only one of them requires is optional.
                required = set(same_kind[0].get("required", [])) if len(same_kind) == 1 else None
                if len(same_kind) == 1:
                    count += compare(path, kind.fields, merged, required)
                else:
                    assert set(kind.fields) == set(merged), path
            case "map":
                count += compare_kinds(path, kind.element, same_kind[0]["additionalProperties"])
            case "list":
                count += compare_kinds(path, kind.element, same_kind[0]["items"])
            case "one of":
                assert set(kind.words) == set(same_kind[0]["enum"]) - {""}, path
            case "text":
                assert kind.longest == same_kind[0].get("maxLength"), path
    return count


def kind_of(schema: JSON) -> str:
    if schema.get("enum") == [""]:
        return '""'
    if "enum" in schema:
        return "one of"
    if isinstance(schema.get("additionalProperties"), dict):
        return "map"
    special = {"unix-time": "timestamp", "currency": "currency", "decimal": "decimal"}
    plain = {"object": "{}", "array": "list", "string": "text"}
    kind = str(schema["type"])
    return special.get(schema.get("format", ""), plain.get(kind, kind))


SESSION = "mode=setup&currency=usd&success_url=https://x.example/"


@for_each(
    ("path", "form", "code", "param", "message"),
    [
        ("customers", "nam=x", "parameter_unknown", "nam", "unknown parameter: nam. Did you mean name?"),
        ("customers", "xyz=1&zyx=1", "parameter_unknown", "xyz", "Received unknown parameters: xyz, zyx"),
        ("customers", "address[planet]=x", "parameter_unknown", "address[planet]", "unknown parameter"),
        ("customers", "invoice_settings[custom_fields][0][nam]=x", "parameter_unknown",
         "invoice_settings[custom_fields][0][nam]", "unknown parameter"),
        ("webhook_endpoints", "url=https://x.example/", "parameter_missing", "enabled_events",
         "Missing required param: enabled_events."),
        ("customers", "shipping[name]=x", "parameter_missing", "shipping[address]", "Missing required"),
        ("customers", "balance=lots", "parameter_invalid_integer", "balance", "Invalid integer: lots"),
        ("customers", "name=" + "x" * 257, None, "name", "at most 256 characters"),
        ("customers", "metadata=x", None, "metadata", "Invalid object"),
        ("customers", "name[a]=x", None, "name", "Invalid string"),
        ("customers", "preferred_locales=en", None, "preferred_locales", "Invalid array"),
        ("customers", "preferred_locales[a]=en", None, "preferred_locales", "Invalid array"),
        ("customers", "email=nobody", "email_invalid", "email", "Invalid email"),
        ("customers", "payment_method=", "parameter_invalid_empty", "payment_method", "empty string"),
        ("setup_intents", "confirm=maybe", None, "confirm", "Invalid boolean: maybe"),
        ("checkout/sessions", SESSION + "&mode=later", None, "mode", "must be one of payment, setup, or"),
        ("checkout/sessions", "currency=dollars", None, "currency", "Invalid currency: dollars"),
        ("checkout/sessions", SESSION + "&expand[]=setup_intent.nothing", None, "expand",
         "This property cannot be expanded (setup_intent.nothing)."),
        ("checkout/sessions", SESSION + "&line_items[0][price_data][unit_amount_decimal]=x",
         "parameter_missing", "line_items[0][price_data][currency]", "Missing"),
        ("customers", "a[b=x", None, "a[b", "Invalid parameter name"),
        ("customers", "address=x&address[city]=y", None, "address[city]", "given in two ways"),
    ],
)  # fmt: skip
def test_refuses(
    *, path: str, form: str, code: str | None, param: str, message: str, raw: Callable[..., Any]
) -> None:
    answer = raw("POST", f"/v1/{path}", form)

    error = answer.get_json()["error"]
    assert answer.status_code == 400
    assert error["type"] == "invalid_request_error"
    assert message in error["message"]
    assert (error.get("code"), error["param"]) == (code, param)


def test_reads_lists_in_all_notations(raw: Callable[..., Any]) -> None:
    one = raw("POST", "/v1/customers", "preferred_locales[0]=de&preferred_locales[1]=fr").get_json()
    other = raw("POST", "/v1/customers", "preferred_locales[]=de&preferred_locales[]=fr").get_json()
    fields = "invoice_settings[custom_fields][]"
    pairs = raw(
        "POST",
        "/v1/customers",
        f"{fields}[name]=a&{fields}[value]=1&{fields}[name]=b&{fields}[value]=2",
    ).get_json()

    assert one["preferred_locales"] == other["preferred_locales"] == ["de", "fr"]
    assert pairs["invoice_settings"]["custom_fields"] == [
        {"name": "a", "value": "1"},
        {"name": "b", "value": "2"},
    ]


def test_reads_decimals_as_numbers() -> None:
    operation = "POST /v1/checkout/sessions"
    given: JSON = {"subscription_data": {"application_fee_percent": "12.5"}}
    wrong: JSON = {"subscription_data": {"application_fee_percent": "x"}}

    checked = parameters.check(operation, given)

    assert checked["subscription_data"]["application_fee_percent"] == 12.5
    with pytest.raises(Exception, match="Invalid decimal"):
        parameters.check(operation, wrong)
