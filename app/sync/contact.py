"""Send Stripe a customer's name and email after they change here, and store what Stripe has."""

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from app import payers
from app.gateway import (
    Contact,
    CustomerFacts,
    SessionFacts,
    StripeGateway,
    StripeObjectMissing,
    StripeRefused,
)
from app.payers import Payer
from app.sync.state import Heartbeat, StripeState


@dataclass(frozen=True)
class DueContact:
    """The name and email to send to Stripe. None leaves Stripe's value; an empty text clears it."""

    name: str | None
    email: str | None
    stored: tuple[str, str | None]  # both, as we read them

    @classmethod
    def due(cls, payer: Payer) -> "DueContact | None":
        """Return what is due, or None."""
        if not payer.is_contact_due:
            return None
        stored = _stored(payer)
        is_all = not payer.is_name_due and not payer.is_email_due
        return cls(
            name=stored[0] if payer.is_name_due or is_all else None,
            email=stored[1] or "" if payer.is_email_due or is_all else None,
            stored=stored,
        )


def tell_contact(
    stripe: StripeGateway, due: DueContact | None, state: StripeState, heartbeat: Heartbeat
) -> None:
    """Send Stripe the name and email that are due and differ there.

    Stripe's refusal of an email must not stop us from storing everything else, so note it in the state.
    """
    customer = state.customer
    if due is None or customer.deleted:
        return
    name = due.name if due.name != customer.name else None
    email = due.email if due.email != (customer.email or "") else None
    if name is None and email is None:
        return
    heartbeat()
    try:
        with suppress(StripeObjectMissing):  # somebody deleted the customer at Stripe
            stripe.update_customer(customer.id, name=name, email=email)
    except StripeRefused as error:
        state.contact_refusal = error.detail
    else:
        state.customer = customer.told(name=name, email=email)


def settle(payer: Payer, sent: DueContact | None, refusal: str | None, *, asked_at: datetime) -> bool:
    """Note on a locked payer what Stripe has by now. Return False while something is still due.

    Remove the mark only when we sent the values that are stored now, and nobody else may be sending others.
    """
    if sent is not None and sent.stored == _stored(payer):
        payer.contact_refusal = refusal
        if payer.contact_until is None or payer.contact_until <= asked_at:
            payer.is_contact_due = payer.is_name_due = payer.is_email_due = False
            payer.contact_until = None
    return not payer.is_contact_due


def learn(session: Session, payer: Payer, facts: CustomerFacts, sessions: Iterable[SessionFacts]) -> bool:
    """Store Stripe's contact details of a locked payer, and fill in what we lack. Flushes.

    Return False when somebody was changing the customer, so the caller must try again.
    """
    if facts.deleted:
        return True
    collected: Contact = {}
    for facts_of in sorted(sessions, key=lambda facts: facts.created_at):
        collected |= facts_of.collected
    payers.remember_contact(payer, facts.contact, collected)
    return payers.adopt_missing(session, payer)


def _stored(payer: Payer) -> tuple[str, str | None]:
    return payer.customer.name, payer.customer.primary_email
