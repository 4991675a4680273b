"""Count each request by its route, for Prometheus."""

import time

from flask import Flask, Response, g, request

from app.core.metrics import Metrics


def count_requests(app: Flask, metrics: Metrics) -> None:
    """Count every response. All unknown addresses are one route, so strangers can't add series."""

    @app.before_request
    def _begin() -> None:
        g.counted_since = time.perf_counter()

    @app.after_request
    def _end(response: Response) -> Response:
        route = request.url_rule.rule if request.url_rule is not None else "unknown"
        took = time.perf_counter() - g.get("counted_since", time.perf_counter())
        metrics.request(route, request.method, response.status_code, took)
        return response
