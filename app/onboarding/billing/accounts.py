"""The other Stripe accounts in which a customer has payment methods. The billing page shows one at a time."""

from flask import url_for
from sqlalchemy.orm import Session

from app import apps, payers, portal
from app.core.config import settings
from app.core.values import frozen
from app.onboarding import account_profile
from app.onboarding.billing.access import Access
from app.payers import Payer


@frozen
class Account:
    """One account, as the billing page of another one names it."""

    company: str
    titles: list[str]  # of its payment methods, the default first
    is_test: bool  # where payments are not all simulated
    url: str  # the billing page of this account


def others(session: Session, access: Access, shown: apps.App | None) -> list[Account]:
    """Return the accounts besides the shown one. Guests see none."""
    if access.is_guest or not portal.has_several_apps():
        return []
    held = payers.all_of_customer(session, access.customer.id)
    return [_describe(session, access, each) for each in held if each.app is not shown and _has_methods(each)]


def _has_methods(payer: Payer) -> bool:
    """Is a payment method saved there, as far as we know?"""
    is_there = payer.stripe_customer_id is not None and payer.stripe_deleted_at is None
    return is_there and payer.app.deleted_at is None and bool(payer.attached_methods)


def _describe(session: Session, access: Access, payer: Payer) -> Account:
    published = portal.published()
    slug = published.slug_of(account_profile.slug_of(session, payer, access.profile))
    methods = sorted(
        payer.attached_methods, key=lambda row: (row.id == payer.default_method_id, row.created_at)
    )
    return Account(
        company=published.profiles[slug].brand.company_name,
        titles=[row.local_title for row in reversed(methods)],
        is_test=not payer.app.livemode and not settings().is_simulated,
        url=url_for("billing.page", customer=payer.customer_id, app=payer.app_id),
    )
