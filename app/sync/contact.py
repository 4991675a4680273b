"""Telling Stripe a customer's name and email, once they have changed here; and learning what Stripe has."""

from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from app import payers
from app.gateway import Contact, CustomerFacts, SessionFacts, StripeGateway, StripeObjectMissing
from app.payers import Payer


@dataclass(frozen=True)
class DueContact:
    """The name and email that Stripe is to be told. None leaves Stripe's own; an empty text clears it."""

    name: str | None
    email: str | None
    stored: tuple[str, str | None]  # both as they were read

    @classmethod
    def due(cls, payer: Payer) -> "DueContact | None":
        """Read what is due; None when nothing is."""
        if not payer.is_contact_due:
            return None
        stored = _stored(payer)
        is_all = not payer.is_name_due and not payer.is_email_due
        return cls(
            name=stored[0] if payer.is_name_due or is_all else None,
            email=stored[1] or "" if payer.is_email_due or is_all else None,
            stored=stored,
        )

    def tell(
        self, stripe: StripeGateway, customer: CustomerFacts, alive: Callable[[], None]
    ) -> CustomerFacts:
        """Have Stripe take what differs there; what Stripe says of the customer then.

        Raises StripeRefused with Stripe's own words.
        """
        name = self.name if self.name != customer.name else None
        email = self.email if self.email != (customer.email or "") else None
        if customer.deleted or (name is None and email is None):
            return customer
        alive()
        with suppress(StripeObjectMissing):  # deleted there
            stripe.update_customer(customer.id, name=name, email=email)
        return customer.told(name=name, email=email)


def settle(payer: Payer, told: DueContact | None, refusal: str | None, *, asked_at: datetime) -> bool:
    """Note on a locked payer what came of telling Stripe. False while something is due still.

    The mark goes only when what was told is what is stored now, and nobody else may be telling Stripe
    something else.
    """
    if told is not None and told.stored == _stored(payer):
        payer.contact_refusal = refusal
        if payer.contact_until is None or payer.contact_until <= asked_at:
            payer.is_contact_due = payer.is_name_due = payer.is_email_due = False
            payer.contact_until = None
    return not payer.is_contact_due


def learn(session: Session, payer: Payer, facts: CustomerFacts, sessions: Iterable[SessionFacts]) -> bool:
    """Store how Stripe says a locked payer can be reached, and fill what we lack. Flushes.

    False when filling has to be tried again.
    """
    if facts.deleted:
        return True
    collected: Contact = {}
    for read in sorted(sessions, key=lambda read: read.created_at):
        collected |= read.collected
    payers.remember_contact(payer, facts.contact, collected)
    return payers.adopt_missing(session, payer)


def _stored(payer: Payer) -> tuple[str, str | None]:
    return payer.customer.name, payer.customer.primary_email
