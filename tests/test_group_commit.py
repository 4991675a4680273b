"""Threads that store something at the same time do it together. Each learns what became of its part."""

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from app.core.database.group_commit import MAX_BATCH, GroupCommit
from tests.support.processes import PATIENCE, wait_until


class Table:
    """What was stored, batch by batch. The first batch waits until the gate opens."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.is_led = threading.Event()
        self.gate = threading.Event()
        self.refuses: Callable[[int], bool] = lambda _item: False
        self.fails: Callable[[int], BaseException | None] = lambda _item: None

    def store(self, items: Sequence[int]) -> list[str | None]:
        """Store items, unless one of them fails. Say of each that it is stored."""
        self.batches.append(list(items))
        self.is_led.set()
        assert self.gate.wait(PATIENCE)
        for failure in filter(None, map(self.fails, items)):
            raise failure
        return [None if self.refuses(item) else f"stored {item}" for item in items]


@pytest.fixture
def table() -> Table:
    """A table without rows."""
    return Table()


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    """As many threads as a test needs."""
    with ThreadPoolExecutor(MAX_BATCH + 10) as made:
        yield made


def add_behind_one(
    table: Table, group: GroupCommit[int, str], pool: ThreadPoolExecutor, items: Sequence[int]
) -> list[Future[str | None]]:
    """Let a thread store 0, and others add their items meanwhile, one after another."""
    added = [pool.submit(group.add, 0)]
    assert table.is_led.wait(PATIENCE)
    for number, item in enumerate(items, start=1):
        added.append(pool.submit(group.add, item))
        wait_until(lambda: len(group._queue) == number)  # noqa: B023  (it is called at once)
    table.gate.set()
    return added


def outcome(future: Future[str | None]) -> str | type[BaseException] | None:
    """Return what a thread learned, or the kind of its error."""
    error = future.exception(PATIENCE)
    return type(error) if error else future.result()


def test_one_alone_stores_at_once_in_its_own_thread(table: Table) -> None:
    table.gate.set()
    group = GroupCommit(table.store)

    assert [group.add(1), group.add(2)] == ["stored 1", "stored 2"]

    assert table.batches == [[1], [2]]


def test_those_that_come_meanwhile_are_stored_together(table: Table, pool: ThreadPoolExecutor) -> None:
    added = add_behind_one(table, GroupCommit(table.store), pool, [1, 2, 3])

    assert [outcome(one) for one in added] == [f"stored {item}" for item in range(4)]
    assert table.batches == [[0], [1, 2, 3]]


def test_each_learns_what_became_of_its_own(table: Table, pool: ThreadPoolExecutor) -> None:
    table.refuses = lambda item: item == 2

    added = add_behind_one(table, GroupCommit(table.store), pool, [1, 2, 3])

    assert [outcome(one) for one in added] == ["stored 0", "stored 1", None, "stored 3"]


def test_a_batch_is_limited(table: Table, pool: ThreadPoolExecutor) -> None:
    items = range(1, MAX_BATCH + 3)

    added = add_behind_one(table, GroupCommit(table.store), pool, items)

    assert [outcome(one) for one in added] == [f"stored {item}" for item in (0, *items)]
    assert [len(batch) for batch in table.batches] == [1, MAX_BATCH, 2]


@pytest.mark.parametrize("failure", [RuntimeError(), SystemExit(1), KeyboardInterrupt()], ids=repr)
def test_when_a_leader_fails_the_others_are_told_and_the_next_one_leads(
    failure: BaseException, table: Table, pool: ThreadPoolExecutor
) -> None:
    group = GroupCommit(table.store)
    table.fails = lambda item: failure if item == 1 else None

    added = add_behind_one(table, group, pool, [1, 2, 3])

    assert [outcome(one) for one in added] == ["stored 0", type(failure), None, None]
    assert group.add(4)


def test_those_behind_a_leader_that_fails_are_stored(table: Table, pool: ThreadPoolExecutor) -> None:
    table.fails = lambda item: RuntimeError() if item == 0 else None

    added = add_behind_one(table, GroupCommit(table.store), pool, [1, 2])

    assert [outcome(one) for one in added] == [RuntimeError, "stored 1", "stored 2"]


def test_nobody_waits_for_a_leader_that_hangs(table: Table, pool: ThreadPoolExecutor) -> None:
    group = GroupCommit(table.store, max_wait=0)
    first = pool.submit(group.add, 0)
    assert table.is_led.wait(PATIENCE)

    assert group.add(1) is None

    table.gate.set()
    assert outcome(first) == "stored 0"
    assert group.add(2) == "stored 2"
    assert table.batches == [[0], [2]]


def test_one_that_becomes_the_leader_while_it_gives_up_leads(table: Table, pool: ThreadPoolExecutor) -> None:
    group = GroupCommit(table.store, max_wait=0)
    table.gate.set()
    group._has_leader = True  # as if somebody led
    leave = group._leave

    def leave_late(own: object) -> None:
        group._hand_over()
        leave(own)  # type: ignore[arg-type]

    group._leave = leave_late  # type: ignore[method-assign]

    assert group.add(1) == "stored 1"
    assert group.add(2) == "stored 2"


def test_many_threads_that_are_impatient_lose_nothing(table: Table, pool: ThreadPoolExecutor) -> None:
    table.gate.set()
    table.refuses = lambda item: item % 7 == 0
    table.fails = lambda item: RuntimeError() if item % 11 == 0 else None
    group = GroupCommit(table.store, max_wait=0.0005)

    added = [pool.submit(group.add, item) for item in range(3000)]
    learned = [outcome(one) for one in added]

    stored = {
        item for batch in table.batches for item in batch if item % 7 and not any(i % 11 == 0 for i in batch)
    }
    assert {item for item, told in enumerate(learned) if isinstance(told, str)} <= stored
    assert sum(map(len, table.batches)) == len({item for batch in table.batches for item in batch})
    assert group.add(1)
    assert not group._queue
