"""The operator's desk: every customer, every event, and the Stripe apps, on pages of our own.

Each file here has a blueprint of pages; `PAGES` names them all.
"""

from flask import Blueprint, Flask, request
from sqlalchemy.exc import SQLAlchemyError

from app import apps
from app.core import db
from app.desk import (
    customer,
    customer_attach,  # noqa: F401 (its routes join those of `customer`)
    customer_details,  # noqa: F401 (its routes join those of `customer`)
    customer_links,  # noqa: F401 (its routes join those of `customer`)
    customers,
    events,
    journal,
    overview,
    stripe,
    words,
)
from app.desk.figures import Remembered

__all__ = ["init_app"]

PAGES: tuple[Blueprint, ...] = (
    overview.pages,
    customers.pages,
    customer.pages,
    events.pages,
    journal.pages,
    stripe.pages,
)


def init_app(app: Flask) -> None:
    """Add the pages of the desk, and tell each which app is the default."""
    app.extensions["gangway.figures"] = Remembered()
    for pages in PAGES:
        app.register_blueprint(pages)
    app.jinja_env.globals["status_words"] = words.STATUS

    @app.context_processor
    def _context() -> dict[str, object]:
        if not request.path.startswith("/operator"):
            return {}
        try:
            return {"default_app": apps.default(db.session())}
        except SQLAlchemyError:  # the page that says so must not fail for the same reason
            return {"default_app": None}
