"""Who may use the API and the console."""

from flask import Flask
from flask_wtf import CSRFProtect

from app.operators.auth import passwords, sessions
from app.operators.auth.accounts import create, ensure_password
from app.operators.auth.sessions import purge
from app.operators.auth.setup import offer_setup
from app.operators.auth.tokens import admit, create_token
from app.operators.models import ApiToken, Operator, Role
from app.operators.pages import (
    guard,
    login,
    team,  # noqa: F401 (its routes join those of `account`)
    tokens,  # noqa: F401 (so do these)
)
from app.operators.pages.account import pages
from app.operators.pages.guard import OperatorPages, actor, current, current_session
from app.operators.pages.one_time_flash import keep as keep_once
from app.operators.pages.one_time_flash import take as take_once


def init_app(app: Flask, csrf: CSRFProtect) -> None:
    """Register the operators' pages, and tell Flask-Login and the templates who is logged in."""
    passwords.init_app(app)
    sessions.init_app(app)
    guard.init_app(app)
    app.register_blueprint(login.bp)
    csrf.exempt(login.bp)  # its forms check the token, and keep the input when it is stale
    app.register_blueprint(pages)


__all__ = [
    "ApiToken",
    "Operator",
    "OperatorPages",
    "Role",
    "actor",
    "admit",
    "create",
    "create_token",
    "current",
    "current_session",
    "ensure_password",
    "init_app",
    "keep_once",
    "offer_setup",
    "purge",
    "take_once",
]
