"""Health, readiness, metrics for Prometheus, alert rules and a dashboard."""

from flask import Flask

from app.core.metrics import Metrics
from app.monitoring import pages, requests

__all__ = ["init_app"]


def init_app(app: Flask, metrics: Metrics) -> None:
    """Count every request, and serve health, readiness and metrics."""
    requests.count_requests(app, metrics)
    app.register_blueprint(pages.bp)
