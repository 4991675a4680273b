"""The public flow: sign up or open a link, return, continue, and look after the payment methods."""

from flask import Flask
from flask_wtf import CSRFProtect

from app import customers, outbox
from app.onboarding import blueprint, consents
from app.onboarding.billing import blueprint as billing_blueprint
from app.onboarding.billing.codes import mail as code_mail
from app.onboarding.billing.codes import pages as code_pages  # noqa: F401 (views)
from app.onboarding.billing.details import former_address
from app.onboarding.billing.details import pages as details_pages  # noqa: F401 (views)
from app.onboarding.billing.people import pages as people_pages  # noqa: F401 (views)
from app.onboarding.browsers import embedding
from app.onboarding.consents import of_customer as consents_of
from app.onboarding.handovers.arrival import pages as handover_pages
from app.onboarding.links import pages as link_pages
from app.onboarding.models import Consent
from app.onboarding.previews import PREVIEWS
from app.onboarding.returns import pages as return_pages  # noqa: F401 (views)
from app.onboarding.signup import pages


def init_app(app: Flask, csrf: CSRFProtect) -> None:
    """Register the pages."""
    embedding.init_app(app)
    app.register_blueprint(blueprint.bp)
    app.jinja_env.globals["asks_consent"] = consents.is_asked
    app.register_blueprint(billing_blueprint.bp)
    outbox.set_writer(app, code_mail.KIND, code_mail.write)
    customers.on_email_change(app, former_address.leave)
    for view in (pages.submit, link_pages.press, link_pages.note_opened, handover_pages.enter):
        csrf.exempt(view)  # each checks the token itself, and answers a stale page with a new one


__all__ = ["PREVIEWS", "Consent", "consents_of", "init_app"]
