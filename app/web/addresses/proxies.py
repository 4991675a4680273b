"""Whether the settings fit the proxies in front. Else all visitors share one address and its limits."""

import structlog
from flask import Flask, current_app, request
from werkzeug.middleware.proxy_fix import ProxyFix

from app.core.config import Settings, settings

log = structlog.get_logger("gangway.web")

SEEN = "gangway.ignores_forwarded"
CURE = (
    "Set GANGWAY_TRUSTED_PROXIES to the number of proxies in front, else all visitors share one rate limit."
)


def init_app(app: Flask, settings: Settings) -> None:
    """Believe as many proxies as the settings say; warn once when a proxy is not believed."""
    if settings.trusted_proxies:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=settings.trusted_proxies, x_proto=0)  # type: ignore[method-assign]
        return

    @app.before_request
    def _notice() -> None:
        if "X-Forwarded-For" in request.headers and not app.extensions.get(SEEN):
            app.extensions[SEEN] = True
            log.warning("forwarded_address_ignored", detail=_ignored())


def doubt(settings: Settings) -> str | None:
    """Return why GANGWAY_TRUSTED_PROXIES looks wrong, from the settings alone."""
    if settings.trusted_proxies or not settings.is_secure:
        return None
    return f"GANGWAY_PUBLIC_URL is https, which a proxy must speak, but GANGWAY_TRUSTED_PROXIES is 0. {CURE}"


def current_doubt() -> str | None:
    """Return the same, also from what this process has seen."""
    return _ignored() if current_app.extensions.get(SEEN) else doubt(settings())


def _ignored() -> str:
    return f"A request came with X-Forwarded-For, but GANGWAY_TRUSTED_PROXIES is 0. {CURE}"
