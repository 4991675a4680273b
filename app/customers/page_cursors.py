"""Where far pages of long lists begin, remembered from the pages before them."""

import threading
import time
from collections import OrderedDict
from collections.abc import Hashable
from typing import Any

MIN_FAR_OFFSET = 10_000  # rows; nearer pages are counted each time, and so are always exact
LIFETIME = 60.0  # seconds; meanwhile, a far page continues after the one before it
MAX_CURSORS = 1_000


class PageCursors:
    """The last row of pages that were read, so that the next page can begin behind it.

    A list that grows meanwhile shifts its numbered pages; continuing behind the last row shows nothing
    twice and leaves nothing out. One instance for each process.
    """

    def __init__(self) -> None:
        self._rows: OrderedDict[Hashable, tuple[float, Any]] = OrderedDict()
        self._lock = threading.Lock()

    def find(self, page: Hashable) -> Any:
        """The row behind which a page begins, if it is known."""
        with self._lock:
            kept_at, row = self._rows.get(page, (0.0, None))
        return row if time.monotonic() - kept_at < LIFETIME else None

    def keep(self, page: Hashable, row: Any) -> None:
        """Remember the row behind which a page begins."""
        with self._lock:
            self._rows[page] = (time.monotonic(), row)
            self._rows.move_to_end(page)
            if len(self._rows) > MAX_CURSORS:
                self._rows.popitem(last=False)
