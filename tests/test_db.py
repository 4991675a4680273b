"""The database keeps its word: times are instants, transactions are real, and writers wait for each other."""

import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.exc import IntegrityError, OperationalError, StatementError
from sqlalchemy.orm import Session

from app import create_app
from app.audit import Entry
from app.core import db
from app.core.config import Settings
from app.core.database.rows import update_if
from app.customers import Customer
from app.customers.models import SubjectKey
from tests.conftest import make_settings
from tests.support.cases import for_each
from tests.support.rows import Rows

TOKYO = timezone(timedelta(hours=9))


def test_gives_a_time_back_as_the_same_instant_in_utc(bare_app: Flask) -> None:
    noon = datetime(2026, 3, 1, 12, 30, 15, 123456, tzinfo=TOKYO)
    with bare_app.app_context():
        session = db.session()
        session.add(Customer(id="1", name="Ada", created_at=noon, deleted_at=None))
        session.commit()

    with bare_app.app_context():
        found = db.session().get_one(Customer, "1")

    assert found.created_at == noon
    assert found.created_at.utcoffset() == timedelta(0)
    assert found.deleted_at is None


def test_refuses_a_time_without_a_zone(bare_app: Flask) -> None:
    with bare_app.app_context():
        session = db.session()
        session.add(Customer(id="1", name="Ada", created_at=datetime(2026, 3, 1)))  # noqa: DTZ001

        with pytest.raises(StatementError, match="a time without a zone"):
            session.flush()


def test_compares_times_across_zones(bare_app: Flask) -> None:
    with bare_app.app_context():
        session = db.session()
        session.add(Customer(id="1", name="Ada", created_at=datetime(2026, 3, 1, 12, tzinfo=UTC)))
        session.commit()

        later = sa.select(Customer.id).where(Customer.created_at < datetime(2026, 3, 1, 22, tzinfo=TOKYO))

        assert session.scalars(later).all() == ["1"]


def test_makes_ids_that_sort_by_time() -> None:
    made = [db.new_id() for _ in range(50)]

    assert len(set(made)) == 50
    assert [one[:10] for one in made] == sorted(one[:10] for one in made)
    assert all(db.is_id(one) for one in made)


@for_each(
    "text", ["", "x", "\x00" * 26, "8" * 26, "01j" + "0" * 23, "0" * 27, "0" * 25 + "U", "0" * 26 + "\n"]
)
def test_knows_what_is_no_id(text: str) -> None:
    assert not db.is_id(text)


def test_ends_no_reading_that_has_changed_something(bare_app: Flask) -> None:
    with bare_app.app_context():
        session = db.session()
        session.add(Customer(id="1", name="Ada"))

        with pytest.raises(RuntimeError, match="unsaved changes"):
            db.end_read(session)


def test_holds_nothing_after_a_reading_has_ended(bare_app: Flask) -> None:
    with bare_app.app_context():
        session = db.session()
        session.scalars(sa.select(Customer)).all()

        db.end_read(session)

        assert not session.in_transaction()


def test_leaves_what_was_read_usable_after_a_reading_has_ended(bare_app: Flask) -> None:
    with bare_app.app_context():
        session = db.session()
        session.add(Customer(id="1", name="Ada", subjects=[SubjectKey(key="ada-1")]))
        session.commit()
    with bare_app.app_context():
        session = db.session()
        customer = session.get_one(Customer, "1")

        db.end_read(session)

        assert (customer.name, customer.subject_keys) == ("Ada", ["ada-1"])
        assert not session.in_transaction()


def test_forgets_what_was_not_committed_when_the_context_ends(bare_app: Flask, rows: Rows) -> None:
    with bare_app.app_context():
        session = db.session()
        session.add(Customer(id="1", name="Ada"))
        session.flush()

    assert rows(Customer) == []


def test_keeps_values_out_of_its_errors(bare_app: Flask) -> None:
    with bare_app.app_context(), pytest.raises(sa.exc.DBAPIError) as refused:
        db.session().execute(sa.text("SELECT name FROM nowhere WHERE name = :name"), {"name": "Ada Lovelace"})

    assert "nowhere" in str(refused.value)
    assert "Ada" not in str(refused.value)


def test_enforces_foreign_keys(bare_app: Flask) -> None:
    with bare_app.app_context():
        session = db.session()
        session.add(SubjectKey(customer_id="nobody", key="ada-1"))

        with pytest.raises(IntegrityError):
            session.flush()


def test_lets_writers_wait_for_each_other_even_if_they_read_first(bare_app: Flask, rows: Rows) -> None:
    """On SQLite a transaction that began by reading could no longer become a writer."""
    together = threading.Barrier(8)

    def write(number: int) -> None:
        with bare_app.app_context():
            session = db.session()
            together.wait()
            for turn in range(5):
                db.start_write(session)
                session.scalars(sa.select(sa.func.count()).select_from(Entry)).one()
                session.add(Entry(kind="test", actor="test", facts={"who": f"{number}-{turn}"}))
                session.commit()

    with ThreadPoolExecutor(8) as pool:
        for future in [pool.submit(write, number) for number in range(8)]:
            future.result()

    assert len([entry for entry in rows(Entry) if entry.kind == "test"]) == 40


def test_a_write_sees_what_was_committed_since_the_reading_before_it(bare_app: Flask, rows: Rows) -> None:
    count = sa.select(sa.func.count()).select_from(Customer)
    with bare_app.app_context():
        session = db.session()
        session.scalars(count).one()
        with db.engine().begin() as rival:
            rival.execute(sa.insert(Customer).values(id="1", name="Ada"))

        db.start_write(session)
        seen = session.scalars(count).one()
        session.add(Customer(id="2", name="Eve"))
        session.commit()

    assert seen == 1
    assert {customer.id for customer in rows(Customer)} == {"1", "2"}


def test_a_write_does_not_commit_what_came_before_it(bare_app: Flask) -> None:
    with bare_app.app_context():
        session = db.session()
        session.scalars(sa.select(Customer)).all()
        session.add(Customer(id="1", name="Ada"))

        with pytest.raises(RuntimeError):
            db.start_write(session)


def test_updates_a_row_only_as_long_as_it_is_as_expected(bare_app: Flask, rows: Rows) -> None:
    with bare_app.app_context():
        session = db.session()
        session.add_all([ada := Customer(id="1", name="Ada"), Customer(id="2", name="Ada")])
        session.commit()

        is_ada = Customer.name == "Ada"
        first = update_if(session, ada, is_ada, values={"name": "Eve", "description": Customer.name})
        second = update_if(session, ada, is_ada, values={"name": "Bob"})
        session.commit()

    assert first is not None
    assert second is None
    assert (ada.name, ada.description) == ("Eve", "Ada")  # as the database has it
    assert {customer.name for customer in rows(Customer)} == {"Eve", "Ada"}  # and not the other one


def test_lets_readers_read_while_somebody_writes(bare_app: Flask) -> None:
    with bare_app.app_context(), db.engine().connect() as reader:
        session = db.session()
        db.start_write(session)
        session.add(Customer(id="1", name="Ada"))
        session.flush()

        seen = reader.scalar(sa.select(sa.func.count()).select_from(Customer))

        assert seen == 0


def test_keeps_json_as_it_was(bare_app: Flask, rows: Rows) -> None:
    facts = {"é": "ü", "quote": "'\"", "empty": ""}
    with bare_app.app_context():
        session = db.session()
        session.add(Entry(kind="json", actor="test", facts=facts))
        session.commit()

    assert [entry.facts for entry in rows(Entry) if entry.kind == "json"] == [facts]


def test_on_sqlite_is_durable_and_lets_one_write_while_others_read(
    settings: Settings, database_url: str
) -> None:
    if not database_url.startswith("sqlite"):
        pytest.skip("PostgreSQL has its own settings")
    app = create_app(settings)

    with app.app_context():
        with db.engine().connect() as connection:
            said = {
                name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
                for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
            }
        db.engine().dispose()

    assert said == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 15000}


def test_on_sqlite_a_writer_holds_the_database_before_it_reads(bare_app: Flask, database_url: str) -> None:
    """Else a writer of another process could commit between its reading and its writing."""
    if not database_url.startswith("sqlite"):
        pytest.skip("PostgreSQL locks rows, not the file")
    with bare_app.app_context():
        session = db.session()
        db.start_write(session)
        session.scalars(sa.select(Entry)).all()

        other = sqlite3.connect(database_url.removeprefix("sqlite:///"), timeout=0)
        with closing(other), pytest.raises(sqlite3.OperationalError, match="locked"):
            other.execute("BEGIN IMMEDIATE")


def test_on_sqlite_a_writer_that_fails_holds_up_nobody(bare_app: Flask, database_url: str) -> None:
    if not database_url.startswith("sqlite"):
        pytest.skip("PostgreSQL locks rows, not the file")
    with bare_app.app_context():
        session = db.session()
        db.start_write(session)
        with pytest.raises(sa.exc.OperationalError):
            session.execute(sa.text("SELECT * FROM nowhere"))
        session.rollback()
        db.start_write(session)  # and is left open when the context ends

    with bare_app.app_context():
        db.start_write(db.session())
        with db.engine().connect() as reader:
            assert reader.scalar(sa.text("SELECT 1")) == 1


class Dialled(Exception):
    """A connection would be opened now."""


def dialled(query: str = "") -> dict[str, Any]:
    """With which parameters a connection to a PostgreSQL is opened."""
    seen: dict[str, Any] = {}

    def dial(_dialect: object, _record: object, _positional: object, named: dict[str, Any]) -> None:
        seen.update(named)
        raise Dialled

    app = create_app(make_settings(database_url=f"postgresql+psycopg://db.example/gangway{query}"))
    with app.app_context():
        sa.event.listen(db.engine(), "do_connect", dial)
        with pytest.raises(Dialled):
            db.engine().connect()
    return seen


def test_on_postgresql_notices_soon_that_the_server_is_gone() -> None:
    found = dialled()

    until_asked = int(found["keepalives_idle"])
    assert 2 <= int(found["connect_timeout"]) <= 5
    assert 5_000 <= int(found["tcp_user_timeout"]) <= 30_000
    assert until_asked + int(found["keepalives_interval"]) * int(found["keepalives_count"]) <= 60


def test_on_postgresql_waits_as_long_as_the_url_says() -> None:
    found = dialled("?connect_timeout=30&keepalives_idle=600")

    assert (found["connect_timeout"], found["keepalives_idle"]) == ("30", "600")
    assert found["tcp_user_timeout"] == dialled()["tcp_user_timeout"]


def test_on_postgresql_waits_shortly_for_one_of_the_connections_that_others_use() -> None:
    app = create_app(make_settings(database_url="postgresql+psycopg://db.example/gangway"))

    with app.app_context():
        pool = db.engine().pool

    assert isinstance(pool, sa.QueuePool)
    assert pool.timeout() <= 5


@pytest.mark.own_app
def test_answers_what_was_done_though_the_database_went_away_since(
    bare_app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_session: Session) -> None:
        raise OperationalError("ROLLBACK", None, Exception("server closed the connection"))

    @bare_app.get("/done")
    def done() -> str:
        db.session().execute(sa.select(1))
        monkeypatch.setattr(Session, "close", broken)
        return "done"

    answer = bare_app.test_client().get("/done")

    assert (answer.status_code, answer.text) == (200, "done")
