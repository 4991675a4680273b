"""Take new events in with one statement: it checks that each one's secret is still valid, and stores them.

The same statement finishes an event that concerns none of our payers, so no worker looks at it. On a busy
Stripe account most events are such.

What the statement does not store, `app/webhooks/api.py` looks at in full. That is the first event of a
process, a repeated one, one with a newer secret, and all on a dead connection.
"""

import json
from collections.abc import Sequence
from functools import cache
from typing import Any

import sqlalchemy as sa
import structlog
from flask import current_app

from app import apps, gateway, payers
from app.core import db
from app.core.database.direct import DirectStatement
from app.core.database.group_commit import GroupCommit
from app.core.db import UtcDateTime
from app.core.errors import Invalid
from app.core.values import frozen
from app.webhooks.hints import NOBODY, Hint
from app.webhooks.models import Event
from app.webhooks.parsing import ParsedEvent, parse_bytes
from app.webhooks.store import event_row

Arrival = dict[str, Any]  # the values of a new event's row, and of `ABOUT`
Columns = dict[str, sa.ColumnElement[Any]]

COLUMNS = tuple(column for column in Event.__table__.columns if column.name != "payer_id")
ABOUT = (
    sa.column("secret_id", sa.Text),  # the secret that signed it, and its sealed text
    sa.column("sealed", sa.Text),
    sa.column("stripe_customer_id", sa.Text),  # by which we know its payer; None: by something else
    sa.column("customer_id", sa.Text),  # ours, for which the Stripe customer was created; None: for nobody
)
# All rows in one value: so there is one statement, whatever their number.
ARRIVALS = sa.bindparam("arrivals", type_=sa.Text)
IGNORED = sa.literal_column("'ignored'", sa.Text)
CONCERNS_NOBODY = sa.literal_column(f"'{NOBODY}'", sa.Text)


@frozen
class Stored:
    """A new event that is stored and committed."""

    ignored_because: str | None


def _in_postgresql() -> Columns:
    columns = (sa.column(column.name, column.type) for column in (*COLUMNS, *ABOUT))
    arrivals = sa.func.json_to_recordset(sa.cast(ARRIVALS, sa.JSON)).table_valued(*columns)
    return dict(arrivals.render_derived(name="arrival", with_types=True).c)


def _in_sqlite() -> Columns:
    arrival = sa.func.json_each(ARRIVALS).table_valued("value").c.value
    return {
        column.name: sa.func.json_extract(arrival, sa.literal_column(f"'$.{column.name}'"))
        for column in (*COLUMNS, *ABOUT)
    }


@cache
def _statement(dialect: str) -> DirectStatement:
    """Build it once: that takes longer than running it, and it runs for every event."""
    is_postgresql = dialect == "postgresql"
    arrival = _in_postgresql() if is_postgresql else _in_sqlite()
    valid = _valid(arrival)
    ignored = {"state": IGNORED, "reason": CONCERNS_NOBODY, "finished_at": valid["received_at"]}
    found = [
        sa.case((valid["is_nobodys"], ignored[column.name]), else_=valid[column.name])
        if column.name in ignored
        else valid[column.name]
        for column in COLUMNS
    ]
    # In the order of `store_listed`, because two that insert the same events in other orders could wait for
    # each other. A database's own order may be that of a language.
    bytewise = "C" if is_postgresql else "BINARY"
    in_order = (sa.collate(valid[name], bytewise) for name in ("app_id", "id"))
    ordered = sa.select(*found).order_by(*in_order)
    insert = db.insert_into(Event, dialect).from_select(COLUMNS, ordered, include_defaults=False)
    added = insert.on_conflict_do_nothing()
    return DirectStatement(added.returning(Event.app_id, Event.id, Event.reason))


def _valid(arrival: Columns) -> Columns:
    """Return those that a valid secret signed, and whether each concerns nobody here.

    Materialized, else the database would look for the payer of each once for every column that depends on it.
    """
    signed = apps.is_valid(
        arrival["secret_id"], arrival["sealed"], app_id=arrival["app_id"], now=arrival["received_at"]
    )
    stripe_customer_id = arrival["stripe_customer_id"]
    is_ours = payers.may_have(arrival["app_id"], stripe_customer_id, arrival["customer_id"])
    is_nobodys = sa.and_(
        arrival["state"] == sa.literal_column("'new'"), stripe_customer_id.is_not(None), sa.not_(is_ours)
    )
    columns = [arrival[column.name].label(column.name) for column in COLUMNS]
    valid = sa.select(*columns, is_nobodys.label("is_nobodys")).where(signed)
    return dict(valid.cte("valid").prefix_with("MATERIALIZED").c)


def store_new(app_id: str, payload: bytes, header: str) -> Stored | None:
    """Store a new event and commit. Return None when nothing was stored."""
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
    return _arrivals().add(arrival | _named(app_id, parsed))


def _named(app_id: str, parsed: ParsedEvent) -> dict[str, str | None]:
    """Return the customers that an event names: enough for the database to see that it concerns nobody here.

    Return nothing if it names no Stripe customer, or has our metadata without the id of our customer.
    """
    hint = Hint.of(parsed.body)
    if hint is None:
        return {}
    if not hint.claims_app(app_id):
        return {"stripe_customer_id": hint.customer_id}
    customer_id = hint.claimed_customer
    return {"stripe_customer_id": hint.customer_id, "customer_id": customer_id} if customer_id else {}


def new_arrivals() -> GroupCommit[Arrival, Stored]:
    """Return what stores the events together that come at the same time. One for each application."""
    return GroupCommit(_store_together)


def _arrivals() -> GroupCommit[Arrival, Stored]:
    found = current_app.extensions["gangway.arrivals"]
    assert isinstance(found, GroupCommit)
    return found


def _store_together(arrivals: Sequence[Arrival]) -> list[Stored | None]:
    """Store new events and commit. Say for each what became of it."""
    engine = db.engine()
    distinct: dict[tuple[str, str], Arrival] = {}
    for arrival in arrivals:
        distinct.setdefault((arrival["app_id"], arrival["id"]), arrival)
    try:
        rows = _statement(engine.dialect.name).rows(engine, {"arrivals": _encoded(distinct, engine.dialect)})
    except engine.dialect.loaded_dbapi.Error:
        # The connection was dead, most likely: the other way takes one that lives. Or it refuses one of them.
        return [None] * len(arrivals)
    stored = {id(distinct[app_id, event_id]): Stored(reason) for app_id, event_id, reason in rows}
    return [stored.get(id(arrival)) for arrival in arrivals]


def _encoded(distinct: dict[tuple[str, str], Arrival], dialect: sa.Dialect) -> str:
    """Return the rows as JSON, with times as the database stores them."""
    stored_time = UtcDateTime().dialect_impl(dialect).bind_processor(dialect)
    assert stored_time is not None
    rows = list(distinct.values())
    return json.dumps(rows, default=lambda time: str(stored_time(time)), ensure_ascii=False)
