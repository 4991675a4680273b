"""The accounts of this simulator. Source: https://docs.stripe.com/api/accounts."""

from app.simulator.protocol.call import Call, operation
from app.simulator.protocol.keys import DEFAULT_API_KEY, DEFAULT_PERMISSIONS, DEFAULT_RESTRICTED_KEY, add_key
from app.simulator.protocol.work import ACCOUNT_VERSION
from app.simulator.store import DEFAULT_ACCOUNT, JSON, Store, ids

DEFAULT_NAME = "Example Works"


def create_default_account(store: Store, now: int, *, name: str) -> None:
    """Create the default account and its keys in a new store."""
    with store.transaction():
        if DEFAULT_ACCOUNT not in store.accounts:
            add_account(store, DEFAULT_ACCOUNT, now, name=name)
            add_key(store, DEFAULT_API_KEY)
            add_key(store, DEFAULT_RESTRICTED_KEY, permissions=DEFAULT_PERMISSIONS)


def add_account(store: Store, account: str, now: int, *, name: str = DEFAULT_NAME) -> None:
    """Add an empty account."""
    store.accounts.put(account, _account(account, now, name), account)
    configuration = ids.dated_id("pmc", account, now)
    note = {"api_version": ACCOUNT_VERSION, "payment_method_configuration": configuration}
    store.notes.put(account, note, account)


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
