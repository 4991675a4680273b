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
    "signup_title": TextSlot("Title of the sign-up form", "For example: Your details.", 1),
    "signup_lead": TextSlot("Below the title", "Say who asks, and what for."),
    "charges": TextSlot("What you charge, and when", "Beside the form. Blank: no claim about charges."),
    "receipts": TextSlot("Who sends receipts", "Beside the form. Blank: no claim about receipts."),
    "saved": TextSlot("After a payment method was saved", "What happens next."),
    "consent": TextSlot("Consent", "The sentence by which customers agree to your terms."),
    "closed": TextSlot("When sign-up is closed", "How somebody gets a link."),
    "approval": TextSlot("While a sign-up waits for approval", "How long it takes, and who answers."),
}
