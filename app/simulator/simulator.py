"""The simulator: the engine, and the web application over it."""

from collections.abc import Sequence
from pathlib import Path

from app.simulator.engine import Engine
from app.simulator.resources import accounts
from app.simulator.web import make_app


class Simulator(Engine):
    """A Stripe small enough to embed, with any number of accounts in test mode.

    `path` names a file for the store; without one it lives in memory. `public_url` is the origin of the
    hosted pages. `retry_schedule` holds the seconds between the attempts of a delivery. `wsgi` serves the
    API under /v1, the hosted page under /c/pay/ and the controls under /_control. Threads make the
    deliveries after `start()`; without it, call `deliver_due()`.
    """

    def __init__(
        self,
        path: Path | None = None,
        public_url: str = "http://127.0.0.1:12111",
        retry_schedule: Sequence[float] = (1, 5, 25),
        account_name: str = accounts.DEFAULT_NAME,
    ) -> None:
        super().__init__(path, public_url, retry_schedule, account_name)
        self.wsgi = make_app(self)
