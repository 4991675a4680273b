"""What a profile says about Stripe's page."""

from dataclasses import replace
from typing import Any

from app import portal
from app.gateway import CheckoutSessionOptions, StripeRefused
from app.web import languages

MAX_TEXT_LENGTH = 1200  # of a text on Stripe's page
TEXTS = {"submit": "checkout_submit", "after_submit": "checkout_after_submit"}
TERMS = "terms_of_service_acceptance"  # Stripe takes its text only where it asks for consent
# The options that may be left out, by the name of the parameter that Stripe refuses.
OPTIONAL = {
    "allowed_payment_method_types": "payment_method_types",
    "billing_address_collection": "billing_address_collection",
    "consent_collection": "consent_collection",
    "custom_text": "custom_text",
    "customer_update": "tax_id_collection",
    "phone_number_collection": "phone_number_collection",
    "tax_id_collection": "tax_id_collection",
}


def checkout_options(profile: portal.Profile) -> dict[str, Any]:
    """Return the options of Stripe's page that a profile decides, with its texts in the reader's language.

    Stripe takes a tax id of an existing customer only if it may change the customer's name, too.
    Source: https://docs.stripe.com/tax/checkout/tax-ids
    """
    chosen = profile.checkout
    update = {"name": "auto"} if chosen.tax_id_collection else {}
    update |= {"address": "auto"} if chosen.billing_address_collection == "required" else {}
    return {
        "payment_method_types": chosen.allowed_payment_method_types,
        "billing_address_collection": chosen.billing_address_collection,
        "phone_number_collection": {"enabled": True} if chosen.phone_number_collection else None,
        "tax_id_collection": {"enabled": True} if chosen.tax_id_collection else None,
        "customer_update": update or None,
        "consent_collection": {"terms_of_service": "required"} if chosen.consent_collection else None,
        "custom_text": _texts(profile) or None,
    }


def without_refused(options: CheckoutSessionOptions, error: StripeRefused) -> CheckoutSessionOptions | None:
    """Return the options without the one that Stripe refused; None if it refused something else.

    The company may have to set something up in Stripe's Dashboard first. That must not stop its customers.
    """
    named = {OPTIONAL.get(param.partition("[")[0]) for param in error.fields}
    refused = {name for name in named if name and getattr(options, name)}
    if not refused:
        return None
    changes: dict[str, Any] = dict.fromkeys(refused)
    if "payment_method_types" in refused:
        changes["payment_method_types"] = ()
    if "consent_collection" in refused and options.custom_text:
        texts = {place: text for place, text in options.custom_text.items() if place != TERMS}
        changes["custom_text"] = texts or None
    if "tax_id_collection" in refused and options.customer_update:
        rest = {part: how for part, how in options.customer_update.items() if part != "name"}
        changes["customer_update"] = rest or None
    return replace(options, **changes)


def _texts(profile: portal.Profile) -> dict[str, dict[str, str]]:
    places = TEXTS | ({TERMS: "checkout_terms"} if profile.checkout.consent_collection else {})
    found = {place: profile.text(name, languages.current()) for place, name in places.items()}
    return {place: {"message": text[:MAX_TEXT_LENGTH]} for place, text in found.items() if text}
