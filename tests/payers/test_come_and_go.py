"""Others reserve and end payers of the same customer all the time: a call gives up in the end."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa
from flask import Flask

from app.core import db
from app.core.db import new_id, utcnow
from app.payers import Payer
from app.simulator import Simulator
from tests.support.api import Api, api
from tests.support.rows import Rows

__all__ = ["api"]

MAX_RIVALS = 30  # more than a call may meet


@contextmanager
def rivals(app: Flask, values: dict[str, Any]) -> Iterator[list[str]]:
    """Reserve a payer just before each of our inserts, and end it before we look. Yields their ids."""
    made: list[str] = []
    is_busy = False

    def _about_to(connection: sa.Connection, _cursor: Any, statement: str, *_more: Any) -> None:
        nonlocal is_busy
        rival: sa.Executable
        if is_busy or len(made) > MAX_RIVALS:
            return
        if statement.startswith("INSERT INTO payer "):
            made.append(new_id())
            rival = sa.insert(Payer).values(id=made[-1], created_at=utcnow(), **values)
        elif statement.startswith("SELECT payer.") and made:
            rival = sa.update(Payer).where(Payer.id == made[-1]).values(deleted_at=utcnow())
        else:
            return
        is_busy = True
        _write(connection, rival)
        is_busy = False

    with app.app_context():
        engine = db.engine()
    sa.event.listen(engine, "before_cursor_execute", _about_to)
    try:
        yield made
    finally:
        sa.event.remove(engine, "before_cursor_execute", _about_to)


def _write(connection: sa.Connection, rival: sa.Executable) -> None:
    """Write as somebody else. SQLite has one writer at a time, so there it is our own transaction."""
    if connection.dialect.name == "sqlite":
        connection.execute(rival)
        return
    with connection.engine.begin() as own:
        own.execute(rival)


def test_a_call_ends_with_a_clear_error(app: Flask, api: Api, rows: Rows, simulator: Simulator) -> None:
    customer_id = api.post("/customers", {"name": "Ada", "key": "ada"}).get_json()["id"]
    app_id = api.get("/apps").get_json()["items"][0]["id"]

    with rivals(app, {"app_id": app_id, "customer_id": customer_id}) as made:
        answer = api.post("/stripe/checkout/sessions", _order(customer_id))

    assert answer.status_code == 409
    assert "keeps changing" in answer.get_json()["detail"]
    assert len(made) == 10
    assert [row for row in rows(Payer) if row.deleted_at is None] == []
    assert list(simulator.store.customers) == []


def test_the_next_call_succeeds(app: Flask, api: Api, simulator: Simulator) -> None:
    customer_id = api.post("/customers", {"name": "Ada", "key": "ada"}).get_json()["id"]
    app_id = api.get("/apps").get_json()["items"][0]["id"]
    with rivals(app, {"app_id": app_id, "customer_id": customer_id}):
        api.post("/stripe/checkout/sessions", _order(customer_id))

    answer = api.post("/stripe/checkout/sessions", _order(customer_id))

    assert answer.status_code == 201
    assert len(simulator.store.customers) == 1


def _order(customer_id: str) -> dict[str, Any]:
    options = {"successURL": "https://app.example.com/done", "currency": "USD"}
    return {"customer": {"id": customer_id}, "options": options}
