"""Take new events in with one statement: it checks that each one's secret is still valid, and stores them.

What this statement does not store, `app/webhooks/api.py` looks at in full. That is the first event of a
process, a repeated one, one with a newer secret, and all on a dead connection.
"""

import json
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
import structlog
from flask import current_app
from sqlalchemy.dialects import postgresql, sqlite

from app import apps, gateway
from app.core import db
from app.core.database.direct import DirectStatement
from app.core.database.group_commit import GroupCommit
from app.core.db import UtcDateTime
from app.core.errors import Invalid
from app.webhooks.models import Event
from app.webhooks.parsing import ParsedEvent, parse_bytes
from app.webhooks.store import event_row

Arrival = dict[str, Any]  # the values of a new event's row, with the id and the sealed text of its secret

COLUMNS = tuple(column for column in Event.__table__.columns if column.name != "payer_id")
SIGNED_WITH = (sa.column("secret_id", sa.Text), sa.column("sealed", sa.Text))
# All rows in one value: so there is one statement, whatever their number.
ARRIVALS = sa.bindparam("arrivals", type_=sa.Text)


def _in_postgresql() -> dict[str, sa.ColumnElement[Any]]:
    columns = (sa.column(column.name, column.type) for column in (*COLUMNS, *SIGNED_WITH))
    arrivals = sa.func.json_to_recordset(sa.cast(ARRIVALS, sa.JSON)).table_valued(*columns)
    return dict(arrivals.render_derived(name="arrival", with_types=True).c)


def _in_sqlite() -> dict[str, sa.ColumnElement[Any]]:
    arrival = sa.func.json_each(ARRIVALS).table_valued("value").c.value
    return {
        column.name: sa.func.json_extract(arrival, sa.literal_column(f"'$.{column.name}'"))
        for column in (*COLUMNS, *SIGNED_WITH)
    }


def _store(insert: Any, arrival: dict[str, sa.ColumnElement[Any]], bytewise: str) -> DirectStatement:
    found = [arrival[column.name] for column in COLUMNS]
    valid = apps.is_valid(
        arrival["secret_id"], arrival["sealed"], app_id=arrival["app_id"], now=arrival["received_at"]
    )
    # In the order of `store_listed`, because two that insert the same events in other orders could wait for
    # each other. A database's own order may be that of a language.
    in_order = (sa.collate(arrival[name], bytewise) for name in ("app_id", "id"))
    ordered = sa.select(*found).where(valid).order_by(*in_order)
    added = insert(Event).from_select(COLUMNS, ordered, include_defaults=False).on_conflict_do_nothing()
    return DirectStatement(added.returning(Event.app_id, Event.id))


STORE = {
    "postgresql": _store(postgresql.Insert, _in_postgresql(), "C"),
    "sqlite": _store(sqlite.Insert, _in_sqlite(), "BINARY"),
}


def store_new(app_id: str, payload: bytes, header: str) -> ParsedEvent | None:
    """Store a new event and commit. Return it, or None when nothing was stored."""
    receiver = apps.known_receiver(app_id)
    if receiver is None:
        return None
    try:
        secret = gateway.verify(payload, header, receiver.secrets)
    except Invalid:  # it may have a newer secret
        return None
    text, parsed = parse_bytes(payload, livemode=receiver.livemode)
    structlog.contextvars.bind_contextvars(event_id=parsed.id)  # for this request's line in the log
    secret_id, sealed = receiver.rows[secret]
    arrival = event_row(app_id, parsed, text, "webhook") | {"secret_id": secret_id, "sealed": sealed}
    return parsed if _arrivals().add(arrival) else None


def new_arrivals() -> GroupCommit[Arrival]:
    """Return what stores the events together that come at the same time. One for each application."""
    return GroupCommit(_store_together)


def _arrivals() -> GroupCommit[Arrival]:
    found = current_app.extensions["gangway.arrivals"]
    assert isinstance(found, GroupCommit)
    return found


def _store_together(arrivals: Sequence[Arrival]) -> list[bool]:
    """Store new events and commit. Say for each whether it was stored."""
    engine = db.engine()
    distinct: dict[tuple[str, str], Arrival] = {}
    for arrival in arrivals:
        distinct.setdefault((arrival["app_id"], arrival["id"]), arrival)
    try:
        rows = STORE[engine.dialect.name].rows(engine, {"arrivals": _encoded(distinct, engine.dialect)})
    except engine.dialect.loaded_dbapi.Error:
        # The connection was dead, most likely: the other way takes one that lives. Or it refuses one of them.
        return [False] * len(arrivals)
    stored = {id(distinct[app_id, event_id]) for app_id, event_id in rows}
    return [id(arrival) in stored for arrival in arrivals]


def _encoded(distinct: dict[tuple[str, str], Arrival], dialect: sa.Dialect) -> str:
    """Return the rows as JSON, with times as the database stores them."""
    stored_time = UtcDateTime().dialect_impl(dialect).bind_processor(dialect)
    assert stored_time is not None
    rows = list(distinct.values())
    return json.dumps(rows, default=lambda time: str(stored_time(time)), ensure_ascii=False)
