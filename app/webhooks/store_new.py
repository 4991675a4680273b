"""Take a new event in with one statement: it checks that the secret is still valid, and stores the event.

What this statement does not store, `app/webhooks/api.py` looks at in full: the first event of a process, a
repeated one, one with a newer secret, and one on a dead connection.
"""

import sqlalchemy as sa
import structlog
from sqlalchemy.dialects import postgresql, sqlite

from app import apps, gateway
from app.core import db
from app.core.direct import DirectStatement
from app.core.errors import Invalid
from app.webhooks.models import Event
from app.webhooks.parsing import ParsedEvent, parse_bytes
from app.webhooks.receive import event_row

COLUMNS = (
    "app_id",
    "id",
    "type",
    "origin",
    "payload",
    "state",
    "reason",
    "received_at",
    "due_at",
    "attempts",
    "finished_at",
)


def _new_event(insert: type[postgresql.Insert | sqlite.Insert]) -> DirectStatement:
    columns = Event.__table__.c
    values = [sa.bindparam(name, type_=columns[name].type) for name in COLUMNS]
    now = sa.bindparam("now", type_=Event.received_at.type)
    valid = sa.select(*values).where(apps.is_valid(now))
    added = insert(Event).from_select(COLUMNS, valid, include_defaults=False).on_conflict_do_nothing()
    return DirectStatement(added.returning(Event.id))


NEW_EVENT = {"postgresql": _new_event(postgresql.Insert), "sqlite": _new_event(sqlite.Insert)}


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
    row = event_row(app_id, parsed, text, "webhook")
    secret_id, sealed = receiver.rows[secret]
    engine = db.engine()
    try:
        stored = NEW_EVENT[engine.dialect.name].row(
            engine, row | {"secret_id": secret_id, "sealed": sealed, "now": row["received_at"]}
        )
    except engine.dialect.loaded_dbapi.Error:
        return None  # the connection was dead, most likely: the other way takes one that lives
    return parsed if stored else None
