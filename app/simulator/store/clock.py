"""The simulator's time. It can run ahead of the real time."""

import time
from collections.abc import Callable


class Clock:
    """Seconds since 1970 in the simulated Stripe: the real time plus `ahead`."""

    def __init__(self, ahead: float = 0, real_time: Callable[[], float] | None = None) -> None:
        self.ahead = ahead
        self._real_time = real_time or time.time

    def precise(self) -> float:
        return self._real_time() + self.ahead

    def now(self) -> int:
        return int(self.precise())
