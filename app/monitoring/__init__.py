"""Is all well? Readiness, numbers for Prometheus, alerts and a dashboard."""

from app.monitoring.pages import bp

__all__ = ["bp"]
