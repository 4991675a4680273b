"""How often an address may do what costs us, or what guesses at secrets."""

from flask import Flask
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address

from app.config import Settings

limiter = Limiter(get_remote_address, headers_enabled=False, in_memory_fallback_enabled=True)


def init_app(app: Flask, settings: Settings) -> None:
    """Count where the settings say."""
    app.config["RATELIMIT_STORAGE_URI"] = settings.rate_limit_storage
    limiter.init_app(app)
