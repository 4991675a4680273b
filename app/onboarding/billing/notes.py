"""One message for the next look at the billing page, kept in the browser's own cookie."""

from flask import session as cookie

from app.core.values import frozen

NAME = "billing_note"


@frozen
class Note:
    """The outcome of the last step; the template has the words."""

    kind: str  # default, kept, removed, gone, details_saved, unanswered, …
    shown: str | None = None  # the title of the method


def keep_note(customer_id: str, kind: str, shown: str | None = None) -> None:
    """Keep a message for the next look at a customer's page."""
    cookie[NAME] = [customer_id, kind, shown]


def take_note(customer_id: str) -> Note | None:
    """Return the message for this customer, once."""
    kept = cookie.get(NAME)
    if not isinstance(kept, list) or len(kept) != 3 or kept[0] != customer_id:
        return None
    cookie.pop(NAME)
    return Note(str(kept[1]), kept[2])
