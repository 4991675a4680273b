"""The simulated account, installed once and then put in place for each test that wants it."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from weakref import WeakKeyDictionary

import sqlalchemy as sa
from flask import Flask

from app import apps, audit
from app.core import db
from app.simulator import DEFAULT_API_KEY, Simulator
from app.simulator import Row as StripeRow

Row = dict[str, Any]


class Installations:
    """Installs the account in an application: for real the first time, with the same rows from then on."""

    def __init__(self) -> None:
        self._known: WeakKeyDictionary[Flask, _Installation] = WeakKeyDictionary()

    def make(self, app: Flask, simulator: Simulator, *, public_url: str) -> None:
        """Install the account of the simulator, in which there is nothing else, as the default app."""
        known = self._known.get(app)
        if known is not None:
            known.repeat(app, simulator)
            return
        with app.app_context():
            session = db.session()
            apps.install(session, DEFAULT_API_KEY, public_url=public_url, actor="test")
            session.commit()
        self._known[app] = _Installation.of(app, simulator)


@dataclass(frozen=True)
class _Installation:
    """What an installation left behind, here and at Stripe, and when that was."""

    made_at: datetime
    rows: list[tuple[sa.Table, list[Row]]]
    stripe_rows: dict[str, dict[str, StripeRow]]

    @classmethod
    def of(cls, app: Flask, simulator: Simulator) -> "_Installation":
        """Read it from a database and a simulator that hold nothing else."""
        with app.app_context(), db.engine().connect() as connection:
            rows = [
                (table, [dict(row) for row in connection.execute(sa.select(table)).mappings()])
                for table in db.Base.metadata.sorted_tables
            ]
        stripe_rows = {
            name: {key: row for key in collection if (row := collection.row(key))}
            for name, collection in simulator.store.collections.items()
        }
        return cls(datetime.now(UTC), [(table, found) for table, found in rows if found], stripe_rows)

    def repeat(self, app: Flask, simulator: Simulator) -> None:
        """Put the same rows into an empty database and an empty simulator, as if installed just now."""
        age = datetime.now(UTC) - self.made_at
        with app.app_context(), db.engine().begin() as connection:
            for table, rows in self.rows:
                connection.execute(sa.insert(table), [_aged(table, row, age) for row in rows])
        for name, stripe_rows in self.stripe_rows.items():
            for key, row in stripe_rows.items():
                simulator.store.collections[name].put(key, _aged_at_stripe(row.value, age), row.account)


def _aged(table: sa.Table, row: Row, age: timedelta) -> Row:
    aged = {name: value + age if isinstance(value, datetime) else value for name, value in row.items()}
    # The id of an entry of the audit log says when it was made, and nothing refers to it.
    return {**aged, "id": db.new_id()} if table is audit.Entry.__table__ else aged


def _aged_at_stripe(value: dict[str, Any], age: timedelta) -> dict[str, Any]:
    return {**value, "created": value["created"] + int(age.total_seconds())} if "created" in value else value
