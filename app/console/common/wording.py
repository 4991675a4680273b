"""The wording of the audit log: one table for every page with a timeline.

A kind that the code notes and this table lacks fails a test; one that only old rows have is still told, by
its own name.
"""

from collections.abc import Mapping
from dataclasses import field
from datetime import datetime

from app import audit, checkout
from app.core.values import frozen
from app.payers import PaymentStatus, status_info

Facts = Mapping[str, str]


@frozen
class Description:
    """One entry in words: a sentence, its tone, and the facts with their labels."""

    title: str
    tone: str  # neutral, info, success, warning, error
    details: list[tuple[str, str | datetime]]


@frozen
class Template:
    """The wording of a kind. The title may name facts in braces; `otherwise` is for entries without them."""

    title: str
    tone: str = "neutral"
    otherwise: str = ""
    hidden: frozenset[str] = field(default_factory=frozenset)  # facts that the title contains


def _template(title: str, tone: str = "neutral", otherwise: str = "", *, hides: str = "") -> Template:
    return Template(title, tone, otherwise, frozenset(hides.split()))


KINDS: dict[str, Template] = {
    # The portal's settings
    "portal.published": _template(
        "Portal settings: version {version} published", "info", "Portal settings published", hides="version"
    ),
    "portal.draft_saved": _template("Draft of the portal settings changed", "neutral"),
    "portal.draft_discarded": _template("Draft of the portal settings discarded", "neutral"),
    # Customers
    "customer.created": _template("Customer created", "info"),
    "customer.updated": _template(
        "Details changed: {changed}", "neutral", "Details changed", hides="changed"
    ),
    "customer.adopted": _template(
        "Adopted from Stripe: {changed}", "info", "Details adopted from Stripe", hides="changed"
    ),
    "customer.deleted": _template("Customer deleted", "warning"),
    "signup.approved": _template("Sign-up approved", "success"),
    "signup.declined": _template("Sign-up declined", "warning"),
    "customer.restored": _template("Customer restored", "info"),
    "customer.checked": _template(
        "Checked with Stripe: {outcome}", otherwise="Checked with Stripe", hides="outcome"
    ),
    "stripe_customer.bound": _template("Existing Stripe customer attached", "info"),
    "stripe_customer.unbound": _template("Stripe customer detached", "warning"),
    "stripe_customer.deleted": _template("Customer deleted at Stripe", "error"),
    "stripe_customer.contact_refused": _template("Stripe refused the name or email", "warning"),
    "customers.exported": _template("Customer list downloaded", "warning"),
    "payer.blocked": _template("Too many declined attempts: blocked for 24 hours", "error"),
    "payer.allowed": _template("More attempts allowed", "info"),
    # Links
    "link.created": _template("Onboarding link created", "info"),
    "link.opened": _template("Onboarding link opened", "info"),
    "link.used": _template("Onboarding link used", "info"),
    "link.revoked": _template("Onboarding link revoked", "warning"),
    # Hand-overs
    "handover.used": _template("Came from your app by a hand-over", "info"),
    "handover_secret.created": _template(
        "Hand-over secret “{name}” created", "info", "Hand-over secret created", hides="name"
    ),
    "handover_secret.revoked": _template(
        "Hand-over secret “{name}” revoked", "warning", "Hand-over secret revoked", hides="name"
    ),
    # Checkout sessions
    "checkout.started": _template("Checkout session opened", "info"),
    "checkout.option_refused": _template(
        "Stripe refused an option of its page, so it was left out: {reason}",
        "warning",
        "Stripe refused an option of its page",
        hides="reason",
    ),
    "checkout.refused": _template("Stripe refused to open a checkout session", "error"),
    "checkout.closed": _template("Checkout session closed by an operator", "warning"),
    "checkout.expired": _template("Checkout session expired", "warning"),
    "setup.succeeded": _template("Setup succeeded", "success"),
    "setup.failed": _template("Declined", "error"),
    "setup.processing": _template("Form completed; waiting for the bank", "info"),
    "setup.requires_action": _template(
        "The bank asks for confirmation (3-D Secure or a test payment)", "warning"
    ),
    "setup.requires_confirmation": _template("Setup needs confirmation"),
    "setup.requires_payment_method": _template("Checkout session open again for another method"),
    "setup.canceled": _template("Setup cancelled", "warning"),
    # Methods
    "payment_method.saved": _template("{shown} saved", "success", "Payment method saved", hides="shown"),
    "payment_method.removed": _template(
        "{shown} removed at Stripe", "error", "Payment method removed at Stripe", hides="shown"
    ),
    "payment_method.detached": _template(
        "{shown} removed by an operator", "warning", "Payment method removed by an operator", hides="shown"
    ),
    "payment_method.detach_unanswered": _template(
        "Asked Stripe to remove {shown}, but got no answer",
        "warning",
        "Asked Stripe to remove a payment method, but got no answer",
        hides="shown",
    ),
    "default_method.unanswered": _template(
        "Asked Stripe to make {shown} the default, but got no answer",
        "warning",
        "Asked Stripe to change the default, but got no answer",
        hides="shown",
    ),
    "default_method.kept": _template(
        "The customer kept the default; {shown} is saved too",
        "info",
        "The customer kept the default",
        hides="shown",
    ),
    "billing_page.entered": _template("A browser was let in to the billing page", "info"),
    "browsers.signed_out": _template(
        "Every browser was signed out: {browsers}",
        "warning",
        "Every browser was signed out",
        hides="browsers",
    ),
    "person.invited": _template("A person was invited to the billing page", "info"),
    "person.removed": _template("A person was removed from the billing page", "warning"),
    "stripe_portal.opened": _template("Stripe's billing portal opened", "info"),
    "payment_method.updated": _template("Card renewed: {after}", "info", "Card renewed", hides="after"),
    "mandate.updated": _template("Debit mandate: {after}", "info", "Debit mandate changed", hides="after"),
    "default_method.changed": _template("Default payment method changed", "info"),
    # Apps and tokens
    "app.installed": _template("Stripe app installed", "success"),
    "app.changed": _template("Stripe app changed"),
    "app.renamed": _template(
        "Stripe app renamed to “{after}”", otherwise="Stripe app renamed", hides="after"
    ),
    "app.made_default": _template("Stripe app made the default", "info"),
    "app.examined": _template("Stripe app checked"),
    "app.repaired": _template("Repaired: {cause}", "success", "Stripe app repaired", hides="cause"),
    "app.endpoint_mended": _template("Webhook endpoint corrected at Stripe", "info"),
    "app.secret_rolled": _template("Webhook secret rolled, with a new endpoint", "info"),
    "app.secret_retired": _template("Old webhook secret retired"),
    "app.key_replaced": _template("API key replaced", "info"),
    "app.ready": _template("Stripe accepts our API key again", "success"),
    "app.unauthorized": _template("Stripe rejected our API key", "error"),
    "app.uninstalled": _template("Stripe app uninstalled", "warning"),
    "token.created": _template("API token “{name}” created", "info", "API token created", hides="name"),
    "token.revoked": _template("API token “{name}” revoked", "warning", "API token revoked", hides="name"),
    # Operators
    "operator.created": _template("Operator added", "info"),
    "operator.joined": _template("Operator set a password", "info"),
    "operator.renamed": _template("Operator renamed"),
    "operator.role_changed": _template(
        "Operator role changed to {after}", "warning", "Operator role changed", hides="after"
    ),
    "operator.disabled": _template("Operator disabled", "warning"),
    "operator.enabled": _template("Operator enabled", "info"),
    "operator.link_made": _template("One-time password link created", "info"),
    "operator.password_not_confirmed": _template("Wrong password on confirmation", "warning"),
    "operator.password_changed": _template("Password changed"),
    "operator.totp_enabled": _template("Second factor set up", "success"),
    "operator.totp_removed": _template("Second factor removed", "warning"),
    "operator.recovery_codes_made": _template("New recovery codes created"),
    "operator.recovery_code_used": _template("Logged in with a recovery code", "warning"),
    "operator.logged_in": _template("Logged in"),
    "operator.logged_out": _template("Logged out"),
    "operator.login_failed": _template("Login failed", "warning"),
    "operator.session_ended": _template("Session ended"),
    "operator.signed_out_everywhere": _template("Logged out everywhere", "warning"),
    # Events
    "event.retried": _template("Event retried", "info"),
    "event.ignored": _template("Event ignored", "warning"),
    "event.personal_data_shown": _template("Personal data of an event viewed"),
    "events.retried": _template(
        "All {count} failed events retried", "info", "All failed events retried", hides="count"
    ),
    "backfill.asked": _template("Missed events requested", "info"),
    # Checks
    "payment_status.changed": _template(
        "Payment status: {after}", "warning", "Payment status changed", hides="after"
    ),
    "sync.drift": _template("Found by our own check; Stripe sent no event", "warning", hides="found"),
    "sync.untold": _template("Found by a manual check; Stripe sent no event", "warning", hides="found"),
    "sync.gave_up": _template("Gave up asking Stripe after many attempts", "error"),
}

LABELS: dict[str, str] = {
    "amber": "Warnings",
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
    "person_id": "Person",
    "reason": "Reason",
    "red": "Errors",
    "scope": "Scope",
    "session_id": "Session",
    "setup_intent_id": "SetupIntent",
    "shown": "Payment method",
    "stripe_account_id": "Stripe account",
    "stripe_customer_id": "Stripe customer",
    "token_id": "Token",
    "way": "Way in",
}


def describe(entry: audit.Entry) -> Description:
    """Put an entry into words."""
    facts = {name: str(value) for name, value in entry.facts.items()}
    if "changed" in facts:
        facts["changed"] = facts["changed"].replace("_", " ")
    words = _special(entry, facts) or KINDS.get(entry.kind) or Template(_plain(entry.kind.replace(".", " ")))
    if "error_code" in facts or "decline_code" in facts:
        return _declined(words, facts)
    details = [
        (_label(name), _detail(name, value)) for name, value in facts.items() if name not in words.hidden
    ]
    return Description(_title(words, facts), words.tone, details)


def describe_kinds(kinds: str) -> str:
    """Put several kinds, separated by commas, into words."""
    named = (KINDS.get(kind.strip()) for kind in kinds.split(","))
    return "; ".join(words.otherwise or words.title for words in named if words) or kinds


def _special(entry: audit.Entry, facts: Facts) -> Template | None:
    """The template of a kind, when its facts or its actor change the meaning."""
    kind = entry.kind
    if kind == "payment_method.detached" and entry.actor == "visitor":
        return _template(
            "{shown} removed by the customer",
            "warning",
            "Payment method removed by the customer",
            hides="shown",
        )
    if kind == "default_method.changed" and "payment_method_id" not in facts:
        return _template("No default payment method", "warning")
    if kind == "default_method.changed" and "same_card" in facts:
        return _template("Same card or account saved again; still the default", hides="same_card")
    if kind == "default_method.changed" and "before" not in facts:
        return _template("Saved payment method made the default", "info")
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
    """A fact for the page. Times stay times: the page shows them in one zone."""
    return datetime.fromisoformat(value) if name == "expires_at" else _value(value)


def _plain(name: str) -> str:
    return name.replace("_", " ").capitalize()
