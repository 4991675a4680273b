"""A Stripe that answers some of its calls in a way that nobody foresaw."""

from collections.abc import Callable, Iterable
from typing import Any

from app.simulator import Simulator


def answer_oddly(simulator: Simulator, prefix: str) -> None:
    """Answer every call to a path that begins so with 418, from now on."""
    inside = simulator.wsgi.wsgi_app

    def odd(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        if not environ["PATH_INFO"].startswith(prefix):
            return list(inside(environ, start_response))
        start_response("418 I'm a teapot", [("Content-Type", "application/json")])
        return [b'{"error": {"type": "api_error", "message": "Short and stout."}}']

    simulator.wsgi.wsgi_app = odd  # type: ignore[method-assign]
