"""The accounts of this simulator: their objects, API keys, and what a restricted key may do."""

from collections.abc import Iterable

from app.simulator import ids
from app.simulator.errors import StripeError
from app.simulator.shapes import JSON
from app.simulator.store import DEFAULT_ACCOUNT, Store
from app.simulator.work import ACCOUNT_VERSION, Call, operation

DEFAULT_API_KEY = "sk_test_gangwaysimulator0000"
DEFAULT_RESTRICTED_KEY = "rk_test_gangwaysimulator0000"
# What the product needs, as its own page on restricted keys lists it.
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


NAME = "Example Works"  # what its account is called when nobody says otherwise


def open_store(store: Store, now: int, *, name: str) -> None:
    """Make the default account and its keys where there are none yet."""
    with store.transaction():
        if DEFAULT_ACCOUNT not in store.accounts:
            add_account(store, DEFAULT_ACCOUNT, now, name=name)
            add_key(store, DEFAULT_API_KEY)
            add_key(store, DEFAULT_RESTRICTED_KEY, permissions=DEFAULT_PERMISSIONS)


def add_account(store: Store, account: str, now: int, *, name: str = NAME) -> None:
    """Add an account, with nothing in it."""
    store.accounts.put(account, _account(account, now, name), account)
    configuration = ids.dated("pmc", account, now)
    facts = {"api_version": ACCOUNT_VERSION, "payment_method_configuration": configuration}
    store.notes.put(account, facts, account)


def add_key(
    store: Store,
    key: str,
    *,
    account: str = DEFAULT_ACCOUNT,
    permissions: Iterable[str] | None = None,
) -> None:
    """Let a key in; `permissions` (rak_…_read, rak_…_write) makes it a restricted one.

    Raises ValueError for anything but a test key: no live key ever works here.
    """
    prefix = "sk_test_" if permissions is None else "rk_test_"
    if not key.startswith(prefix):
        raise ValueError(f"A key of this kind begins with {prefix}.")
    if account not in store.accounts:
        raise ValueError(f"There is no account {account}.")
    allowed = None if permissions is None else sorted(permissions)
    store.keys.put(key, {"id": key, "permissions": allowed, "revoked": False}, account)


def revoke_key(store: Store, key: str, *, revoked: bool = True) -> None:
    """From now on the key is answered as an expired one, or again as a good one.

    The key may be named as it is shown, masked. Raises KeyError when it never was.
    """
    known = next((whole for whole in store.keys if masked(whole) == key), key)
    store.keys.put(known, store.keys[known] | {"revoked": revoked}, store.keys.owner(known))


def authenticate(store: Store, key: str) -> tuple[str, list[str] | None]:
    """The account of a key, and its permissions if it is restricted; raises StripeError (401)."""
    if not key:
        raise StripeError(
            "You did not provide an API key. You need to provide your API key in the Authorization "
            "header, using Bearer auth (e.g. 'Authorization: Bearer YOUR_SECRET_KEY').",
            status=401,
        )
    known = store.keys.get(key)
    if known is None:
        raise StripeError(f"Invalid API Key provided: {masked(key)}", status=401)
    if known["revoked"]:
        message = f"Expired API Key provided: {masked(key)}"
        raise StripeError(message, status=401, code="api_key_expired")
    return store.keys.owner(key), known["permissions"]


def permit(operation_name: str, key: str, account: str, permissions: list[str] | None) -> None:
    """Raise StripeError (403) when a restricted key may not do this."""
    method, _, path = operation_name.partition(" ")
    resource = _RESOURCES[path.split("/")[2]]
    needed = f"rak_{resource}_{'read' if method == 'GET' else 'write'}"
    if permissions is None or {needed, f"rak_{resource}_write"} & set(permissions):
        return
    raise StripeError(
        f"The provided key '{masked(key)}' does not have the required permissions for this endpoint on "
        f"account '{account}'. Having the '{needed}' permission would allow this request to continue.",
        status=403,
        code="more_permissions_required",
    )


def masked(key: str) -> str:
    """A key as it may be shown: its kind and the last four characters."""
    kind = key[: key.rfind("_") + 1][:8]
    return f"{kind}{'*' * max(len(key) - len(kind) - 4, 4)}{key[-4:] if len(key) > 12 else ''}"


@operation("GET /v1/account")
def retrieve(call: Call) -> JSON:
    return call.store.accounts[call.account]


def _account(account: str, now: int, name: str) -> JSON:
    requirements: JSON = {
        "alternatives": [],
        "current_deadline": None,
        "currently_due": [],
        "disabled_reason": None,
        "errors": [],
        "eventually_due": [],
        "past_due": [],
        "pending_verification": [],
    }
    address = dict.fromkeys(("city", "country", "line1", "line2", "postal_code", "state"))
    statement = dict.fromkeys(
        (
            "statement_descriptor",
            "statement_descriptor_kana",
            "statement_descriptor_kanji",
            "statement_descriptor_prefix_kana",
            "statement_descriptor_prefix_kanji",
        )
    )
    prefixes = ("statement_descriptor_prefix", "statement_descriptor_prefix_kana")
    return {
        "id": account,
        "object": "account",
        "business_profile": {
            "annual_revenue": {"amount": None, "currency": None, "fiscal_year_end": None},
            "estimated_worker_count": None,
            "mcc": None,
            "minority_owned_business_designation": None,
            "name": name,
            "product_description": None,
            "support_address": address,
            "support_email": None,
            "support_phone": None,
            "support_url": None,
            "url": None,
        },
        "business_type": "company",
        "capabilities": {"card_payments": "active", "transfers": "active"},
        "charges_enabled": True,
        "controller": {"type": "account"},
        "country": "US",
        "created": now,
        "default_currency": "usd",
        "details_submitted": True,
        "email": "simulator@example.com",
        "external_accounts": {
            "object": "list",
            "data": [],
            "has_more": False,
            "url": f"/v1/accounts/{account}/external_accounts",
        },
        "future_requirements": requirements,
        "groups": None,
        "metadata": {},
        "payouts_enabled": True,
        "requirements": requirements,
        "settings": {
            "bacs_debit_payments": {"display_name": None, "service_user_number": None},
            "branding": dict.fromkeys(("icon", "logo", "primary_color", "secondary_color")),
            "card_issuing": {"tos_acceptance": {"date": None, "ip": None}},
            "card_payments": {
                "decline_on": {"avs_failure": True, "cvc_failure": True},
                **dict.fromkeys((*prefixes, "statement_descriptor_prefix_kanji")),
            },
            "dashboard": {"display_name": name, "timezone": "Etc/UTC"},
            "invoices": {"default_account_tax_ids": None, "hosted_payment_method_save": None},
            "payments": statement,
            "payouts": {
                "debit_negative_balances": True,
                "schedule": {"delay_days": 2, "interval": "daily"},
                "statement_descriptor": None,
            },
            "sepa_debit_payments": {},
        },
        "tos_acceptance": {"date": None, "ip": None, "user_agent": None},
        "type": "standard",
    }
