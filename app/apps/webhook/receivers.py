"""What we need to check the events that Stripe sends to an app. Each process remembers it for two seconds."""

import time
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from flask import current_app
from sqlalchemy import ColumnElement, and_, bindparam, or_, select
from sqlalchemy.orm import Session

from app.apps.connections import connections, secret_row
from app.apps.models import App, SigningSecret
from app.core.db import utcnow
from app.core.errors import NotFound
from app.core.secrets.sealing import Unsealable
from app.core.values import frozen

MAX_AGE = 2.0  # seconds that a process keeps opened secrets


@frozen
class Receiver:
    """What we need to check the events that Stripe sends to an app."""

    app_id: str
    livemode: bool
    rows: dict[str, tuple[str, str]]  # id and sealed text of each secret that may sign them, the newest first

    @property
    def secrets(self) -> list[str]:
        """Return the secrets that may sign the events, the newest first."""
        return list(self.rows)


class Receivers:
    """The receivers that this process has read in the last seconds.

    They may be out of date, so store an event with `is_valid` in the same statement. One instance for each
    application.
    """

    def __init__(self) -> None:
        self._read: dict[str, tuple[float, Receiver]] = {}

    def get(self, app_id: str) -> Receiver | None:
        """Return the receiver of an app, if this process has read it lately."""
        read_at, found = self._read.get(app_id, (0.0, None))
        return None if found is None or _is_old(read_at) else found

    def put(self, receiver: Receiver) -> None:
        """Remember a receiver, and drop all that are too old."""
        for app_id, (read_at, _) in list(self._read.items()):
            if _is_old(read_at):
                self._read.pop(app_id, None)
        self._read[receiver.app_id] = (time.time(), receiver)


def _is_old(read_at: float) -> bool:
    return abs(time.time() - read_at) > MAX_AGE  # the clock may have been set back


def _receivers() -> Receivers:
    found = current_app.extensions["gangway.receivers"]
    assert isinstance(found, Receivers)
    return found


def _is_accepted(now: Any) -> ColumnElement[bool]:
    return and_(
        SigningSecret.retired_at.is_(None),
        or_(SigningSecret.retire_at.is_(None), SigningSecret.retire_at > now),
    )


# Built once: building it takes longer than running it.
_RECEIVER = (
    select(App.livemode, SigningSecret.id, SigningSecret.sealed)
    .outerjoin(SigningSecret, and_(SigningSecret.app_id == App.id, _is_accepted(bindparam("now"))))
    .where(App.id == bindparam("app_id"), App.deleted_at.is_(None))
    .order_by(SigningSecret.id.desc())
)


def receiver(session: Session, app_id: str) -> Receiver:
    """Return how to check this app's events. Raises NotFound, and Unsealable when no secret can be opened."""
    rows = session.connection().execute(_RECEIVER, {"app_id": app_id, "now": utcnow()}).all()
    if not rows:
        raise NotFound("There is no such app.")
    found = Receiver(app_id, rows[0].livemode, _opened(row for row in rows if row.id))
    _receivers().put(found)
    return found


def known_receiver(app_id: str) -> Receiver | None:
    """Return what this process has read in the last two seconds, without asking the database."""
    return _receivers().get(app_id)


def is_valid(
    secret_id: ColumnElement[str],
    sealed: ColumnElement[str],
    *,
    app_id: ColumnElement[str],
    now: ColumnElement[datetime],
) -> ColumnElement[bool]:
    """Return a condition: the secret that signed is still this app's, unchanged and not retired.

    An app that is removed loses its secrets.
    """
    return and_(
        SigningSecret.id == secret_id,
        SigningSecret.app_id == app_id,
        SigningSecret.sealed == sealed,
        _is_accepted(now),
    )


def signing_secrets(session: Session, app: App) -> list[str]:
    """Return every secret with which Stripe may sign this app's events, the newest first.

    Leave out one that no key opens while there is another. Raises Unsealable when there is no other.
    """
    rows = session.execute(
        select(SigningSecret.id, SigningSecret.sealed)
        .where(SigningSecret.app_id == app.id, _is_accepted(utcnow()))
        .order_by(SigningSecret.id.desc())
    )
    return list(_opened(rows))


def _opened(rows: Iterable[Any]) -> dict[str, tuple[str, str]]:
    sealer = connections().sealer
    opened, failure = {}, None
    for row in rows:
        try:
            opened[sealer.open(row.sealed, secret_row(row.id))] = (row.id, row.sealed)
        except Unsealable as error:
            failure = error
    if failure is not None and not opened:
        raise failure
    return opened
