"""Example values for the API document, made from the schemas."""

from collections.abc import Mapping
from typing import Any

JSON = dict[str, Any]

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
    "id": "bps_1MrnZsEr7HVcUnBt",  # our own schemas have their examples
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
