"""The texts that a company can replace by its own, in each language."""

from app.core.values import frozen


@frozen
class TextSlot:
    """One place for a text of the company."""

    label: str
    hint: str
    rows: int = 2
    limit: int = 2000  # characters; Stripe's page takes fewer


# By the name in the document. Templates add our own words: `profile.text("signup_lead", locale) or _("…")`.
TEXTS: dict[str, TextSlot] = {
    "signup_lead": TextSlot("Below the title of the form", "Say who asks, and what for."),
    "email_hint": TextSlot("Below the email address", "Say what you send to it."),
    "key_hint": TextSlot("Below the reference", "Say where customers find it."),
    "consent": TextSlot("Consent", "The sentence by which customers agree to your terms."),
    "charges": TextSlot("What you charge, and when", "Beside the form, and after a method was saved."),
    "receipts": TextSlot("Who sends receipts", "Beside the form, and after a method was saved."),
    "checkout_submit": TextSlot(
        "On Stripe’s page, above the button", "Say what customers should know there.", limit=1200
    ),
    "checkout_after_submit": TextSlot(
        "On Stripe’s page, below the button", "Say what happens next.", limit=1200
    ),
    "checkout_terms": TextSlot(
        "On Stripe’s page, beside its consent",
        "What customers agree to, where your policies ask for consent on Stripe’s page, too.",
        limit=1200,
    ),
}
