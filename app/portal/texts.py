"""The texts that a company can replace by its own, in each language."""

from dataclasses import dataclass


@dataclass(frozen=True)
class TextSlot:
    """One place for a text of the company."""

    label: str
    hint: str
    rows: int = 2


# By the name in the document. Templates add our own words: `profile.text("signup_lead", locale) or _("…")`.
TEXTS: dict[str, TextSlot] = {
    "signup_lead": TextSlot("Below the title of the form", "Say who asks, and what for."),
    "email_hint": TextSlot("Below the email address", "Say what you send to it."),
    "key_hint": TextSlot("Below the reference", "Say where customers find it."),
    "consent": TextSlot("Consent", "The sentence by which customers agree to your terms."),
    "charges": TextSlot("What you charge, and when", "Beside the form, and after a method was saved."),
    "receipts": TextSlot("Who sends receipts", "Beside the form, and after a method was saved."),
}
