"""Finds contact details that differ at Stripe, and adopts Stripe's.

A change made here is sent to Stripe (`contact.py`). A change made at Stripe is adopted at once where we have
no value, and otherwise when an operator asks for it. While our own change is due, the two can't be compared.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app import customers
from app.core.reference.tax_ids import TaxNumber
from app.core.values import frozen
from app.gateway import Contact, contact_of
from app.payers.contact import mark_contact
from app.payers.models import Payer
from app.web.input.visible import is_visible

LABELS = {
    "name": "Name",
    "primary_email": "Email",
    "address": "Address",
    "phone": "Phone",
    "tax_id": "Tax id",
}
DETAILS = {"address", "phone", "tax_id"}  # of them, what `BillingDetails` holds
MAX_LENGTHS = {"name": 256, "primary_email": 254}
CONTACT = ("name", "email", "phone", "address")  # in the stored contact, as Stripe calls them
TAX_IDS = "tax_ids"  # that Checkout collected, each with its type
COLLECTED = "collected"  # in the stored contact: what Checkout asked for and Stripe's customer may lack


@frozen(kw_only=True)
class Difference:
    """A detail that has another value at Stripe."""

    part: str  # of a customer: "name", or one of `customers.ADOPTABLE`
    ours: str
    theirs: str
    value: Any  # Stripe's, as a customer holds it
    is_adoptable: bool

    @property
    def label(self) -> str:
        """What people call it."""
        return LABELS[self.part]


def remember_contact(payer: Payer, contact: Contact, collected: Contact) -> None:
    """Store the contact details that Stripe has for a locked payer. Keep what Checkout collected earlier."""
    known = (payer.stripe_contact or {}).get(COLLECTED, {})
    merged = known | collected
    new = dict(contact) | ({COLLECTED: merged} if merged else {})
    if new != payer.stripe_contact:
        payer.stripe_contact = new


def forget_collected(payer: Payer, *, tax_ids: bool) -> None:
    """Forget the address and phone that Checkout collected, and perhaps its tax ids.

    Stripe has ours by now. If we kept them, an address that was cleared here would come back.
    """
    known = payer.stripe_contact or {}
    if known.get(COLLECTED):
        gone = {*CONTACT, *([TAX_IDS] if tax_ids else [])}
        kept = {part: value for part, value in known[COLLECTED].items() if part not in gone}
        payer.stripe_contact = known | {COLLECTED: kept}


def has_other_contact(payer: Payer, snapshot: dict[str, Any]) -> bool:
    """Does the customer in an event differ from what we stored, in any detail that the event has?

    If we never asked Stripe about this customer, compare it with what we sent.
    """
    held, said = payer.customer, contact_of(snapshot)
    told = {"name": held.name, "email": held.primary_email or None}
    known = told if payer.stripe_contact is None else payer.stripe_contact
    return any(known.get(part) != said.get(part) for part in CONTACT if part in snapshot)


def differences(payer: Payer) -> list[Difference]:
    """List the details that differ at Stripe. The list is empty while our own change is due there."""
    if payer.stripe_contact is None or payer.is_contact_due or payer.stripe_deleted_at or payer.deleted_at:
        return []
    held = customers.details_of(payer.customer)
    found = []
    for part, theirs in _at_stripe(payer).items():
        ours = held.part(part)
        if part == "tax_id" and ours in payer.tax_ids:  # Stripe may have several
            continue
        if theirs == ours or (part != "primary_email" and theirs is None):
            continue
        found.append(
            Difference(
                part=part,
                ours=_shown(ours),
                theirs=_shown(theirs),
                value=theirs,
                is_adoptable=_fits(part, theirs),
            )
        )
    return found


def adopt(
    session: Session, customer: customers.Customer, payer: Payer, parts: Mapping[str, str], *, actor: str
) -> list[Difference]:
    """Adopt Stripe's details for a locked customer, and return those that were adopted. Flushes.

    `parts` maps each detail to the value of Stripe's that the operator saw. A detail that has changed since
    is skipped. Other apps get the adopted details, too.
    """
    session.refresh(payer)
    found = [
        each
        for each in differences(payer)
        if each.is_adoptable and each.part in parts and parts[each.part].split() == each.theirs.split()
    ]
    if found:
        _take(session, customer, payer, found, actor=actor, is_unasked=False)
        session.flush()
    return found


def adopt_missing(session: Session, those: Iterable[Payer]) -> set[str]:
    """Fill in what the customers of locked payers lack from what Stripe has. Never overwrite anything.

    Return the ids of payers that were skipped because someone is changing their customers. To wait for them
    could deadlock.
    """
    lacking = [payer for payer in those if _missing(payer)]
    if not lacking:
        return set()
    locked = session.scalars(
        sa.select(customers.Customer)
        .where(customers.Customer.id.in_([payer.customer_id for payer in lacking]))
        .order_by(customers.Customer.id)
        .with_for_update(skip_locked=True, key_share=True)
        .execution_options(populate_existing=True)
    ).all()
    for payer in lacking:
        found = _missing(payer)
        if payer.customer in locked and found and payer.customer.deleted_at is None:
            _take(session, payer.customer, payer, found, actor="stripe", is_unasked=True)
    return {payer.id for payer in lacking if payer.customer not in locked}


def _missing(payer: Payer) -> list[Difference]:
    return [each for each in differences(payer) if each.is_adoptable and not each.ours]


def _take(
    session: Session,
    customer: customers.Customer,
    payer: Payer,
    found: list[Difference],
    *,
    actor: str,
    is_unasked: bool,
) -> None:
    values = {each.part: each.value for each in found}
    customers.adopt(session, customer, values, actor=actor, app_id=payer.app_id, is_unasked=is_unasked)
    others = sa.and_(Payer.customer_id == customer.id, Payer.id != payer.id)
    if "tax_id" in values:
        _replace_tax_id(session, payer, TaxNumber.of(values["tax_id"]))
    mark_contact(
        session,
        others,
        name="name" in values,
        email="primary_email" in values,
        details=bool(DETAILS & set(values)),
    )


def _replace_tax_id(session: Session, payer: Payer, number: TaxNumber) -> None:
    """Note that Stripe has this tax id. If it has one from us, too, replace that, unless details differ."""
    if payer.told_tax_id is None:
        payer.told_tax_id = {"type": number.type or "", "value": number.value}
    elif not DETAILS & {each.part for each in differences(payer)}:
        mark_contact(session, Payer.id == payer.id, details=True)


def _at_stripe(payer: Payer) -> dict[str, Any]:
    """Return Stripe's values in the form in which a customer holds them."""
    contact = payer.stripe_contact or {}
    collected = contact.get(COLLECTED, {})
    return {
        "name": contact.get("name"),
        "primary_email": contact.get("email"),
        "address": contact.get("address") or collected.get("address"),
        "phone": contact.get("phone") or collected.get("phone"),
        "tax_id": next(reversed(payer.tax_ids), None),
    }


def _fits(part: str, value: Any) -> bool:
    """May a customer hold this value?"""
    if not isinstance(value, str):
        return True
    if part == "tax_id" and TaxNumber.of(value).type in {None, "unknown"}:
        return False
    is_one_line = not any(character in value for character in "\r\n\t")
    return is_one_line and len(value) <= MAX_LENGTHS.get(part, 500) and is_visible(value)


def _shown(value: Any) -> str:
    return ", ".join(value.values()) if isinstance(value, dict) else value or ""
