"""Security headers on every answer, and the request's id."""

from collections.abc import Sequence

from flask import Flask, Response, g

from app.core.config import Settings
from app.core.db import new_id
from app.web.addresses import proxies

STRIPE_CHECKOUT = "https://checkout.stripe.com"
STRIPE_PORTAL = "https://billing.stripe.com"


def init_app(app: Flask, settings: Settings) -> None:
    """Give each request an id, and each answer the headers that keep browsers on our side."""
    proxies.init_app(app, settings)
    always = {
        "X-Content-Type-Options": "nosniff",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=()",
    }
    if settings.is_secure:
        always["Strict-Transport-Security"] = "max-age=63072000; includeSubDomains"
    unless_said = {
        "Referrer-Policy": "strict-origin-when-cross-origin",
        "Content-Security-Policy": content_security_policy(settings),
        "Cache-Control": "no-store",  # what may be kept says so
    }

    @app.before_request
    def _name_request() -> None:
        g.request_id = new_id()

    @app.after_request
    def _guard(response: Response) -> Response:
        headers = response.headers
        headers["X-Request-Id"] = g.get("request_id", "")
        headers.extend({name: value for name, value in unless_said.items() if name not in headers})
        headers.extend(always)  # no view sets one of these
        return response


def content_security_policy(settings: Settings, *, frame_ancestors: Sequence[str] = ("'none'",)) -> str:
    """Nothing but our own files. Forms may lead to Stripe's page: browsers check where a 303 goes, too.

    `frame_ancestors` are the origins that may show the page in a frame.
    """
    pages = [STRIPE_CHECKOUT, STRIPE_PORTAL, *settings.checkout_origins]
    if settings.is_simulated:
        # A simulator shows its pages where it likes on this machine, and something may stand before its API.
        pages += ["http://127.0.0.1:*", "http://localhost:*"]
    return "; ".join(
        (
            "default-src 'none'",
            "style-src 'self'",
            "script-src 'self'",
            "img-src 'self'",
            "connect-src 'self'",
            "base-uri 'none'",
            f"frame-ancestors {' '.join(frame_ancestors)}",
            f"form-action 'self' {' '.join(pages)}",
        )
    )
