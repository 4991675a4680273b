"""What the audit log says, in words: one table for every page that tells a story.

A kind that the code notes and this table lacks fails a test; one that only old rows have is still told, by
its own name.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from app import audit, checkout
from app.core.db import utcnow
from app.payers import PaymentStatus, status_info

Facts = Mapping[str, str]


@dataclass(frozen=True)
class Description:
    """One entry, told: a sentence, how good or bad it is, and the facts with their labels."""

    title: str
    tone: str  # neutral, info, success, warning, error
    details: list[tuple[str, str | datetime]]


@dataclass(frozen=True)
class Template:
    """How a kind is told. The title may name facts in braces; `otherwise` is for entries that lack one."""

    title: str
    tone: str = "neutral"
    otherwise: str = ""
    hidden: frozenset[str] = field(default_factory=frozenset)  # facts that the title has said already


def _template(title: str, tone: str = "neutral", otherwise: str = "", *, hides: str = "") -> Template:
    return Template(title, tone, otherwise, frozenset(hides.split()))


KINDS: dict[str, Template] = {
    # Customers
    "customer.created": _template("Customer created", "info"),
    "customer.updated": _template(
        "Details changed: {changed}", "neutral", "Details changed", hides="changed"
    ),
    "customer.adopted": _template(
        "Taken over from Stripe: {changed}", "info", "Details taken over from Stripe", hides="changed"
    ),
    "customer.deleted": _template("Customer deleted here", "warning"),
    "customer.restored": _template("Customer restored", "info"),
    "customer.checked": _template(
        "Asked Stripe now: {outcome}", otherwise="Asked Stripe now", hides="outcome"
    ),
    "stripe_customer.bound": _template("Bound to an existing Stripe customer", "info"),
    "stripe_customer.unbound": _template("Stripe customer no longer stands for this customer", "warning"),
    "stripe_customer.deleted": _template("Stripe no longer has this customer", "error"),
    "stripe_customer.contact_refused": _template("Stripe refused the name or email that we have", "warning"),
    "customers.exported": _template("List of customers downloaded", "warning"),
    "payer.blocked": _template("Too many tries were declined: Stripe's pages are closed for a day", "error"),
    "payer.allowed": _template("More tries allowed", "info"),
    # Links
    "link.created": _template("Onboarding link made", "info"),
    "link.opened": _template("Onboarding link opened", "info"),
    "link.used": _template("Onboarding link used", "info"),
    "link.revoked": _template("Onboarding link revoked", "warning"),
    # Pages
    "checkout.started": _template("Stripe's page opened", "info"),
    "checkout.refused": _template("Stripe refused to open its page", "error"),
    "checkout.closed": _template("Stripe's page closed by hand", "warning"),
    "checkout.expired": _template("Stripe's page expired unused", "warning"),
    "setup.succeeded": _template("Setup finished at Stripe", "success"),
    "setup.failed": _template("Declined", "error"),
    "setup.processing": _template("Form finished; the bank has not confirmed yet", "info"),
    "setup.requires_action": _template("The bank asks to confirm (3-D Secure or a test payment)", "warning"),
    "setup.requires_confirmation": _template("Setup waits to be confirmed"),
    "setup.requires_payment_method": _template("Stripe's page is open again for another method"),
    "setup.canceled": _template("Setup cancelled at Stripe", "warning"),
    # Methods
    "payment_method.saved": _template("{shown} saved", "success", "Payment method saved", hides="shown"),
    "payment_method.removed": _template(
        "{shown} is no longer attached at Stripe", "error", "A payment method was removed", hides="shown"
    ),
    "payment_method.detached": _template(
        "{shown} removed by hand", "warning", "Payment method removed by hand", hides="shown"
    ),
    "payment_method.detach_unanswered": _template(
        "Asked Stripe to remove {shown}; its answer was lost",
        "warning",
        "Asked Stripe to remove a payment method; its answer was lost",
        hides="shown",
    ),
    "default_method.unanswered": _template(
        "Asked Stripe to make {shown} the default; its answer was lost",
        "warning",
        "Asked Stripe for another default; its answer was lost",
        hides="shown",
    ),
    "payment_method.updated": _template("Card renewed: {after}", "info", "Card renewed", hides="after"),
    "mandate.updated": _template("Debit mandate: {after}", "info", "Debit mandate changed", hides="after"),
    "default_method.changed": _template("Another payment method is now the default", "info"),
    # Apps and tokens
    "app.installed": _template("Stripe app installed", "success"),
    "app.changed": _template("Stripe app changed"),
    "app.renamed": _template(
        "Stripe app renamed to “{after}”", otherwise="Stripe app renamed", hides="after"
    ),
    "app.made_default": _template("Stripe app made the default", "info"),
    "app.examined": _template("Stripe app examined"),
    "app.repaired": _template("Repaired: {cause}", "success", "Stripe app repaired", hides="cause"),
    "app.endpoint_mended": _template("Webhook endpoint corrected at Stripe", "info"),
    "app.secret_rolled": _template("Webhook secret rolled: a new endpoint took over", "info"),
    "app.secret_retired": _template("The former webhook secret is accepted no more"),
    "app.key_replaced": _template("API key replaced", "info"),
    "app.ready": _template("Stripe accepts our API key again", "success"),
    "app.unauthorized": _template("Stripe rejected our API key", "error"),
    "app.uninstalled": _template("Stripe app uninstalled", "warning"),
    "token.created": _template("API token “{name}” made", "info", "API token made", hides="name"),
    "token.revoked": _template("API token “{name}” revoked", "warning", "API token revoked", hides="name"),
    # Operators
    "operator.created": _template("Operator added", "info"),
    "operator.joined": _template("Operator chose a password", "info"),
    "operator.renamed": _template("Operator renamed"),
    "operator.role_changed": _template(
        "Operator is {after} now", "warning", "Operator's role changed", hides="after"
    ),
    "operator.disabled": _template("Operator disabled", "warning"),
    "operator.enabled": _template("Operator enabled again", "info"),
    "operator.link_made": _template("One-time link for a password made", "info"),
    "operator.password_not_confirmed": _template("Wrong password at a confirmation", "warning"),
    "operator.password_changed": _template("Password changed"),
    "operator.totp_enabled": _template("Second factor set up", "success"),
    "operator.totp_removed": _template("Second factor removed", "warning"),
    "operator.recovery_codes_made": _template("New recovery codes made"),
    "operator.recovery_code_used": _template("Logged in with a recovery code", "warning"),
    "operator.logged_in": _template("Logged in"),
    "operator.logged_out": _template("Logged out"),
    "operator.login_failed": _template("Login failed", "warning"),
    "operator.session_ended": _template("A session ended by hand"),
    "operator.signed_out_everywhere": _template("Signed out everywhere", "warning"),
    # Events
    "event.retried": _template("Event to be looked at again", "info"),
    "event.ignored": _template("Event ignored by hand", "warning"),
    "event.personal_data_shown": _template("Looked at the personal data of an event"),
    "events.retried": _template(
        "All {count} failed events to be looked at again", "info", "All failed events retried", hides="count"
    ),
    "backfill.asked": _template("Asked for missed events to be fetched", "info"),
    # Convergence
    "payment_status.changed": _template(
        "Payment status: {after}", "warning", "Payment status changed", hides="after"
    ),
    "sync.drift": _template(
        "No event of Stripe's told of this; our own look found it", "warning", hides="found"
    ),
    "sync.untold": _template(
        "No event of Stripe's had told of this; the check found it", "warning", hides="found"
    ),
    "sync.gave_up": _template("Gave up asking Stripe after many tries", "error"),
}

LABELS: dict[str, str] = {
    "amber": "To look at",
    "before": "Before",
    "after": "After",
    "decline_code": "Bank's code",
    "error_code": "Stripe's code",
    "endpoint_id": "Webhook endpoint",
    "event_id": "Event",
    "event_type": "Event type",
    "expires_at": "Expires",
    "former": "Before",
    "left": "Codes left",
    "link_id": "Link",
    "mandate_id": "Mandate",
    "masked_key": "Key",
    "name": "Name",
    "operator_id": "Operator",
    "operator_session_id": "Login",
    "payment_method_id": "Payment method",
    "reason": "Reason",
    "red": "Wrong",
    "scope": "Scope",
    "session_id": "Session",
    "setup_intent_id": "SetupIntent",
    "shown": "Payment method",
    "stripe_account_id": "Stripe account",
    "stripe_customer_id": "Stripe customer",
    "token_id": "Token",
}


def describe(entry: audit.Entry) -> Description:
    """Tell an entry."""
    facts = {name: str(value) for name, value in entry.facts.items()}
    if "changed" in facts:
        facts["changed"] = facts["changed"].replace("_", " ")
    words = (
        _special(entry.kind, facts) or KINDS.get(entry.kind) or Template(_plain(entry.kind.replace(".", " ")))
    )
    if "error_code" in facts or "decline_code" in facts:
        return _declined(words, facts)
    details = [
        (_label(name), _detail(name, value)) for name, value in facts.items() if name not in words.hidden
    ]
    return Description(_title(words, facts), words.tone, details)


def describe_kinds(kinds: str) -> str:
    """Several kinds, listed with commas, in words."""
    named = (KINDS.get(kind.strip()) for kind in kinds.split(","))
    return "; ".join(words.otherwise or words.title for words in named if words) or kinds


def describe_checkout_session(page: checkout.CheckoutSession) -> tuple[str, str]:
    """What became of one of Stripe's pages, and its tone."""
    if page.setup_status == "succeeded":
        return "Finished, method saved", "success"
    if page.status == "complete":
        return ("Finished, then refused", "error") if page.error_code else ("Finished, bank awaited", "info")
    if page.status == "expired" or page.expires_at <= utcnow():
        return "Expired unused", "warning"
    if page.setup_status == "requires_action":
        return "Open, 3-D Secure unfinished", "warning"
    return ("Open, last try declined", "error") if page.error_code else ("Open", "info")


def _special(kind: str, facts: Facts) -> Template | None:
    """Template for a kind whose facts change its meaning."""
    if kind == "default_method.changed" and "payment_method_id" not in facts:
        return _template("No payment method is the default now", "warning")
    if kind == "default_method.changed" and "same_card" in facts:
        return _template(
            "The same card or account was saved again, and is still the default", hides="same_card"
        )
    if kind == "default_method.changed" and "before" not in facts:
        return _template("The saved payment method is the default", "info")
    if kind == "mandate.updated" and facts.get("after") == "inactive":
        return _template("The bank ended the debit mandate", "error")
    return None


def _declined(words: Template, facts: Facts) -> Description:
    means = checkout.explain_decline(facts.get("error_code"), facts.get("decline_code")).means
    details: list[tuple[str, str | datetime]] = [("Meaning", means)]
    details += [(_label(name), value) for name, value in facts.items()]
    return Description(_title(words, facts), words.tone, details)


def _title(words: Template, facts: Facts) -> str:
    try:
        return words.title.format_map({name: _value(value) for name, value in facts.items()})
    except KeyError:
        return words.otherwise


def _label(name: str) -> str:
    return LABELS.get(name) or _plain(name)


def _value(value: str) -> str:
    return status_info(value).label if value in set(PaymentStatus) else value


def _detail(name: str, value: str) -> str | datetime:
    """A moment is left to the page, which shows all of them in one zone."""
    return datetime.fromisoformat(value) if name == "expires_at" else _value(value)


def _plain(name: str) -> str:
    return name.replace("_", " ").capitalize()
