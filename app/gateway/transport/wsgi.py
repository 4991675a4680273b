"""The SDK's requests to a Stripe that runs in this very process, as a WSGI application."""

from collections.abc import Callable, Mapping
from typing import Any

import stripe
from requests.structures import CaseInsensitiveDict
from werkzeug.test import Client

WSGIApplication = Callable[..., Any]


class WSGITransport(stripe.HTTPClient):
    """An HTTP client for the SDK that calls a WSGI application instead of opening a socket.

    Everything above it is the real SDK: parameters, retries, errors. Only the wire is missing.
    """

    name = "wsgi"

    def __init__(self, application: WSGIApplication) -> None:
        super().__init__()
        self._application = application

    def request(  # type: ignore[override]  # as the SDK's own clients do
        self, method: str, url: str, headers: Mapping[str, str] | None, post_data: Any = None
    ) -> tuple[bytes, int, CaseInsensitiveDict[str]]:
        """Send one request. A fault of the connection is raised as the SDK would raise its own."""
        client = Client(self._application)
        try:
            answer = client.open(url, method=method.upper(), headers=dict(headers or {}), data=post_data)
        except (ConnectionError, TimeoutError) as error:
            raise stripe.APIConnectionError(  # type: ignore[no-untyped-call]
                str(error), should_retry=True
            ) from error
        return answer.get_data(), answer.status_code, CaseInsensitiveDict(answer.headers.items())

    def _sleep_time_seconds(self, num_retries: int) -> float:
        return 0.01 * num_retries  # nobody shares this Stripe with us

    def close(self) -> None:
        """Nothing stays open."""
