"""The database."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from app import db
from app.customers import Customer
from app.db import is_id, new_id

BERLIN = timezone(timedelta(hours=2))


def test_gives_times_back_in_utc(session: Session) -> None:
    session.add(Customer(name="Ada", created_at=datetime(2026, 5, 1, 12, tzinfo=BERLIN)))
    session.commit()
    session.expire_all()

    [customer] = session.scalars(sa.select(Customer))
    assert customer.created_at == datetime(2026, 5, 1, 10, tzinfo=UTC)
    assert customer.created_at.tzinfo is UTC
    assert customer.deleted_at is None


def test_refuses_a_time_without_a_zone(session: Session) -> None:
    session.add(Customer(name="Ada", created_at=datetime(2026, 5, 1)))  # noqa: DTZ001 (the point of it)

    with pytest.raises(sa.exc.StatementError, match="a time without a zone"):
        session.flush()

    session.rollback()


def test_does_not_end_a_reading_that_wrote(session: Session) -> None:
    session.add(Customer(name="Ada"))

    with pytest.raises(RuntimeError, match="unsaved changes"):
        db.end_read(session)

    session.rollback()
    assert session.scalars(sa.select(Customer)).all() == []


def test_keeps_rows_that_point_at_each_other_together(session: Session) -> None:
    statement = sa.text(
        "INSERT INTO signup (customer_id, browser_hash, created_at) VALUES ('x', 'y', '2026-01-01')"
    )

    with pytest.raises(sa.exc.IntegrityError):
        session.execute(statement)

    session.rollback()


def test_ids_sort_by_time() -> None:
    ids = [new_id() for _ in range(3)]

    assert all(is_id(made) for made in ids)
    assert len(set(ids)) == 3


@pytest.mark.parametrize(
    "text", ["", "x", "\x00" * 26, "8" * 26, "01j" + "0" * 23, "0" * 27, "0" * 25 + "U", "0" * 26 + "\n"]
)
def test_knows_what_is_no_id(text: str) -> None:
    assert not is_id(text)
