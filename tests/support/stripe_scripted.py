"""A Stripe with scripted answers, for those that the simulator never gives."""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from app.gateway import StripeGateway
from app.gateway.transport.wsgi import WSGITransport

Connect = Callable[..., StripeGateway]


@dataclass(frozen=True)
class Answer:
    """One answer."""

    status: int
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)


def failure(status: int, kind: str, **more: str | None) -> Answer:
    """An error as Stripe writes it."""
    return Answer(status, {"error": {"type": kind, **more}})


class Scripted:
    """Gives its answers in turn, repeats the last one, and notes what it was asked."""

    def __init__(self, *answers: Answer) -> None:
        self._answers = list(answers)
        self.asked: list[dict[str, Any]] = []

    @property
    def gateway(self) -> StripeGateway:
        """A gateway to this Stripe."""
        transport = WSGITransport(self)
        return StripeGateway("sk_test_scripted", api_base="http://127.0.0.1:1", http_client=transport)

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Answer one request."""
        self.asked.append(environ)
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        headers = {"Content-Type": "application/json", "Request-Id": "req_scripted"} | answer.headers
        start_response(f"{answer.status} Scripted", list(headers.items()))
        return [answer.body if isinstance(answer.body, bytes) else json.dumps(answer.body).encode()]
