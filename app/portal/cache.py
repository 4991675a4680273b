"""The published settings, and which Stripe apps are in test mode, in this process's memory.

Each process asks for the number of the newest version and the modes of the apps every two seconds at most. It
reads the document only when it is a new one. When the database does not answer, the last known settings stay
in use.
"""

import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from time import monotonic
from typing import Any

import sqlalchemy as sa
import structlog
from flask import current_app
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from app.apps import App
from app.core import db
from app.core.config import Settings
from app.core.config import settings as current_settings
from app.portal.models import PortalVersion
from app.portal.settings import PortalSettings, Unreadable, load_stored
from app.portal.variables import with_variables

MAX_AGE = 2.0  # seconds
NEWEST = select(PortalVersion.id).order_by(PortalVersion.id.desc()).limit(1).scalar_subquery()
# An app that was uninstalled has the mode of the one that took over its account.
IS_DEFAULT = sa.and_(App.is_default, App.deleted_at.is_(None))
STATE = (
    select(NEWEST.label("version"), App.id, App.livemode, IS_DEFAULT.label("is_default"))
    .select_from(select(sa.literal(1).label("always")).subquery())
    .outerjoin(App, sa.true())
)
log = structlog.get_logger("gangway.portal")


class PublishedSettings:
    """The settings in force, with what `GANGWAY_*` variables decide."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._version = 0
        self._checked_at: float | None = None
        self._stored = PortalSettings()
        self._known: tuple[Settings, PortalSettings] | None = None
        self._is_live: dict[str | None, bool] = {}  # by the app's id; None: the default one

    def get(self, settings: Settings) -> PortalSettings:
        """Return the settings. Only one thread reads them; the others take what is known meanwhile."""
        if self._is_old() and self._lock.acquire(blocking=self._checked_at is None):
            try:
                if self._is_old():
                    self._read()
            finally:
                self._lock.release()
        known = self._known
        if known is None or known[0] is not settings:
            known = self._known = (settings, with_variables(self._stored, settings))
        return known[1]

    def is_live(self, settings: Settings, app_id: str | None) -> bool | None:
        """Is an app in live mode, or the default one for None? None: there is no such app."""
        self.get(settings)
        return self._is_live.get(app_id)

    def count_apps(self, settings: Settings) -> int:
        """Return how many apps were ever installed."""
        self.get(settings)
        return len(self._is_live.keys() - {None})

    def expire(self) -> None:
        """Read again at the next use."""
        self._checked_at = None

    def _is_old(self) -> bool:
        return self._checked_at is None or monotonic() - self._checked_at > MAX_AGE

    def _read(self) -> None:
        """Read the modes of the apps, and a newer version if there is one."""
        try:
            with _connection() as connection:
                rows = connection.execute(STATE).all()
                self._is_live = _modes(rows)
                version = rows[0].version or 0
                if version != self._version:
                    self._stored = _newest_readable(connection)
                    self._version, self._known = version, None
        except SQLAlchemyError as error:
            log.warning("portal_settings_not_read", cause=type(error).__name__)
        self._checked_at = monotonic()


def _modes(rows: Iterable[sa.Row[Any]]) -> dict[str | None, bool]:
    found: dict[str | None, bool] = {}
    for row in rows:
        if row.id is not None:
            found[row.id] = row.livemode
        if row.is_default:
            found[None] = row.livemode
    return found


def _newest_readable(connection: sa.Connection) -> PortalSettings:
    """Return the newest settings that this release understands: another one may have stored newer ones.

    Without any, a portal that is closed to visitors would open.
    """
    newest = select(PortalVersion.id, PortalVersion.document).order_by(PortalVersion.id.desc()).limit(1)
    row = connection.execute(newest).one_or_none()
    while row is not None:
        try:
            return load_stored(row.document)
        except Unreadable:
            log.exception("portal_settings_not_understood", version=row.id)
        row = connection.execute(newest.where(PortalVersion.id < row.id)).one_or_none()
    return PortalSettings()


@contextmanager
def _connection() -> Iterator[sa.Connection]:
    """Give the connection of the transaction that runs, else one for a moment.

    A transaction must never wait for a second connection: those who have all others may wait for its commit.
    Where none runs, none is begun.
    """
    session = db.session()
    if session.in_transaction():
        yield session.connection()
        return
    with db.engine().connect() as connection:
        yield connection


def held() -> PublishedSettings:
    """Return the settings that this process holds."""
    found = current_app.extensions["gangway.portal"]
    assert isinstance(found, PublishedSettings)
    return found


def published() -> PortalSettings:
    """Return the settings in force in the current application."""
    return held().get(current_settings())
