"""The rows of the CSV file: all matches of the list, as many at a time as memory holds easily."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app import apps, customers
from app.console.customers.payment_columns import IS_DEFAULT, ranks
from app.console.customers.queries import CustomerQuery
from app.console.customers.search import ListRequest
from app.core import db
from app.core.database import statements
from app.customers import Customer
from app.payers import MethodDetails, Payer, PaymentMethod

BATCH_SIZE = 1_000
_CUSTOMER = [
    Customer.created_at,
    Customer.id,
    Customer.name,
    Customer.primary_email,
    Customer.key,
    Customer.currency,
    Customer.deleted_at,
]
_PAYMENT = [
    Payer.id.label("payer_id"),
    Payer.status,
    Payer.stripe_customer_id,
    Payer.verified_at,
    apps.App.stripe_account_id,
    apps.App.livemode,
]
_METHOD = [getattr(PaymentMethod, name) for name in MethodDetails._fields]


class FileRow(NamedTuple):
    """A customer with its payment in one app. Without a payer, all that follows `deleted_at` is None."""

    created_at: datetime
    id: str
    name: str
    primary_email: str | None
    key: str | None
    currency: str | None
    deleted_at: datetime | None
    payer_id: str | None
    status: str | None
    stripe_customer_id: str | None
    verified_at: datetime | None
    stripe_account_id: str | None
    is_live: bool | None
    method: str | None
    subject_keys: list[str]


def batches(engine: sa.Engine, asked: ListRequest, query: CustomerQuery) -> Iterator[list[FileRow]]:
    """Read all matches, the oldest first.

    Each batch is one transaction, so a slow reader holds nothing. A customer that is created or deleted
    meanwhile may or may not be among them. No customer appears twice.
    """
    behind: tuple[datetime, str] | None = None
    while True:
        with Session(engine) as session:
            db.force_custom_plan(session)
            statements.read_by_index(session)
            found = _read(session, asked, query, behind)
        if found:
            yield found
        if len(found) < BATCH_SIZE:
            return
        behind = (found[-1].created_at, found[-1].id)


def _read(
    session: Session, asked: ListRequest, query: CustomerQuery, behind: tuple[datetime, str] | None
) -> list[FileRow]:
    """The next rows. They are read through the connection: a session would make each value an object's."""
    rows = session.connection().execute(_statement(asked, query, behind)).all()
    first: dict[str, sa.Row[Any]] = {}
    for row in rows:
        first.setdefault(row[1], row)  # of several apps, the first is shown
    subjects = customers.subject_keys_of(session, list(first))
    width = len(_CUSTOMER) + len(_PAYMENT)
    return [
        FileRow._make([*row[:width], _title(row[width:]), subjects.get(id_, [])])
        for id_, row in first.items()
    ]


def _statement(
    asked: ListRequest, query: CustomerQuery, behind: tuple[datetime, str] | None
) -> sa.Select[Any]:
    key = (Customer.created_at, Customer.id)
    batch = sa.select(*_CUSTOMER).where(*query.conditions).order_by(*key).limit(BATCH_SIZE)
    if behind:
        batch = batch.where(sa.tuple_(*key) > behind)
    them = batch.subquery()
    return (
        sa.select(*them.c, *_PAYMENT, *_METHOD)
        .select_from(them)
        .outerjoin(Payer, sa.and_(Payer.customer_id == them.c.id, Payer.deleted_at.is_(None)))
        .outerjoin(apps.App, apps.App.id == Payer.app_id)
        .outerjoin(PaymentMethod, IS_DEFAULT)
        .order_by(them.c.created_at, them.c.id, *ranks(asked))
    )


def _title(method: tuple[Any, ...]) -> str | None:
    return None if method[0] is None else MethodDetails(*method).title
