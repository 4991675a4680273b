"""Posting to the webhook what Stripe would post, or somebody who pretends."""

import hashlib
import hmac
import json
import time
from typing import Any

from flask import Flask
from werkzeug.test import TestResponse

from app.gateway import API_VERSION
from app.simulator import Simulator

JSON = dict[str, Any]


def signed(secret: str, body: bytes, *, at: float | None = None, version: str = "v1") -> str:
    """A Stripe-Signature header. Source: https://docs.stripe.com/webhooks#verify-manually"""
    moment = int(time.time() if at is None else at)
    digest = hmac.new(secret.encode(), f"{moment}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={moment},{version}={digest}"


def event(kind: str = "invoice.paid", thing: Any = None, *, id: str = "evt_1", **more: Any) -> JSON:  # noqa: A002
    """An event as Stripe sends it, about a thing."""
    body = {
        "id": id,
        "object": "event",
        "type": kind,
        "api_version": API_VERSION,
        "livemode": False,
        "created": int(time.time()),
        "data": {"object": {"id": "in_1", "object": "invoice"} if thing is None else thing},
    }
    return body | more


class Postbox:
    """The webhook of the installed app, and the secret that Stripe signs with."""

    def __init__(self, app: Flask, simulator: Simulator) -> None:
        self._app = app
        endpoint = simulator.store.webhook_endpoints.snapshot()[0]
        self.path = str(endpoint["url"]).removeprefix("http://127.0.0.1:8000")
        self.secret = str(simulator.store.notes[endpoint["id"]]["secret"])

    def post(
        self,
        body: JSON | list[Any] | bytes,
        *,
        header: str | None = None,
        path: str | None = None,
        secret: str | None = None,
        at: float | None = None,
        **options: Any,
    ) -> TestResponse:
        """Post a body, signed as Stripe signs unless told otherwise."""
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        if header is None:
            header = signed(secret or self.secret, data, at=at)
        return self._app.test_client().post(
            path or self.path, data=data, headers={"Stripe-Signature": header}, **options
        )
