"""Put the application together."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from flask import Flask
from flask_wtf import CSRFProtect
from jinja2 import StrictUndefined

from app import apps, console, doctor, monitoring, onboarding, operators, outbox, portal, sync, webhooks
from app.api.documents import docs
from app.apps.api import api as apps_api
from app.checkout.api import api as checkout_api
from app.core import db
from app.core.config import Settings
from app.core.metrics import Metrics
from app.core.secrets.sealing import Sealer
from app.customers.api import api as customers_api
from app.gateway import StripeGateway
from app.onboarding.handovers.api import api as handovers_api
from app.onboarding.links.api import api as links_api
from app.payers.api import api as payers_api
from app.payers.api import apps_api as uninstall_api
from app.web import headers, languages, limits, logging, problems, static_files, times
from app.web.addresses import origins, paths
from app.web.addresses.rules import LateRule
from app.web.input import storable
from app.web.templating import Templates
from app.webhooks import api as webhooks_api

WSGIApplication = Callable[..., Any]

APIS = (customers_api, payers_api, checkout_api, apps_api, uninstall_api, handovers_api, links_api)

CHORES = (
    sync.Chore(outbox.deliver, interval=1.0, may_block=True),  # somebody waits for a code
    sync.Chore(doctor.examine_due, interval=15.0),
)


class Portal(Flask):
    """Flask, where no view and no hook is asynchronous, and where threads share what they load."""

    jinja_environment = Templates
    url_rule_class = LateRule

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """Return a function as it is. Flask would examine each hook of each request."""
        return func


def create_app(settings: Settings, *, stripe_in_process: WSGIApplication | None = None) -> Flask:
    """Put the application together: the one place that knows every package.

    `stripe_in_process` is a WSGI application that stands in for Stripe's API, such as the simulator in the
    tests. Without it, the SDK connects to the address in the settings. The worker is made but not started,
    because a server that forks must start it after forking.
    """
    here = Path(__file__).resolve().parent
    root = here.parent if (here.parent / "templates").is_dir() else here  # a checkout, else a wheel
    app = Portal(
        "app",
        template_folder=str(root / "templates"),
        static_folder=str(root / "static"),
        instance_path=str(settings.data_dir.absolute()),
    )
    app.config.update(
        SECRET_KEY=settings.signing_keys[-1],
        SECRET_KEY_FALLBACKS=settings.signing_keys[:-1],
        WTF_CSRF_SECRET_KEY=settings.signing_keys,
        SESSION_COOKIE_NAME="__Host-gangway" if settings.is_secure else "gangway",
        SESSION_COOKIE_SECURE=settings.is_secure,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",  # Strict would be missing when Stripe's page leads back
        PERMANENT_SESSION_LIFETIME=timedelta(days=settings.browser_days),
        MAX_CONTENT_LENGTH=64 * 1024,
        MAX_FORM_PARTS=500,
        WTF_CSRF_TIME_LIMIT=None,  # as long as the session
        WTF_CSRF_SSL_STRICT=False,  # it compares the referrer with the Host; web/origins.py does better
    )
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.jinja_env.undefined = StrictUndefined

    metrics = app.extensions["gangway.metrics"] = Metrics()

    def gateway_factory(api_key: str) -> StripeGateway:
        from app.gateway.transport.wsgi import WSGITransport  # noqa: PLC0415  (it imports the SDK)

        transport = WSGITransport(stripe_in_process) if stripe_in_process else None
        return StripeGateway(
            api_key,
            api_base=settings.stripe_api_base,
            http_client=transport,
            on_call=metrics.stripe_call,
        )

    keys = [key.get_secret_value() for key in settings.encryption_keys]
    app.extensions["gangway.settings"] = settings
    app.extensions["gangway.sealer"] = Sealer(keys)
    app.extensions["gangway.connections"] = apps.Connections(
        app.extensions["gangway.sealer"], gateway_factory
    )

    app.extensions["gangway.receivers"] = apps.Receivers()
    app.extensions["gangway.arrivals"] = webhooks.new_arrivals()

    db.init_app(app, sa.make_url(settings.database_url))
    static_files.init_app(app)
    headers.init_app(app, settings)
    logging.init_app(app)
    origins.init_app(app, settings)
    storable.init_app(app)
    monitoring.init_app(app, metrics)
    problems.init_app(app)
    portal.init_app(app)
    times.init_app(app)
    languages.init_app(app, lambda: portal.current_profile().languages)
    csrf = CSRFProtect(app)
    paths.init_app(app)
    limits.init_app(app, settings)
    for api in APIS:
        app.register_blueprint(api)
        csrf.exempt(api)  # a token is sent by hand, never by a browser on its own
    docs.init_app(app, (operation for api in APIS for operation in api.operations), settings)
    app.register_blueprint(webhooks_api.bp)
    csrf.exempt(webhooks_api.bp)  # Stripe signs what it sends
    onboarding.init_app(app, csrf)
    operators.init_app(app, csrf)
    console.init_app(app)
    app.extensions["gangway.worker"] = make_worker(app, settings.worker_threads)
    return app


def make_worker(app: Flask, threads: int) -> sync.Worker:
    """Make a worker that also does what later packages have to do now and then."""
    return sync.Worker(app, threads, chores=CHORES)
