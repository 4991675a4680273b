"""Send Stripe a customer's details after they change here, and store what Stripe has."""

from contextlib import suppress
from dataclasses import asdict

from app import payers
from app.core.reference.tax_ids import TaxNumber
from app.core.values import frozen
from app.gateway import (
    BillingDetails,
    Contact,
    StripeGateway,
    StripeObjectMissing,
    StripePermissionMissing,
    StripeRefused,
)
from app.payers import Payer
from app.sync.convergence.state import Heartbeat, StripeState

TAX_ID_REFUSAL = "Tax id: "  # begins what Stripe says against one
Stored = tuple[str, str | None, BillingDetails]


@frozen
class DueContact:
    """The details to send to Stripe. None leaves Stripe's value; an empty text clears it."""

    name: str | None
    email: str | None
    details: BillingDetails | None
    told_tax_id: TaxNumber | None  # that Stripe has from us
    stored: Stored  # all of them, as we read them

    @classmethod
    def due(cls, payer: Payer) -> "DueContact | None":
        """Return what is due, or None."""
        if not payer.is_contact_due:
            return None
        stored = _stored(payer)
        is_all = not payer.is_name_due and not payer.is_email_due and not payer.are_details_due
        return cls(
            name=stored[0] if payer.is_name_due or is_all else None,
            email=stored[1] or "" if payer.is_email_due or is_all else None,
            details=stored[2] if payer.are_details_due else None,
            told_tax_id=TaxNumber(**payer.told_tax_id) if payer.told_tax_id else None,
            stored=stored,
        )


def tell_contact(
    stripe: StripeGateway, due: DueContact | None, state: StripeState, heartbeat: Heartbeat
) -> None:
    """Send Stripe the name and email that are due and differ there, and the details that are due.

    Stripe's refusal of an email must not stop us from storing everything else, so note it in the state.
    """
    customer = state.customer
    if due is None or customer.deleted:
        return
    name = due.name if due.name != customer.contact.get("name") else None
    email = due.email if due.email != customer.contact.get("email", "") else None
    details = due.details
    if name is None and email is None and details is None:
        return
    heartbeat()
    try:
        with suppress(StripeObjectMissing):  # somebody deleted the customer at Stripe
            stripe.update_customer(customer.id, name=name, email=email, details=details)
    except StripeRefused as error:
        state.contact_refusal = error.detail
    else:
        state.customer = customer.with_contact(name=name, email=email, details=details)
    if details is not None and details.tax_id != due.told_tax_id:
        _tell_tax_id(stripe, due.told_tax_id, details.tax_id, state, heartbeat)


def _tell_tax_id(
    stripe: StripeGateway,
    old: TaxNumber | None,
    new: TaxNumber | None,
    state: StripeState,
    heartbeat: Heartbeat,
) -> None:
    heartbeat()
    try:
        with suppress(StripeObjectMissing):
            stripe.replace_tax_id(state.customer.id, old, new)
        state.is_tax_id_sent = True
    except StripeRefused as error:
        state.contact_refusal = state.contact_refusal or f"{TAX_ID_REFUSAL}{error.detail}"
    except StripePermissionMissing as error:  # a restricted key may lack it: everything else is stored
        state.contact_refusal = state.contact_refusal or error.detail


def settle(payer: Payer, sent: DueContact | None, state: StripeState) -> bool:
    """Note on a locked payer what Stripe has now. Return False while something is still due.

    Remove the mark only when we sent the values that are stored now.
    """
    if sent is not None and sent.details is not None and state.is_tax_id_sent:
        payer.told_tax_id = asdict(sent.details.tax_id) if sent.details.tax_id else None
    if sent is not None and sent.stored == _stored(payer):
        payer.contact_refusal = state.contact_refusal
        if sent.details is not None:
            payers.forget_collected(payer, tax_ids=state.is_tax_id_sent)
        payer.is_contact_due = payer.is_name_due = payer.is_email_due = payer.are_details_due = False
    return not payer.is_contact_due


def learn(payer: Payer, state: StripeState) -> None:
    """Store Stripe's contact details of a locked payer."""
    collected: Contact = {}
    for facts in sorted(filter(None, state.sessions.values()), key=lambda facts: facts.created_at):
        collected |= facts.collected
    payers.remember_contact(payer, state.customer.contact, collected)


def _stored(payer: Payer) -> Stored:
    return payer.customer.name, payer.customer.primary_email, payers.billing_details(payer.customer)
