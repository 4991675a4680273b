"""Checks of a new Checkout Session: what Stripe refuses in setup mode, and what the simulator lacks."""

from urllib.parse import urlsplit

from app.simulator.protocol.call import Call
from app.simulator.protocol.errors import StripeError, missing_parameter, mutually_exclusive
from app.simulator.store import JSON

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
_REFUSED_PARAMETERS = {
    "hosted_page": ("redirect_on_completion", "return_url"),
    "embedded_page": ("cancel_url", "success_url"),
}
_UNSUPPORTED = (
    "after_expiration",
    "custom_fields",
    "customer_account",
    "managed_payments",
    "shipping_address_collection",
    "shipping_options",
)


def check_setup(call: Call) -> None:
    """Raise StripeError for a setup session that Stripe or this simulator refuses."""
    given = call.params
    _check_modes(given)
    check_urls(given)
    for other in ("customer_email", "customer_creation"):
        if "customer" in given and other in given:
            raise mutually_exclusive("customer", other)
    if "customer_update" in given and "customer" not in given:
        message = "`customer_update` can only be used with `customer`."
        raise StripeError(message, param="customer_update")
    asks_tax_id = given.get("tax_id_collection", {}).get("enabled")
    if asks_tax_id and "customer" in given and given.get("customer_update", {}).get("name") != "auto":
        raise StripeError(
            "Tax ID collection requires updating business name on the customer. To enable tax ID collection "
            "for an existing customer, please set `customer_update[name]` to `auto`.",
            param="customer_update",
        )
    consents = given.get("consent_collection", {})
    if consents.get("terms_of_service") == "required" and not call.fault_settings.terms_url:
        raise StripeError(
            "You cannot collect consent to your terms of service unless a URL is set in the Stripe "
            "Dashboard. Update your public business information in the Dashboard.",
            param="consent_collection[terms_of_service]",
        )


def _check_modes(given: JSON) -> None:
    if given.get("mode") != "setup":
        if "mode" not in given:
            raise missing_parameter("mode")
        raise StripeError("This simulator only opens sessions in setup mode.", param="mode")
    mode = ui_mode(given)
    if mode not in _REFUSED_PARAMETERS:
        raise StripeError("This simulator only knows hosted and embedded pages.", param="ui_mode")
    for name in _NOT_IN_SETUP_MODE:
        if name in given:
            raise StripeError(f"You can not pass `{name}` in `setup` mode.", param=name)
    for name in _REFUSED_PARAMETERS[mode]:
        if name in given:
            message = f"You can not pass `{name}` when `ui_mode` is `{mode}`."
            raise StripeError(message, param=name)
    for name in _UNSUPPORTED:
        if name in given:
            raise StripeError(f"This simulator does not know {name}.", param=name)
    if given.get("automatic_tax", {}).get("enabled"):
        raise StripeError("This simulator does not know automatic_tax.", param="automatic_tax[enabled]")


def ui_mode(given: JSON) -> str:
    """Return the requested page: hosted_page by default."""
    return str(given.get("ui_mode", "hosted_page"))


def check_urls(given: JSON) -> None:
    """Raise StripeError for a missing or invalid URL."""
    is_embedded = ui_mode(given) == "embedded_page"
    stays_on_page = given.get("redirect_on_completion") == "never"
    needed = "return_url" if is_embedded else "success_url"
    if needed not in given and not (is_embedded and stays_on_page):
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


def expiry_of(call: Call) -> int:
    """Return when the session expires. Raises StripeError for a time out of range."""
    expires = call.params.get("expires_at")
    if expires is None:
        return call.now + _A_DAY
    for is_wrong, rule in (
        (expires < call.now + _HALF_AN_HOUR, "at least 30 minutes"),
        (expires > call.now + _A_DAY, "less than 24 hours"),
    ):
        if is_wrong:
            message = f"The `expires_at` timestamp must be {rule} from Checkout Session creation."
            raise StripeError(message, param="expires_at")
    return int(expires)
