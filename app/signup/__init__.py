"""The public flow: sign up, return, go on."""

from flask import Flask
from flask_wtf import CSRFProtect

from app.config import Settings
from app.signup import pages


def init_app(app: Flask, settings: Settings, csrf: CSRFProtect) -> None:
    """Register the pages and count sign-ups by address."""
    app.config["RATELIMIT_STORAGE_URI"] = settings.rate_limit_storage
    pages.limiter.init_app(app)
    app.register_blueprint(pages.bp)
    csrf.exempt(pages.submit)  # its form checks the token itself, and keeps what was typed when it is stale


__all__ = ["init_app"]
