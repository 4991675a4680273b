"""An event's payload for people: personal data hidden, secrets never shown.

This module names what is shown, and treats everything else as personal. Stripe adds fields as it likes, so a
list of what to hide would soon be too short.
"""

import json
import re
from datetime import datetime
from typing import Any

from app import gateway

FOLDED = "••• personal data"
SECRET = "••• never shown"  # noqa: S105 (it stands where a secret was)

SECRETS = {"client_secret", "secret", "url", "hosted_verification_url"}  # a page's address opens the page
# Objects and texts about a person, whatever is in them.
PERSONAL = {
    "account_holder_name",
    "address",
    "billing_details",
    "bic",
    "cashtag",
    "collected_information",
    "custom_fields",
    "customer_details",
    "customer_email",
    "description",
    "dynamic_last4",
    "email",
    "fingerprint",
    "generated_from",
    "iban_last4",
    "individual_name",
    "ip",
    "ip_address",
    "last4",
    "name",
    "network_details",
    "payer_email",
    "payer_id",
    "phone",
    "preferred_locales",
    "receipt_email",
    "routing_number",
    "shipping",
    "shipping_address",
    "shipping_details",
    "sort_code",
    "tax_ids",
    "transit_number",
    "user_agent",
    "username",
    "verified_address",
    "verified_email",
    "verified_name",
    "verified_phone",
}
# Stripe's own words and our keys under these names.
STRIPES = {
    "account_holder_type",
    "account_type",
    "address_line1_check",
    "address_postal_code_check",
    "allow_redisplay",
    "api_version",
    "available",
    "billing_address_collection",
    "brand",
    "cancellation_reason",
    "capture_method",
    "code",
    "country",
    "currency",
    "customer_creation",
    "cvc_check",
    "decline_code",
    "directory_server",
    "display_brand",
    "doc_url",
    "event",
    "funding",
    "idempotency_key",
    "invoice_prefix",
    "locale",
    "message",
    "mode",
    "network",
    "object",
    "payment_method_collection",
    "payment_method_types",
    "payment_status",
    "preferred",
    "reason",
    "regulated_status",
    "request_log_url",
    "request_three_d_secure",
    "status",
    "supported",
    "tax_exempt",
    "three_d_secure_2_source",
    "type",
    "ui_mode",
    "usage",
    "verification_method",
    "wallet",
}
OURS = re.compile(r"om_\w+")
# An id (pm_1Abc…), words of Stripe's (requires_action), an ISO code: none of these is a person.
NAMES_NO_ONE = re.compile(
    r"[a-z]{2,20}(_[a-z]{2,20})?_(test_|live_)?[A-Za-z0-9]{8,255}|[a-z0-9]+(_[a-z0-9]+)+|[A-Z]{2,3}"
)


def folded(payload: str) -> str:
    """The payload, indented, with markers where personal data and secrets are."""
    return _shown(payload, show_personal=False)


def whole(payload: str) -> str:
    """The payload, indented, with personal data; secrets are still left out."""
    return _shown(payload, show_personal=True)


def created_at(payload: str) -> datetime | None:
    """When it happened, according to Stripe."""
    try:
        return gateway.instant(json.loads(payload)["created"])
    except (ValueError, TypeError, KeyError, RecursionError):
        return None


def _shown(payload: str, *, show_personal: bool) -> str:
    try:
        body = json.loads(payload)
    except (ValueError, RecursionError):  # none is stored; still, a page must not fail by a row
        return SECRET
    text = json.dumps(_fold(body, "", show=show_personal), indent=2, ensure_ascii=False)
    return text.encode(errors="replace").decode()  # JSON may hold lone surrogates, which no page can


def _fold(value: Any, name: str, *, show: bool) -> Any:
    """A copy of a value that stands under a name."""
    if name in SECRETS and value:
        return SECRET
    if not show and name in PERSONAL and value not in (None, "", [], {}):
        return FOLDED
    if isinstance(value, dict):
        is_free = name == "metadata"  # where a company may keep anything
        return {
            key: FOLDED if is_free and not show and not OURS.fullmatch(key) else _fold(inner, key, show=show)
            for key, inner in value.items()
        }
    if isinstance(value, list):
        return [_fold(inner, name, show=show) for inner in value]
    if isinstance(value, str) and value and not show and not _names_no_one(value, name):
        return FOLDED
    return value


def _names_no_one(value: str, name: str) -> bool:
    return name in STRIPES or bool(OURS.fullmatch(name) or NAMES_NO_ONE.fullmatch(value))
