"""What happened lately, in words for the customer: without names of operators, ids or inner causes."""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy.orm import Session

from app import audit
from app.core.values import frozen
from app.web.languages import gettext, lazy_gettext

MAX_LINES = 10
MAX_ENTRIES = 100  # of the audit log to look through

SENTENCES = {
    "customer.created": lazy_gettext("Your details were saved"),
    "customer.updated": lazy_gettext("Your details were changed"),
    "customer.adopted": lazy_gettext("Your details were changed"),
    "checkout.started": lazy_gettext("A page for saving a payment method was opened"),
    "setup.failed": lazy_gettext("A payment method was declined"),
    "setup.processing": lazy_gettext("A bank was asked to confirm an account"),
    "payment_method.saved": lazy_gettext("%(shown)s was saved"),
    "payment_method.removed": lazy_gettext("%(shown)s was removed"),
    "payment_method.updated": lazy_gettext("A card was renewed by its bank: %(after)s"),
    "default_method.changed": lazy_gettext("%(method)s became the default"),
    "default_method.kept": lazy_gettext("The default stayed as it was when %(shown)s was added"),
    "person.invited": lazy_gettext("A person was invited to this page"),
    "person.removed": lazy_gettext("A person was removed from this page"),
    "stripe_portal.opened": lazy_gettext("Your page at Stripe was opened"),
}


@frozen
class Line:
    """One thing that happened, and when."""

    at: datetime
    text: str


def recent(
    session: Session, customer_id: str, titles: Mapping[str, str], app_id: str | None = None
) -> list[Line]:
    """Return what happened to a customer lately, the newest first, except in other apps. No line repeats.

    `titles` has the titles of the customer's payment methods, by their ids.
    """
    entries = audit.page(session, audit.Filter(customer_id=customer_id), size=MAX_ENTRIES).rows
    found: list[Line] = []
    for entry in entries:
        text = _text(entry, titles) if entry.app_id in {None, app_id} else None
        if text is not None and (not found or found[-1].text != text):
            found.append(Line(entry.at, text))
    return found[:MAX_LINES]


def _text(entry: audit.Entry, titles: Mapping[str, str]) -> str | None:
    """Return the sentence of an entry; None for what a customer need not know."""
    sentence = SENTENCES.get(entry.kind)
    if sentence is None or "same_card" in entry.facts:
        return None
    named = titles.get(entry.facts.get("payment_method_id", ""))
    facts = entry.facts | ({"method": named, "shown": named} if named else {})
    try:
        return str(sentence) % facts
    except KeyError:
        return gettext("Your default payment method changed")
