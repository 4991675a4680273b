"""Stripe's deliveries, led into the application in this process."""

from collections.abc import Callable
from urllib.parse import urlsplit

from flask import Flask


def into(app: Flask) -> Callable[[str, bytes, dict[str, str]], int]:
    """Give a `send` for the simulator that posts to the application and answers its status."""

    def send(url: str, body: bytes, headers: dict[str, str]) -> int:
        answer = app.test_client().post(urlsplit(url).path, data=body, headers=headers)
        return answer.status_code

    return send
