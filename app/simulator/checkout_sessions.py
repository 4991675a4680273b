"""Checkout Sessions in setup mode. Source: https://docs.stripe.com/api/checkout/sessions."""

import copy
from urllib.parse import urlsplit

from app.simulator import ids, lists, setup_intents, setups, shop, wallet
from app.simulator.errors import StripeError, exclusive, missing_parameter, missing_resource
from app.simulator.fields import merged
from app.simulator.shapes import JSON
from app.simulator.work import Call, Work, operation

_HALF_AN_HOUR, _A_DAY = 30 * 60, 24 * 3600

_NOT_IN_SETUP_MODE = (
    "discounts",
    "invoice_creation",
    "line_items",
    "optional_items",
    "payment_intent_data",
    "payment_method_collection",
    "saved_payment_method_options",
    "submit_type",
    "subscription_data",
)
_REFUSED_ON = {
    "hosted_page": ("redirect_on_completion", "return_url"),
    "embedded_page": ("cancel_url", "success_url"),
}
_NOT_DRAWN = (
    "after_expiration",
    "custom_fields",
    "customer_account",
    "managed_payments",
    "shipping_address_collection",
    "shipping_options",
)


def in_path(call: Call) -> JSON:
    """The session the path names; raises StripeError (404)."""
    found = call.store.checkout_sessions.find(call.path["session"], call.account)
    if found is None:
        name = call.path["session"]
        raise missing_resource("checkout.session", name, "session", status=404)
    return found


@operation("POST /v1/checkout/sessions")
def create(call: Call) -> JSON:
    given = call.params
    if given.get("mode") == "payment":
        return _open_purchase(call)
    _refuse_unfit(call)
    customer = wallet.referenced(call, given.get("customer"))
    expires = _expiry(call)
    currency = given.get("currency")
    has_types = given.get("allowed_payment_method_types") or given.get("payment_method_types")
    if currency is None and not has_types:
        raise missing_parameter("currency")
    types = setup_intents.enabled_types(given, currency)
    data = given.get("setup_intent_data", {})
    intent = setups.open_intent(
        call,
        types=types,
        customer=given.get("customer"),
        description=data.get("description"),
        metadata=merged({}, data.get("metadata"), "setup_intent_data[metadata]"),
    )
    session = _session(call, customer, intent, expires)
    call.remark(intent["id"], checkout_session=session["id"])
    call.remark(
        session["id"],
        customer_update=given.get("customer_update", {}),
        allow_redisplay=given.get("payment_method_data", {}).get("allow_redisplay", "limited"),
    )
    return call.keep(call.store.checkout_sessions, session)


def _open_purchase(call: Call) -> JSON:
    """A session in payment mode. It has no page here; `payment_pages` completes it."""
    _refuse_urls(call.params)
    nothing_to_set_up = {
        "id": None,
        "payment_method_types": ["card"],
        "payment_method_configuration_details": None,
    }
    session = _session(call, None, nothing_to_set_up, _expiry(call)) | shop.purchase(call)
    return call.keep(call.store.checkout_sessions, session)


@operation("GET /v1/checkout/sessions/{session}")
def retrieve(call: Call) -> JSON:
    return in_path(call)


@operation("POST /v1/checkout/sessions/{session}")
def update(call: Call) -> JSON:
    session = in_path(call)
    for name in call.params:
        if name != "metadata":
            message = f"{name} of a Checkout Session in setup mode cannot be updated."
            raise StripeError(message, param=name)
    metadata = merged(session["metadata"], call.params.get("metadata"))
    return call.change(call.store.checkout_sessions, session, metadata=metadata)


@operation("POST /v1/checkout/sessions/{session}/expire")
def expire_now(call: Call) -> JSON:
    session = in_path(call)
    if session["status"] != "open":
        raise StripeError(
            'Only Checkout Sessions with a status in ["open"] can be expired. This Checkout Session has '
            f"a status of `{session['status']}`.",
        )
    return expire(call, session)


@operation("GET /v1/checkout/sessions/{session}/line_items")
def index_line_items(call: Call) -> JSON:
    """Always empty: in setup mode nothing is bought."""
    in_path(call)
    return lists.page(call, call.store.checkout_sessions, "item", lambda _: False)


@operation("GET /v1/checkout/sessions")
def index(call: Call) -> JSON:
    given = call.params
    wanted = {
        name: given[name]
        for name in ("customer", "status", "payment_intent", "payment_link", "subscription")
        if name in given
    }
    email = given.get("customer_details", {}).get("email")

    def fits(session: JSON) -> bool:
        details = session["customer_details"] or {}
        same = all(session[name] == value for name, value in wanted.items())
        return same and (email is None or details.get("email") == email)

    customer = given.get("customer")
    return lists.page(call, call.store.checkout_sessions, "checkout.session", fits, customer=customer)


def expire(work: Work, session: JSON) -> JSON:
    """Close an open session; its SetupIntent is given up."""
    expired = work.change(work.store.checkout_sessions, session, status="expired", url=None)
    if session["setup_intent"] is not None:
        setups.cancel(work, work.store.setup_intents[session["setup_intent"]], "abandoned")
    work.emit("checkout.session.expired", expired)
    return expired


def complete(work: Work, session: JSON, **fields: object) -> JSON:
    """The payer finished the page, whatever the SetupIntent still waits for."""
    done = work.change(work.store.checkout_sessions, session, status="complete", url=None, **fields)
    work.emit("checkout.session.completed", done)
    return done


def _refuse_unfit(call: Call) -> None:
    """What Stripe refuses of a hosted page in setup mode, and what this simulator does not draw."""
    given = call.params
    _refuse_modes(given)
    _refuse_urls(given)
    for other in ("customer_email", "customer_creation"):
        if "customer" in given and other in given:
            raise exclusive("customer", other)
    if "customer_update" in given and "customer" not in given:
        message = "`customer_update` can only be used with `customer`."
        raise StripeError(message, param="customer_update")
    consents = given.get("consent_collection", {})
    if consents.get("terms_of_service") == "required" and not call.fault_settings.terms_url:
        raise StripeError(
            "You cannot collect consent to your terms of service unless a URL is set in the Stripe "
            "Dashboard. Update your public business information in the Dashboard.",
            param="consent_collection[terms_of_service]",
        )


def _refuse_modes(given: JSON) -> None:
    if given.get("mode") != "setup":
        if "mode" not in given:
            raise missing_parameter("mode")
        raise StripeError("This simulator opens pages in setup mode only.", param="mode")
    mode = _ui_mode(given)
    if mode not in _REFUSED_ON:
        raise StripeError("This simulator knows hosted and embedded pages only.", param="ui_mode")
    for name in _NOT_IN_SETUP_MODE:
        if name in given:
            raise StripeError(f"You can not pass `{name}` in `setup` mode.", param=name)
    for name in _REFUSED_ON[mode]:
        if name in given:
            message = f"You can not pass `{name}` when `ui_mode` is `{mode}`."
            raise StripeError(message, param=name)
    for name in _NOT_DRAWN:
        if name in given:
            raise StripeError(f"This simulator does not know {name}.", param=name)
    if given.get("automatic_tax", {}).get("enabled"):
        raise StripeError("This simulator does not know automatic_tax.", param="automatic_tax[enabled]")


def _ui_mode(given: JSON) -> str:
    return str(given.get("ui_mode", "hosted_page"))


def _refuse_urls(given: JSON) -> None:
    is_embedded = _ui_mode(given) == "embedded_page"
    stays = given.get("redirect_on_completion") == "never"
    needed = "return_url" if is_embedded else "success_url"
    if needed not in given and not (is_embedded and stays):
        raise missing_parameter(needed)
    for name in ("success_url", "cancel_url", "return_url"):
        if name in given and not _is_url(given[name]):
            raise StripeError("Not a valid URL", code="url_invalid", param=name)


def _is_url(text: str) -> bool:
    try:
        parts = urlsplit(text)
        return parts.scheme in {"http", "https"} and bool(parts.hostname) and " " not in text
    except ValueError:
        return False


def _expiry(call: Call) -> int:
    wanted = call.params.get("expires_at")
    if wanted is None:
        return call.now + _A_DAY
    for wrong, rule in (
        (wanted < call.now + _HALF_AN_HOUR, "at least 30 minutes"),
        (wanted > call.now + _A_DAY, "less than 24 hours"),
    ):
        if wrong:
            message = f"The `expires_at` timestamp must be {rule} from Checkout Session creation."
            raise StripeError(message, param="expires_at")
    return int(wanted)


def _session(call: Call, customer: JSON | None, intent: JSON, expires: int) -> JSON:
    given = call.params
    key = ids.checkout_session()
    is_embedded = _ui_mode(given) == "embedded_page"
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
        "metadata": merged({}, given.get("metadata")),
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
        "ui_mode": _ui_mode(given),
        # Real ones carry what the page needs behind the "#"; here it only shows who cuts it off.
        "url": None if is_embedded else f"{call.public_url}/c/pay/{key}#fid{ids.random_text(24)}",
        "wallet_options": None,
        **optional,
    }


def _consent_collection(given: JSON | None) -> JSON | None:
    if not given:
        return None
    names = ("payment_method_reuse_agreement", "promotions", "terms_of_service")
    return {name: given.get(name) for name in names}
