"""The rate limit of each account."""

import threading


class RateLimiter:
    """Counts the calls of each account in the current second."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._second = 0
        self._calls: dict[str, int] = {}

    def allows(self, account: str, now: float, limit: int) -> bool:
        """Count a call. Return False when it exceeds the limit; 0 is no limit."""
        with self._lock:
            if int(now) != self._second:
                self._second, self._calls = int(now), {}
            self._calls[account] = self._calls.get(account, 0) + 1
            return not limit or self._calls[account] <= limit
