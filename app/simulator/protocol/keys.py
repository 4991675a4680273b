"""API keys, and what a restricted key may do."""

from collections.abc import Iterable

from app.simulator.protocol.errors import StripeError
from app.simulator.store import DEFAULT_ACCOUNT, Store

DEFAULT_API_KEY = "sk_test_gangwaysimulator0000"
DEFAULT_RESTRICTED_KEY = "rk_test_gangwaysimulator0000"
# The permissions that the portal asks for on its page about restricted keys.
DEFAULT_PERMISSIONS = (
    "rak_accounts_kyc_basic_read",
    "rak_customer_write",
    "rak_checkout_session_write",
    "rak_setup_intent_read",
    "rak_payment_method_write",
    "rak_mandate_read",
    "rak_webhook_write",
    "rak_event_read",
    "rak_customer_portal_write",
)

_RESOURCES = {
    "account": "accounts_kyc_basic",
    "billing_portal": "customer_portal",
    "checkout": "checkout_session",
    "customers": "customer",
    "events": "event",
    "mandates": "mandate",
    "payment_methods": "payment_method",
    "payment_pages": "checkout_session",
    "prices": "plan",
    "products": "product",
    "setup_attempts": "setup_intent",
    "setup_intents": "setup_intent",
    "webhook_endpoints": "webhook",
}


def add_key(
    store: Store,
    key: str,
    *,
    account: str = DEFAULT_ACCOUNT,
    permissions: Iterable[str] | None = None,
) -> None:
    """Add an API key. `permissions` (rak_…_read, rak_…_write) make it a restricted one.

    Raises ValueError for anything but a test key. No live key works in the simulator.
    """
    prefix = "sk_test_" if permissions is None else "rk_test_"
    if not key.startswith(prefix):
        raise ValueError(f"A key of this kind begins with {prefix}.")
    if account not in store.accounts:
        raise ValueError(f"There is no account {account}.")
    allowed = None if permissions is None else sorted(permissions)
    store.keys.put(key, {"id": key, "permissions": allowed, "revoked": False}, account)


def revoke_key(store: Store, key: str, *, revoked: bool = True) -> None:
    """Treat the key as an expired one, or with `revoked=False` as a valid one again.

    Takes the whole key, or the masked one that pages show. Raises KeyError for an unknown key.
    """
    known = next((whole for whole in store.keys if mask(whole) == key), key)
    store.keys.put(known, store.keys[known] | {"revoked": revoked}, store.keys.owner(known))


def authenticate(store: Store, key: str) -> tuple[str, list[str] | None]:
    """Return the account of a key, and the permissions of a restricted one. Raises StripeError (401)."""
    if not key:
        raise StripeError(
            "You did not provide an API key. You need to provide your API key in the Authorization "
            "header, using Bearer auth (e.g. 'Authorization: Bearer YOUR_SECRET_KEY').",
            status=401,
        )
    known = store.keys.get(key)
    if known is None:
        raise StripeError(f"Invalid API Key provided: {mask(key)}", status=401)
    if known["revoked"]:
        message = f"Expired API Key provided: {mask(key)}"
        raise StripeError(message, status=401, code="api_key_expired")
    return store.keys.owner(key), known["permissions"]


def check_permission(operation_name: str, key: str, account: str, permissions: list[str] | None) -> None:
    """Raise StripeError (403) when the key is restricted and lacks the permission."""
    method, _, path = operation_name.partition(" ")
    resource = _RESOURCES[path.split("/")[2]]
    needed = f"rak_{resource}_{'read' if method == 'GET' else 'write'}"
    if permissions is None or {needed, f"rak_{resource}_write"} & set(permissions):
        return
    raise StripeError(
        f"The provided key '{mask(key)}' does not have the required permissions for this endpoint on "
        f"account '{account}'. Having the '{needed}' permission would allow this request to continue.",
        status=403,
        code="more_permissions_required",
    )


def mask(key: str) -> str:
    """Return the key for display: its kind and the last four characters."""
    kind = key[: key.rfind("_") + 1][:8]
    return f"{kind}{'*' * max(len(key) - len(kind) - 4, 4)}{key[-4:] if len(key) > 12 else ''}"
