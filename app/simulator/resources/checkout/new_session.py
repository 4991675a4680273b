"""A new Checkout Session, as Stripe shows it."""

import copy

from app.simulator.protocol.call import Call
from app.simulator.protocol.fields import merge_metadata
from app.simulator.resources.checkout.checks import ui_mode
from app.simulator.store import JSON, ids


def new_session(call: Call, customer: JSON | None, intent: JSON, expires: int) -> JSON:
    """Make the session of a request, with its SetupIntent."""
    given = call.params
    key = ids.checkout_session()
    is_embedded = ui_mode(given) == "embedded_page"
    email = customer["email"] if customer else given.get("customer_email")
    creation = None if customer else given.get("customer_creation", "if_required")
    details = {
        "address": None,
        "business_name": None,
        "email": email,
        "individual_name": None,
        "name": None,
        "phone": None,
        "tax_exempt": "none",
        "tax_ids": None,
    }
    texts = ("after_submit", "shipping_address", "submit", "terms_of_service_acceptance")
    optional = {
        name: copy.deepcopy(given[name]) for name in ("excluded_payment_method_types",) if given.get(name)
    }
    if "tax_id_collection" in given:
        optional["tax_id_collection"] = {"required": "never", **given["tax_id_collection"]}
    if is_embedded:
        optional["redirect_on_completion"] = given.get("redirect_on_completion", "always")
        optional |= {name: given[name] for name in ("return_url",) if name in given}
    return {
        "id": key,
        "object": "checkout.session",
        "adaptive_pricing": None,
        "after_expiration": None,
        "allow_promotion_codes": given.get("allow_promotion_codes"),
        "allowed_payment_method_types": given.get("allowed_payment_method_types"),
        "amount_subtotal": 0,
        "amount_total": 0,
        "automatic_tax": {"enabled": False, "liability": None, "provider": None, "status": None},
        "billing_address_collection": given.get("billing_address_collection"),
        "cancel_url": given.get("cancel_url"),
        "client_reference_id": given.get("client_reference_id"),
        "client_secret": ids.client_secret(key) if is_embedded else None,
        "collected_information": {
            "business_name": None,
            "individual_name": None,
            "shipping_details": None,
        },
        "consent": None,
        "consent_collection": _consent_collection(given.get("consent_collection")),
        "created": call.now,
        "currency": given.get("currency"),
        "currency_conversion": None,
        "custom_fields": [],
        "custom_text": {name: given.get("custom_text", {}).get(name) or None for name in texts},
        "customer": given.get("customer"),
        "customer_account": None,
        "customer_creation": creation,
        "customer_details": details if email else None,
        "customer_email": given.get("customer_email"),
        "discounts": None,
        "expires_at": expires,
        "integration_identifier": given.get("integration_identifier"),
        "invoice": None,
        "invoice_creation": None,
        "livemode": False,
        "locale": given.get("locale", "auto"),
        "managed_payments": None,
        "metadata": merge_metadata({}, given.get("metadata")),
        "mode": "setup",
        "optional_items": None,
        "origin_context": given.get("origin_context"),
        "payment_intent": None,
        "payment_link": None,
        "payment_method_collection": "always",
        "payment_method_configuration_details": intent["payment_method_configuration_details"],
        "payment_method_options": {"card": {"request_three_d_secure": "automatic"}}
        if "card" in intent["payment_method_types"]
        else {},
        "payment_method_types": intent["payment_method_types"],
        "payment_status": "no_payment_required",
        "permissions": None,
        "phone_number_collection": {
            "enabled": given.get("phone_number_collection", {}).get("enabled", False)
        },
        "recovered_from": None,
        "saved_payment_method_options": None,
        "setup_intent": intent["id"],
        "shipping_address_collection": None,
        "shipping_cost": None,
        "shipping_options": [],
        "status": "open",
        "submit_type": None,
        "subscription": None,
        "success_url": given.get("success_url"),
        "total_details": None,
        "ui_mode": ui_mode(given),
        # Stripe's page needs the part after "#". Here it only shows which callers cut it off.
        "url": None if is_embedded else f"{call.public_url}/c/pay/{key}#fid{ids.random_text(24)}",
        "wallet_options": None,
        **optional,
    }


def _consent_collection(given: JSON | None) -> JSON | None:
    if not given:
        return None
    names = ("payment_method_reuse_agreement", "promotions", "terms_of_service")
    return {name: given.get(name) for name in names}
