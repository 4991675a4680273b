"""A Stripe that hangs, and a clock that moves only while somebody waits for it."""

from typing import Any

import requests
from flask import Flask
from requests.adapters import BaseAdapter

from app import apps
from app.gateway import StripeGateway
from app.gateway.client import TIMEOUTS
from app.gateway.transport.budget_client import TimeBudgetClient
from tests.conftest import STRIPE


class Clock:
    """Time that passes only while Stripe is waited for."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


class HangingStripe(BaseAdapter):
    """A Stripe that accepts connections, or none, and never answers."""

    def __init__(self, clock: Clock, *, connects: bool = True) -> None:
        super().__init__()
        self._clock, self._connects = clock, connects
        self.calls = 0

    def send(self, *_: Any, timeout: Any = None, **__: Any) -> requests.Response:
        """Wait as long as the caller is ready to, then fail as the network does."""
        self.calls += 1
        connect, answer = timeout
        self._clock.now += answer if self._connects else connect
        raise requests.ReadTimeout() if self._connects else requests.ConnectTimeout()

    def close(self) -> None:
        """Nothing stays open."""


def hang(app: Flask, stripe: HangingStripe) -> None:
    """Have every call of this app go to a Stripe that hangs."""

    def gateway_factory(api_key: str) -> StripeGateway:
        wire = requests.Session()
        wire.mount("http://", stripe)
        client = TimeBudgetClient(timeout=TIMEOUTS, session=wire)
        on_call = app.extensions["gangway.metrics"].stripe_call
        return StripeGateway(api_key, api_base=STRIPE, http_client=client, on_call=on_call)

    app.extensions["gangway.connections"] = apps.Connections(
        app.extensions["gangway.sealer"], gateway_factory
    )
