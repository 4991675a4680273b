"""A Django site with dj-stripe's webhook and nothing else, for a separate virtual environment.

`python djstripe_site.py` makes its tables and an endpoint and tells where that is; gunicorn serves
`application`.
"""
# mypy: ignore-errors

import json
import os
import sys
from urllib.parse import parse_qsl, urlsplit

import django
import stripe
from django.conf import settings
from django.core.management import call_command
from django.core.wsgi import get_wsgi_application
from django.urls import include, path


def _database() -> dict[str, object]:
    url = os.environ["BENCH_DATABASE"]
    if url.startswith("sqlite"):
        pragmas = "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
        options = {"timeout": 15, "transaction_mode": "IMMEDIATE", "init_command": pragmas}
        return {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": url.removeprefix("sqlite:///"),
            "OPTIONS": options,
        }
    parts = urlsplit(url)
    query = dict(parse_qsl(parts.query))
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": parts.path.strip("/"),
        "USER": parts.username,
        "HOST": query.get("host") or parts.hostname,
        "PORT": query.get("port") or parts.port or "",
        "CONN_MAX_AGE": 600,
    }


settings.configure(
    SECRET_KEY="bench" * 10,
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF=__name__,
    INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", "djstripe"],
    DATABASES={"default": _database()},
    USE_TZ=True,
    STRIPE_TEST_SECRET_KEY=os.environ["BENCH_API_KEY"],
    STRIPE_LIVE_MODE=False,
    DJSTRIPE_FOREIGN_KEY_TO_FIELD="id",
    DJSTRIPE_USE_NATIVE_JSONFIELD=True,
    LOGGING_CONFIG=None,
)
stripe.api_base = os.environ["BENCH_STRIPE"]
stripe.enable_telemetry = False
django.setup()
urlpatterns = [path("stripe/", include("djstripe.urls", namespace="djstripe"))]
application = get_wsgi_application()

if __name__ == "__main__":
    from djstripe.models import WebhookEndpoint

    call_command("migrate", verbosity=0)
    endpoint, _ = WebhookEndpoint.objects.update_or_create(
        id="we_bench",
        defaults={
            "secret": os.environ["BENCH_SECRET"],
            "url": "https://example.com/",
            "enabled_events": ["*"],
            "status": "enabled",
            "livemode": False,
        },
    )
    json.dump({"path": f"/stripe/webhook/{endpoint.djstripe_uuid}/"}, sys.stdout)
