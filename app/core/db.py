"""The database: one declarative base, one session per request or turn, and the types all tables share."""

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import sqlalchemy as sa
from flask import Flask, current_app, g
from sqlalchemy import orm
from sqlalchemy.exc import SQLAlchemyError
from ulid import ULID

from app.core.database import sqlite
from app.core.database.errors import explain

if TYPE_CHECKING:
    from sqlalchemy.dialects.postgresql import Insert as PostgresqlInsert
    from sqlalchemy.dialects.sqlite import Insert as SqliteInsert

__all__ = [
    "Base",
    "UtcDateTime",
    "connect",
    "end_read",
    "engine",
    "explain",
    "force_custom_plan",
    "init_app",
    "insert",
    "is_id",
    "new_id",
    "session",
    "sqlite_file",
    "start_write",
    "utcnow",
    "without_ping",
]
NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}
# Without these a connection waits for minutes or longer when the server vanishes. To wait longer, say so in
# the URL. Source: https://www.postgresql.org/docs/current/libpq-connect.html
NOTICED_SOON = {
    "connect_timeout": "4",  # seconds, for each address of the server
    "tcp_user_timeout": "10000",  # milliseconds within which it must confirm what it was sent
    "keepalives_idle": "15",  # seconds of silence until it is asked whether it is still there
    "keepalives_interval": "5",
    "keepalives_count": "3",
}
POOL_TIMEOUT = 4.0  # seconds that a request waits while all connections are in use

_without_ping = threading.local()


class Base(orm.DeclarativeBase):
    """The base of every table."""

    metadata = sa.MetaData(naming_convention=NAMING)
    type_annotation_map = {dict[str, str]: sa.JSON}  # noqa: RUF012 (SQLAlchemy's own protocol)


NULLABLE_JSON = sa.JSON(none_as_null=True)  # None is SQL's NULL, and not the text `null`
Flag = Annotated[bool, orm.mapped_column(default=False, server_default=sa.false())]


class UtcDateTime(sa.TypeDecorator[datetime]):
    """An instant: aware in Python, UTC in the database. SQLite stores no zone, so it is put back here."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, _dialect: sa.Dialect) -> datetime | None:
        """Refuse a time without a zone."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time without a zone")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, _dialect: sa.Dialect) -> datetime | None:
        """Give an aware time in UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class DisplayText(sa.TypeDecorator[str]):
    """Text from another system that we only show: stored as far as its column goes.

    SQLite takes any length, and PostgreSQL refuses what is too long. With this, both store the same.
    """

    impl = sa.String
    cache_ok = True

    def __init__(self, length: int | None = None) -> None:
        super().__init__(length)
        if length is None:
            self.impl = sa.Text()  # type: ignore[assignment]  # an instance, as in any TypeDecorator
        self.length = length

    def load_dialect_impl(self, dialect: sa.Dialect) -> sa.types.TypeEngine[Any]:
        """Return a limited text, or an unlimited one."""
        if self.length is None:
            return sa.Text()  # what PostgreSQL's dialect makes of it would be a VARCHAR
        return dialect.type_descriptor(sa.String(self.length))

    def process_bind_param(self, value: str | None, _dialect: sa.Dialect) -> str | None:
        """Give the part of a text that fits."""
        return self.fit(value)

    def fit(self, value: str | None) -> str | None:
        """Return the part of a text that fits, without what no database takes: NUL and lone surrogates."""
        if value is None:
            return None
        text = value.replace("\x00", "").encode(errors="replace").decode()
        return text[: self.length]


@sa.event.listens_for(Base, "attribute_instrument", propagate=True)
def _fit_on_assignment(_model: type[Base], _key: str, attribute: orm.InstrumentedAttribute[Any]) -> None:
    """Let a row hold in memory what the database will hold, so that the two compare as equal."""
    columns = getattr(attribute.property, "columns", ())
    if columns and isinstance(columns[0].type, DisplayText):
        fit = columns[0].type.fit
        sa.event.listen(attribute, "set", lambda _row, value, *_: fit(value), retval=True)


def fitted(attribute: orm.InstrumentedAttribute[Any], value: Any) -> Any:
    """Return a value as a row holds it in an attribute, to compare the two."""
    kind = attribute.type
    return kind.fit(value) if isinstance(kind, DisplayText) else value


def utcnow() -> datetime:
    """The present instant, aware."""
    return datetime.now(UTC)


def new_id() -> str:
    """A fresh ULID: 26 characters that sort by time, as OpenMeter's ids do."""
    return str(ULID())


def is_id(text: str) -> bool:
    """Has this the shape of an id? What has not may hold anything, even what a database refuses."""
    return re.fullmatch(r"[0-7][0-9A-HJKMNP-TV-Z]{25}", text) is not None


def init_app(app: Flask, url: sa.URL) -> None:
    """Open the engine of this application, and close each session with the request or turn it belongs to."""
    connect(app, url)

    @app.teardown_appcontext
    def _close(_error: BaseException | None) -> None:
        opened = g.pop("session", None)
        if opened is None:
            return
        try:
            opened.close()
        except SQLAlchemyError:  # the database went away since: what was answered is answered all the same
            opened.invalidate()


def connect(app: Flask, url: sa.URL) -> None:
    """Let an application use this database from now on. Connections are made when first needed."""
    # Without it, an error of the database carries the values it was about: names, addresses, sealed keys.
    options: dict[str, Any] = {"hide_parameters": True}
    if url.get_backend_name() == "postgresql":
        options |= {"pool_size": 10, "max_overflow": 30, "pool_timeout": POOL_TIMEOUT}
        options["connect_args"] = {
            name: value for name, value in NOTICED_SOON.items() if name not in url.query
        }
        # Behind PgBouncer each transaction may meet another connection, which knows no prepared statements.
        options["connect_args"]["prepare_threshold"] = None
    if url.get_backend_name() == "sqlite":
        options |= {"connect_args": {"factory": sqlite.Connection}}
    made = sa.create_engine(url, **options)
    if url.get_backend_name() == "sqlite":
        sqlite.configure(made)
    else:
        _ping_at_checkout(made)
    app.extensions["gangway.sessions"] = orm.sessionmaker(made, expire_on_commit=False)


def _ping_at_checkout(made: sa.Engine) -> None:
    """Look whether a pooled connection still lives, as `pool_pre_ping` does, but not for `without_ping`."""
    dialect = made.dialect

    @sa.event.listens_for(made, "checkout")
    def _ping(connection: Any, _record: object, _proxy: object) -> None:
        if getattr(_without_ping, "is_on", False):
            return
        try:
            dialect.do_ping(connection)
        except dialect.loaded_dbapi.Error as error:
            if not dialect.is_disconnect(error, connection, None):
                raise
            raise sa.exc.InvalidatePoolError from error  # the pool then opens new ones


@contextmanager
def without_ping() -> Iterator[None]:
    """Take a connection from the pool as it is. For callers that try again when it is dead."""
    _without_ping.is_on = True
    try:
        yield
    finally:
        _without_ping.is_on = False


def sqlite_file(url: sa.URL) -> Path | None:
    """Return the file of a SQLite database; None for one in memory, or on a server."""
    name = url.database
    if url.get_backend_name() != "sqlite" or not name or name == ":memory:" or name.startswith("file:"):
        return None
    return Path(name).absolute()


def engine() -> sa.Engine:
    """The engine of the current application."""
    found = _sessions().kw["bind"]
    assert isinstance(found, sa.Engine)
    return found


def session() -> orm.Session:
    """The session of the current request or turn; closed, and rolled back, when that ends."""
    if "session" not in g:
        g.session = _sessions()()
    opened = g.session
    assert isinstance(opened, orm.Session)
    return opened


def _sessions() -> orm.sessionmaker[orm.Session]:
    found = current_app.extensions["gangway.sessions"]
    assert isinstance(found, orm.sessionmaker)
    return found


def end_read(session: orm.Session) -> None:
    """End a transaction that only read, so that nothing is held while Stripe is asked.

    Objects that were loaded stay usable as they were; they are not loaded again unnoticed.
    """
    if session.new or session.dirty or session.deleted:
        raise RuntimeError("unsaved changes would be committed before Stripe was asked")
    session.commit()


def start_write(session: orm.Session) -> None:
    """Begin a transaction that will write, or continue one that was begun so. End one that only read.

    SQLite must know at once: a transaction that began by reading can't become a writer after another
    one has committed (https://sqlite.org/isolation.html), and no time-out helps against that.
    """
    if session.in_transaction():
        if session.connection().get_execution_options().get("writes"):
            return
        end_read(session)
    session.connection(execution_options={"writes": True})


def insert(session: orm.Session, model: type[Base] | sa.Table) -> "PostgresqlInsert | SqliteInsert":
    """Return an INSERT that can say what to do on a conflict, in the dialect of this session's database."""
    return insert_into(model, session.get_bind().dialect.name)


def insert_into(model: type[Base] | sa.Table, dialect: str) -> "PostgresqlInsert | SqliteInsert":
    """Return the same for a dialect, `postgresql` or `sqlite`. Only the one in use is imported."""
    made: PostgresqlInsert | SqliteInsert = import_module(f"sqlalchemy.dialects.{dialect}").insert(model)
    return made


def partial_index(name: str, *columns: str, where: str, unique: bool = False) -> sa.Index:
    """Return an index of the rows that meet a condition in SQL, on either database.

    The index knows the condition for SQLite only, until `name_conditions` runs: to name one for PostgreSQL
    imports its dialect, which a start on SQLite does without.
    """
    return sa.Index(name, *columns, unique=unique, sqlite_where=sa.text(where))


def name_conditions() -> None:
    """Name the conditions of partial indexes for PostgreSQL, too. Only new migrations need them."""
    for table in Base.metadata.tables.values():
        for index in table.indexes:
            index.dialect_options["postgresql"]["where"] = index.dialect_options["sqlite"]["where"]


def force_custom_plan(session: orm.Session) -> None:
    """Let PostgreSQL plan what follows in this transaction for the actual search words. A plan for any words
    would search in the same way for a rare name and for `example.com`. Compiling a query takes longer than a
    search may take.
    """
    if session.get_bind().dialect.name == "postgresql":
        session.execute(sa.text("SET LOCAL plan_cache_mode = force_custom_plan"))
        session.execute(sa.text("SET LOCAL jit = off"))
