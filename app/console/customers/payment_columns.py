"""The payment columns of the customers page and the file."""

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import InstrumentedAttribute, Session

from app import apps
from app.console.customers.search import ListRequest
from app.core.values import frozen
from app.payers import Payer, PaymentMethod

IS_DEFAULT = sa.and_(  # the method is the payer's default, and attached
    PaymentMethod.app_id == Payer.app_id,
    PaymentMethod.id == Payer.default_method_id,
    PaymentMethod.payer_id == Payer.id,
    PaymentMethod.detached_at.is_(None),
)


@frozen(kw_only=True)
class Payment:
    """A customer's payment in one app; `others` holds its further apps."""

    app: apps.App
    stripe_customer_id: str | None  # None: not at Stripe yet
    status: str | None
    verified_at: datetime | None
    method: str | None
    others: tuple["Payment", ...] = ()

    @property
    def url(self) -> str:
        """Where Stripe shows it."""
        return apps.dashboard_url(self.app, "customer", self.stripe_customer_id or "")


def ranks(asked: ListRequest) -> tuple[sa.ColumnElement[Any] | InstrumentedAttribute[Any], ...]:
    """The order of a customer's payers, the one to show first.

    Of several apps it is the one that was asked for, else one with the status that was asked for, else the
    default one, else the oldest.
    """
    return (
        Payer.app_id != (asked.app_id or ""),
        sa.func.coalesce(Payer.status, "") != (asked.status or ""),
        sa.not_(apps.App.is_default),
        Payer.id,
    )


def payments(session: Session, asked: ListRequest, ids: Collection[str]) -> dict[str, Payment]:
    """The payment of each of these customers that has one, by the customer's id."""
    query = (
        sa.select(Payer.customer_id, Payer.stripe_customer_id, Payer.status, Payer.verified_at)
        .add_columns(apps.App, PaymentMethod)
        .join(apps.App, Payer.app_id == apps.App.id)
        .outerjoin(PaymentMethod, IS_DEFAULT)
        .where(Payer.customer_id.in_(ids), Payer.deleted_at.is_(None))
        .order_by(*ranks(asked))
    )
    found: dict[str, list[Payment]] = {}
    for customer_id, stripe_customer_id, status, verified_at, app, method in session.execute(query):
        found.setdefault(customer_id, []).append(
            Payment(
                app=app,
                stripe_customer_id=stripe_customer_id,
                status=status,
                verified_at=verified_at,
                method=method.title if method else None,
            )
        )
    return {customer_id: _first(of_one) for customer_id, of_one in found.items()}


def _first(of_one: list[Payment]) -> Payment:
    first, *others = of_one
    return replace(first, others=tuple(others))
