"""A collection: the objects of one kind by id, in the order of their creation."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, MutableMapping
from contextlib import AbstractContextManager
from typing import Any, NamedTuple, Protocol

JSON = dict[str, Any]  # an object of Stripe's, or a part of one, as json.loads returns it

DEFAULT_ACCOUNT = "acct_1RZzxYGangwaySim"


class Row(NamedTuple):
    """An object in the store. Later objects have greater positions."""

    position: int
    account: str
    value: JSON


class ChangeLog(Protocol):
    """What a collection needs of its store: transactions, old rows for a rollback, and positions."""

    def transaction(self) -> AbstractContextManager[None]: ...

    def remember(self, name: str, key: str, row: Row | None) -> None: ...

    def next_position(self) -> int: ...


class Collection(MutableMapping[str, JSON]):
    """Objects of one kind by id, oldest first."""

    def __init__(self, name: str, log: ChangeLog) -> None:
        self.name = name
        self._log = log
        self._rows: dict[str, Row] = {}
        self._keys_by_customer: defaultdict[str, set[str]] = defaultdict(set)

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
        with self._log.transaction():
            self._log.remember(self.name, key, self._rows[key])
            self.place(key, None)

    def put(self, key: str, value: JSON, account: str) -> JSON:
        """Write one object of one account and return it."""
        with self._log.transaction():
            old = self._rows.get(key)
            self._log.remember(self.name, key, old)
            position = old.position if old else self._log.next_position()
            self.place(key, Row(position, account, value))
        return value

    def owner(self, key: str) -> str:
        """Return the account that has the object."""
        return self._rows[key].account

    def find(self, key: object, account: str) -> JSON | None:
        """Return the object if that account has it."""
        row = self._rows.get(key) if isinstance(key, str) else None
        return row.value if row and row.account == account else None

    def newest(self, account: str) -> list[JSON]:
        """Return all objects of one account, newest first."""
        return [row.value for row in reversed(list(self._rows.values())) if row.account == account]

    def rows(self, account: str, customer: str | None = None, *, oldest_first: bool = False) -> Iterator[Row]:
        """Iterate over the rows of an account, or of one of its customers. The caller holds the lock."""
        rows: Iterable[Row]
        if customer is None:
            rows = self._rows.values() if oldest_first else reversed(self._rows.values())
        else:
            keys = self._keys_by_customer.get(customer, set())
            rows = sorted((self._rows[key] for key in keys), reverse=not oldest_first)
        return (row for row in rows if row.account == account)

    def row(self, key: str) -> Row | None:
        return self._rows.get(key)

    def snapshot(self) -> list[JSON]:
        """Return all objects, oldest first. Other threads may write meanwhile."""
        return [row.value for row in list(self._rows.values())]

    def place(self, key: str, row: Row | None) -> None:
        """Write or remove a row outside any transaction, and keep the index of customers up to date."""
        old = self._rows.pop(key, None) if row is None else self._rows.get(key)
        if row is not None:
            self._rows[key] = row
        was, now = (one.value.get("customer") if one else None for one in (old, row))
        if was != now:
            if was is not None:
                self._keys_by_customer[was].discard(key)
            if now is not None:
                self._keys_by_customer[now].add(key)

    def restore(self, key: str, row: Row | None) -> None:
        """Roll one row back, at its old position."""
        was_removed = key not in self._rows
        self.place(key, row)
        if row is not None and was_removed:
            self._rows = dict(sorted(self._rows.items(), key=lambda item: item[1].position))
