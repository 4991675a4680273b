"""The SDK's HTTP client, within the time that Stripe may take."""

from collections.abc import Mapping
from typing import Any

import stripe

from app.gateway.transport import whole_answers
from app.gateway.transport.time_budget import timeouts


class TimeBudgetClient(stripe.RequestsClient):
    """The SDK's own client, with timeouts for the whole answer, from the current budget."""

    _usual: tuple[float, float]

    def request(  # type: ignore[override]  # as the SDK's own clients do
        self, method: str, url: str, headers: Mapping[str, str] | None, post_data: Any = None
    ) -> tuple[bytes, int, Mapping[str, str]]:
        """Send one request, on a session of this thread."""
        if getattr(self._thread_local, "session", None) is None:
            self._thread_local.session = self._session or whole_answers.session(url)
        return super().request(method, url, headers, post_data)

    @property
    def _timeout(self) -> tuple[float, float]:
        return timeouts(self._usual)

    @_timeout.setter
    def _timeout(self, usual: tuple[float, float]) -> None:
        self._usual = usual
