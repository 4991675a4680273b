"""The store: every object that the simulated Stripe knows, in memory and, with a path, in a file.

An object is a plain dict of JSON under its id, in a named collection. Never change a stored dict in place:
put a changed copy. So a transaction can roll back, and the file gets only what changed.
"""

import json
import sqlite3
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from app.simulator.store.collection import Collection, Row
from app.simulator.store.file import open_file

COLLECTIONS = (
    "accounts",
    "keys",
    "customers",
    "tax_ids",
    "payment_methods",
    "setup_intents",
    "setup_attempts",
    "mandates",
    "checkout_sessions",
    "products",
    "prices",
    "webhook_endpoints",
    "events",
    "portal_sessions",
    "portal_configurations",
    "deliveries",  # pending ones
    "tries",  # attempts of deliveries, with their outcome
    "idempotency",
    "notes",  # facts about an object that Stripe does not show
    "settings",
)


class Store:
    """All collections, one lock, and the file.

    A change outside a transaction makes its own. `committed` is called after each transaction that
    changed something, without the lock, with the collection and id of each change.
    """

    accounts: Collection
    keys: Collection
    customers: Collection
    tax_ids: Collection
    payment_methods: Collection
    setup_intents: Collection
    setup_attempts: Collection
    mandates: Collection
    checkout_sessions: Collection
    products: Collection
    prices: Collection
    webhook_endpoints: Collection
    events: Collection
    portal_sessions: Collection
    portal_configurations: Collection
    deliveries: Collection
    tries: Collection
    idempotency: Collection
    notes: Collection
    settings: Collection

    def __init__(self, path: Path | None = None) -> None:
        self.lock = threading.RLock()
        self.committed: Callable[[Iterable[tuple[str, str]]], None] = lambda _: None
        self.collections = {name: Collection(name, self) for name in COLLECTIONS}
        for name, collection in self.collections.items():
            setattr(self, name, collection)
        self._depth = 0
        self._position = 0
        self._before: dict[tuple[str, str], Row | None] = {}
        self._file = open_file(path) if path else None
        self._closed = False
        if self._file:
            self._load(self._file)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Keep all changes or none. The outermost transaction writes the file before it ends.

        Raises RuntimeError once the store is closed.
        """
        changed: list[tuple[str, str]] = []
        with self.lock:
            if self._closed:
                raise RuntimeError("The store is closed.")  # never answer what is not stored
            self._depth += 1
            try:
                yield
                if self._depth == 1:
                    changed = list(self._before)
                    self._write()
            except BaseException:
                if self._depth == 1:
                    self._roll_back()
                raise
            finally:
                self._depth -= 1
        if changed:
            self.committed(changed)

    def accounts_version(self, account: str) -> str:
        """Return the account's API version. Its events have that version's shape."""
        return str(self.notes[account]["api_version"])

    def remember(self, name: str, key: str, row: Row | None) -> None:
        """Remember a row as it was before the running transaction."""
        self._before.setdefault((name, key), row)

    def next_position(self) -> int:
        self._position += 1
        return self._position

    def close(self) -> None:
        """Close the file. Later changes raise RuntimeError."""
        with self.lock:
            self._closed = True
            if self._file:
                self._file.close()

    def _roll_back(self) -> None:
        for (name, key), row in self._before.items():
            self.collections[name].restore(key, row)
        self._before = {}

    def _write(self) -> None:
        if self._file and self._before:
            removed, written = [], []
            for name, key in self._before:
                row = self.collections[name].row(key)
                if row is None:
                    removed.append((name, key))
                else:
                    value = json.dumps(row.value, separators=(",", ":"))
                    written.append((name, key, row.position, row.account, value))
            with self._file:
                self._file.executemany("DELETE FROM object WHERE collection = ? AND id = ?", removed)
                self._file.executemany("INSERT OR REPLACE INTO object VALUES (?, ?, ?, ?, ?)", written)
        self._before = {}

    def _load(self, file: sqlite3.Connection) -> None:
        query = "SELECT collection, id, position, account, value FROM object ORDER BY position"
        for name, key, position, account, value in file.execute(query):
            if name in self.collections:
                self.collections[name].place(key, Row(position, account, json.loads(value)))
                self._position = position
