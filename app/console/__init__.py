"""The operator console: every customer, every event, and the Stripe apps, on pages of our own.

Each file here has a blueprint of pages; `PAGES` names them all.
"""

from flask import Blueprint, Flask, request

from app import payers
from app.console.audit import pages as audit
from app.console.common import default_app
from app.console.customer import pages as customer
from app.console.customer.changes import (  # noqa: F401 (views)
    adoption_pages,
    approval_pages,
    attach_pages,
    decline_limit_pages,
    link_pages,
    method_pages,
    people_pages,
)
from app.console.customer.form import pages as form_pages  # noqa: F401 (views)
from app.console.customers import pages as customers
from app.console.handovers import pages as handovers
from app.console.inbox import pages as inbox
from app.console.overview import pages as overview
from app.console.overview.funnel import SlowAnswers
from app.console.portal import pages as portal  # noqa: F401 (its routes join those of `section_page`)
from app.console.portal.sections import section_page
from app.console.stripe import install_pages  # noqa: F401 (its routes join those of `pages`)
from app.console.stripe import pages as stripe

__all__ = ["init_app"]

PAGES: tuple[Blueprint, ...] = (
    overview.pages,
    customers.pages,
    customer.pages,
    inbox.pages,
    audit.pages,
    stripe.pages,
    section_page.pages,
    handovers.pages,
)


def init_app(app: Flask) -> None:
    """Add the pages of the console, and tell each which app is the default."""
    app.extensions["gangway.slow_answers"] = SlowAnswers()
    for pages in PAGES:
        app.register_blueprint(pages)
    app.jinja_env.globals["status_info"] = payers.status_info

    @app.context_processor
    def _context() -> dict[str, object]:
        is_console = request.path.startswith("/operator")
        return {"default_app": default_app.current()} if is_console else {}
