"""The simulator's time, which can be sent ahead of the world's."""

import time
from collections.abc import Callable


class Clock:
    """Seconds since 1970 as the simulated Stripe sees them: the world's plus `ahead`."""

    def __init__(self, ahead: float = 0, world: Callable[[], float] | None = None) -> None:
        self.ahead = ahead
        self._world = world or time.time

    def precise(self) -> float:
        return self._world() + self.ahead

    def now(self) -> int:
        return int(self.precise())
