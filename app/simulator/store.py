"""The store: every object the simulated Stripe knows, in memory and, given a file, on disk.

Everything is a plain dict of JSON under its id, in a named collection. A dict that stands in the store
is never changed in place: a changed copy takes its place, so that a transaction can undo itself and the
file can be written with no more than what changed.
"""

import json
import os
import sqlite3
import threading
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, MutableMapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from app.simulator.shapes import JSON

DEFAULT_ACCOUNT = "acct_1RZzxYGangwaySim"

COLLECTIONS = (
    "accounts",
    "keys",
    "customers",
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
    "deliveries",  # still to be made
    "tries",  # deliveries that were made, dropped or refused
    "idempotency",
    "notes",  # what the simulator must know of an object and Stripe would not show
    "settings",
)


class Row(NamedTuple):
    """An object in the store: later ones have greater positions."""

    position: int
    account: str
    value: JSON


class Collection(MutableMapping[str, JSON]):
    """Objects of one kind by id, in the order in which they came."""

    def __init__(self, name: str, store: "Store") -> None:
        self.name = name
        self._store = store
        self._rows: dict[str, Row] = {}
        self._of_customer: defaultdict[str, set[str]] = defaultdict(set)

    def __getitem__(self, key: str) -> JSON:
        return self._rows[key].value

    def __iter__(self) -> Iterator[str]:
        return iter(list(self._rows))

    def __len__(self) -> int:
        return len(self._rows)

    def __setitem__(self, key: str, value: JSON) -> None:
        old = self._rows.get(key)
        self.put(key, value, old.account if old else DEFAULT_ACCOUNT)

    def __delitem__(self, key: str) -> None:
        with self._store.transaction():
            self._store.remember(self, key, self._rows[key])
            self.place(key, None)

    def put(self, key: str, value: JSON, account: str) -> JSON:
        """Write one object of one account and return it."""
        with self._store.transaction():
            old = self._rows.get(key)
            self._store.remember(self, key, old)
            position = old.position if old else self._store.next_position()
            self.place(key, Row(position, account, value))
        return value

    def owner(self, key: str) -> str:
        return self._rows[key].account

    def find(self, key: object, account: str) -> JSON | None:
        """The object, if that account has it."""
        row = self._rows.get(key) if isinstance(key, str) else None
        return row.value if row and row.account == account else None

    def newest(self, account: str) -> list[JSON]:
        """Everything of one account, the latest first."""
        return [row.value for row in reversed(list(self._rows.values())) if row.account == account]

    def rows(self, account: str, customer: str | None = None, *, oldest_first: bool = False) -> Iterator[Row]:
        """What one account has, or what it has of one customer, one after the other; under the lock."""
        rows: Iterable[Row]
        if customer is None:
            rows = self._rows.values() if oldest_first else reversed(self._rows.values())
        else:
            keys = self._of_customer.get(customer, set())
            rows = sorted((self._rows[key] for key in keys), reverse=not oldest_first)
        return (row for row in rows if row.account == account)

    def snapshot(self) -> list[JSON]:
        """Everything there is at this moment, oldest first; safe beside other threads."""
        return [row.value for row in list(self._rows.values())]

    def restore(self, key: str, row: Row | None) -> None:
        """Put back what stood here, in its place in the order."""
        was_gone = key not in self._rows
        self.place(key, row)
        if row is not None and was_gone:
            self._rows = dict(sorted(self._rows.items(), key=lambda item: item[1].position))

    def row(self, key: str) -> Row | None:
        return self._rows.get(key)

    def place(self, key: str, row: Row | None) -> None:
        """Let this row stand here, or nothing, with no record of it; a new one stands last.

        The objects of a customer are found by its id too.
        """
        old = self._rows.pop(key, None) if row is None else self._rows.get(key)
        if row is not None:
            self._rows[key] = row
        was, now = (one.value.get("customer") if one else None for one in (old, row))
        if was != now:
            if was is not None:
                self._of_customer[was].discard(key)
            if now is not None:
                self._of_customer[now].add(key)


class Store:
    """All collections, one lock, and the file behind them.

    A change outside a transaction makes its own. `committed` is called after each transaction that
    changed something, with the name of the collection and the id of each change, and with no lock held.
    """

    accounts: Collection
    keys: Collection
    customers: Collection
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
        self._file = _open(path) if path else None
        self._closed = False
        self._load()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All of it or none: in memory at once, in the file before the outermost one ends."""
        changed: list[tuple[str, str]] = []
        with self.lock:
            if self._closed:
                raise RuntimeError("The store is closed.")  # nothing is answered that is not kept
            self._depth += 1
            try:
                yield
                if self._depth == 1:
                    changed = list(self._before)
                    self._write()
            except BaseException:
                if self._depth == 1:
                    self._undo()
                raise
            finally:
                self._depth -= 1
        if changed:
            self.committed(changed)

    def accounts_version(self, account: str) -> str:
        """The API version of an account, in which its events are written."""
        return str(self.notes[account]["api_version"])

    def remember(self, collection: Collection, key: str, row: Row | None) -> None:
        """Note what stood there before the running transaction."""
        self._before.setdefault((collection.name, key), row)

    def next_position(self) -> int:
        self._position += 1
        return self._position

    def close(self) -> None:
        """Close the file; what would change the store fails from now on."""
        with self.lock:
            self._closed = True
            if self._file:
                self._file.close()

    def _undo(self) -> None:
        for (name, key), row in self._before.items():
            self.collections[name].restore(key, row)
        self._before = {}

    def _write(self) -> None:
        if self._file and self._before:
            gone, here = [], []
            for name, key in self._before:
                row = self.collections[name].row(key)
                if row is None:
                    gone.append((name, key))
                else:
                    value = json.dumps(row.value, separators=(",", ":"))
                    here.append((name, key, row.position, row.account, value))
            with self._file:
                self._file.executemany("DELETE FROM book WHERE collection = ? AND id = ?", gone)
                self._file.executemany("INSERT OR REPLACE INTO book VALUES (?, ?, ?, ?, ?)", here)
        self._before = {}

    def _load(self) -> None:
        if not self._file:
            return
        query = "SELECT collection, id, position, account, value FROM book ORDER BY position"
        for name, key, position, account, value in self._file.execute(query):
            if name in self.collections:
                self.collections[name].place(key, Row(position, account, json.loads(value)))
                self._position = position


def _open(path: Path) -> sqlite3.Connection:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with suppress(FileExistsError):  # SQLite would follow the umask
        made = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_NOFOLLOW, 0o600)
        os.fchmod(made, 0o600)
        os.close(made)
    connection = sqlite3.connect(path, check_same_thread=False)  # the lock of the store guards it
    connection.execute("PRAGMA journal_mode = WAL")
    # NORMAL survives the death of the process; only a power cut could take the last answers back.
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute(
        "CREATE TABLE IF NOT EXISTS book (collection TEXT, id TEXT, position INTEGER, account TEXT,"
        " value TEXT, PRIMARY KEY (collection, id)) WITHOUT ROWID"
    )
    connection.commit()
    return connection
