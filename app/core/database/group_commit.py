"""Let threads that store something at the same time share one transaction.

Each commit makes the database write to its disk and answer, whether it stores one row or twenty.
"""

from collections import deque
from collections.abc import Callable, Sequence
from threading import Lock
from typing import Generic, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

MAX_BATCH = 64  # items that one transaction stores
MAX_WAIT = 5.0  # seconds that a thread waits for another one to store its item


class GroupCommit(Generic[Item, Result]):
    """A queue of items that is emptied by the threads themselves.

    The first thread leads: it stores its own item at once. What others add meanwhile is stored by the first
    of them, together, as soon as the leader is done. So nobody waits for a timer, and one that comes
    alone waits for nobody.
    """

    def __init__(
        self, store: Callable[[Sequence[Item]], Sequence[Result | None]], *, max_wait: float = MAX_WAIT
    ) -> None:
        """Take a function that stores items and commits. It says what became of each; None: not stored."""
        self._store = store
        self._max_wait = max_wait
        self._lock = Lock()
        self._queue: deque[_Waiting[Item, Result]] = deque()
        self._has_leader = False

    def add(self, item: Item) -> Result | None:
        """Store an item, together with those of other threads. Return what became of it once it is committed.

        None: nobody knows more. It was refused, or the leader failed or took too long. Then the thread
        must store its item in another way, which has to allow for an item that is already there.
        """
        own: _Waiting[Item, Result] = _Waiting(item)
        with self._lock:
            self._queue.append(own)
            own.leads, self._has_leader = not self._has_leader, True
        if not own.leads and not own.signal.acquire(timeout=self._max_wait):
            self._leave(own)
        if own.leads:
            self._lead()
        return own.result

    def _lead(self) -> None:
        with self._lock:
            batch = [self._queue.popleft() for _ in range(min(len(self._queue), MAX_BATCH))]
        try:
            for one, result in zip(batch, self._store([one.item for one in batch]), strict=True):
                one.result = result
        finally:  # whatever happens to this thread, the others go on
            self._hand_over()
            for one in batch:
                if not one.leads:
                    one.signal.release()

    def _hand_over(self) -> None:
        with self._lock:
            self._has_leader = bool(self._queue)
            if self._has_leader:
                self._queue[0].leads = True
                self._queue[0].signal.release()

    def _leave(self, own: "_Waiting[Item, Result]") -> None:
        """Stop waiting, unless this thread has just become the leader."""
        with self._lock:
            if not own.leads and own in self._queue:
                self._queue.remove(own)


class _Waiting(Generic[Item, Result]):
    """An item. Its thread waits for the signal: it was stored, it was not, or the thread leads now."""

    __slots__ = ("item", "leads", "result", "signal")

    def __init__(self, item: Item) -> None:
        self.item = item
        self.leads = False
        self.result: Result | None = None
        self.signal = Lock()
        self.signal.acquire()
