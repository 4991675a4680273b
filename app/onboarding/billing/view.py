"""What the billing page shows to one browser."""

from collections.abc import Callable
from datetime import datetime

from sqlalchemy.orm import Session

from app import apps, checkout, payers, portal, sync
from app.core import db
from app.core.db import utcnow
from app.core.errors import NotFound
from app.core.reference import countries
from app.core.values import frozen
from app.customers import NOT_APPROVED, InvoiceDetails
from app.onboarding.billing import activity
from app.onboarding.billing.access import Access
from app.onboarding.browsers.visit import requested_app
from app.payers import EXPIRING, Payer, PaymentMethod
from app.web import languages


@frozen(kw_only=True)
class MethodLine:
    """One payment method, and what this browser may do with it."""

    method: PaymentMethod
    is_default: bool
    is_expired: bool
    is_expiring: bool
    may_choose: bool
    may_remove: bool

    @property
    def is_being_removed(self) -> bool:
        """Was Stripe asked to remove it, without an answer yet?"""
        return self.method.is_being_removed


@frozen(kw_only=True)
class Confirmation:
    """A bank account that the customer has to confirm at Stripe."""

    since: datetime
    url: str | None  # Stripe's page, where it gave one


@frozen(kw_only=True)
class BillingPage:
    """Everything that the page shows."""

    access: Access
    app: apps.App | None  # None: no app is installed
    payer: Payer | None  # None: not at Stripe yet
    lines: list[MethodLine]
    has_hidden: bool  # there are methods that this browser must not see
    confirmations: list[Confirmation]
    choice: PaymentMethod | None  # the customer is asked whether it should be the default
    recent: list[activity.Line]
    is_checked: bool  # it is Stripe's word of just now

    @property
    def awaits_approval(self) -> bool:
        """Does Stripe stay closed, because no operator has approved the sign-up?"""
        return self.access.customer.approval in NOT_APPROVED

    @property
    def contact(self) -> dict[str, str]:
        """The name, email and phone that Stripe has, else those that it will get."""
        customer, known = self.access.customer, (self.payer.stripe_contact or {}) if self.payer else {}
        given = {"name": customer.name, "email": customer.primary_email}
        found = {part: known.get(part) or given.get(part) for part in ("name", "email", "phone")}
        return {part: str(value) for part, value in found.items() if value}

    @property
    def tax_ids(self) -> list[str]:
        """Our tax id, and those that Stripe's page asked for."""
        own = InvoiceDetails.of(self.access.customer.invoice_details).tax_text
        return list(dict.fromkeys([*([own] if own else []), *(self.payer.tax_ids if self.payer else [])]))

    @property
    def address(self) -> list[str]:
        """The lines of the billing address that Stripe has."""
        known = (self.payer.stripe_contact or {}) if self.payer else {}
        found = known.get("address") or known.get("collected", {}).get("address") or {}
        language = str(languages.current())
        post, city, state = (found.get(part) for part in ("postalCode", "city", "state"))
        lines = [found.get("line1"), found.get("line2")]
        country = countries.name(str(found.get("country") or ""), language)
        if language == "ja" and found.get("country") == "JP":  # from the large to the small
            parts = [post, _joined(state, city), *lines, country]
        else:
            parts = [*lines, _joined(post, city), state, country]
        return [str(part) for part in parts if part]


def _joined(*words: str | None) -> str:
    return " ".join(filter(None, words))


def build(session: Session, access: Access) -> BillingPage:
    """Ask Stripe if our record is not fresh, then read what this browser may see. Commits."""
    app, payer = place(session, access)
    is_checked = True
    if payer is not None:
        db.end_read(session)
        is_checked = sync.refresh(session, payer.id)
        if payer.deleted_at is not None:  # unbound meanwhile, so there is nothing to ask about
            payer, is_checked = None, True
    return BillingPage(
        access=access,
        app=app,
        payer=payer,
        lines=lines(payer, access) if payer else [],
        has_hidden=payer is not None and any(not access.sees(row) for row in payer.attached_methods),
        confirmations=_confirmations(session, payer, access) if payer else [],
        choice=open_choice(payer, access.sees) if payer else None,
        recent=[]
        if access.is_guest
        else activity.recent(session, access.customer.id, titles(payer), app.id if app else None),
        is_checked=is_checked,
    )


def place(session: Session, access: Access) -> tuple[apps.App | None, Payer | None]:
    """Return the app that the address names, and the payer that is at Stripe there."""
    try:
        app = requested_app(session)
    except NotFound:  # no app is installed
        return None, None
    payer = payers.of_customer(session, app.id, access.customer.id)
    is_there = payer is not None and payer.stripe_customer_id is not None and not payer.stripe_deleted_at
    return app, payer if is_there else None


def lines(payer: Payer, access: Access) -> list[MethodLine]:
    """Return the methods that a browser may see: the default first, then the newest."""
    seen = [row for row in payer.attached_methods if access.sees(row)]
    seen.sort(key=lambda row: (row.id == payer.default_method_id, row.created_at), reverse=True)
    return [_line(payer, row, access) for row in seen]


def _line(payer: Payer, method: PaymentMethod, access: Access) -> MethodLine:
    end, now = method.expires_at, utcnow()
    is_expired = end is not None and now >= end
    return MethodLine(
        method=method,
        is_default=method.id == payer.default_method_id,
        is_expired=is_expired,
        is_expiring=end is not None and end - EXPIRING <= now < end,
        may_choose=not is_expired and may_choose(payer, method, access),
        may_remove=not method.is_being_removed and may_remove(payer, method, access),
    )


def may_choose(payer: Payer, method: PaymentMethod, access: Access) -> bool:
    """May this browser make a method the default?

    A guest with the policy `keep` may not replace a default that it can't see.
    """
    if method.id == payer.default_method_id or method.is_being_removed:
        return False
    return access.sees_default(payer) or portal.current_profile().payment_method_policy != "keep"


def may_remove(payer: Payer, method: PaymentMethod, access: Access) -> bool:
    """May this browser remove a method, as far as what stays allows it?"""
    others = [row for row in payer.attached_methods if row is not method and not row.is_being_removed]
    if not others:
        return portal.current_profile().billing.may_remove_last
    if (
        is_usable(method)
        and not any(map(is_usable, others))
        and not portal.current_profile().billing.may_remove_last
    ):
        return False
    return method.id != payer.default_method_id or bool(successors(payer, method, access))


def successors(payer: Payer, method: PaymentMethod, access: Access) -> list[PaymentMethod]:
    """Return the methods that can become the default when this one is removed, the newest first."""
    fit = [row for row in payer.attached_methods if row is not method and not row.is_being_removed]
    seen = [row for row in fit if access.sees(row) and is_usable(row)]
    return sorted(seen, key=lambda row: row.created_at, reverse=True)


def is_usable(method: PaymentMethod) -> bool:
    """Is a method not expired, and not given up by its bank?"""
    end = method.expires_at
    return (end is None or utcnow() < end) and method.mandate_status != "inactive"


def open_choice(payer: Payer, sees: Callable[[PaymentMethod], bool]) -> PaymentMethod | None:
    """Return the method that was saved last, if the customer is to choose between it and the default.

    With the policy `ask` nothing else changes the default meanwhile.
    """
    default = payer.default_method
    if portal.current_profile().payment_method_policy != "ask" or default is None:
        return None
    newest = max(payer.attached_methods, key=lambda row: (row.created_at, row.id))
    is_open = newest is not default and newest.declined_as_default_at is None and not newest.is_being_removed
    is_new = newest.created_at >= default.created_at and not newest.is_same_as(default)
    return newest if is_open and is_new and is_usable(newest) and sees(newest) else None


def titles(payer: Payer | None) -> dict[str, str]:
    """Return what the reader calls each payment method, those that are gone included, by their ids."""
    return {row.id: row.local_title for row in payer.methods} if payer else {}


def _confirmations(session: Session, payer: Payer, access: Access) -> list[Confirmation]:
    found = []
    for row in checkout.unsettled(session, payer.id):
        is_hidden = access.is_guest and row.created_at < access.since
        if row.awaits_microdeposits and row.status == "complete" and not is_hidden:
            found.append(Confirmation(since=row.created_at, url=row.microdeposit_url))
    return found
