"""The default app, because the head of each page of the console says in which mode it is."""

from flask import g
from sqlalchemy.exc import SQLAlchemyError

from app import apps
from app.core import db


def know(app: apps.App | None) -> None:
    """Let this request know the default app that it has read already."""
    g.default_app = app


def current() -> apps.App | None:
    """Return the default app. None also if no database answers, or the error page would fail."""
    if "default_app" not in g:
        try:
            know(apps.default(db.session()))
        except SQLAlchemyError:
            return None
    found: apps.App | None = g.default_app
    return found
