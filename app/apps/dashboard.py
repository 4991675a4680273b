"""Links to Stripe's Dashboard."""

from urllib.parse import quote

from app.apps.models import App
from app.core.config import settings

DASHBOARD = "https://dashboard.stripe.com"
# The Dashboard's pages. Its search finds everything else.
PAGES = {
    "account": "dashboard",
    "keys": "apikeys",
    "customer": "customers/{}",
    "setup_intent": "setup_intents/{}",
    "event": "events/{}",
    "webhook_endpoint": "webhooks/{}",
}
SEARCH = "search?query={}"


def dashboard_url(app: App, kind: str, id: str = "") -> str:  # noqa: A002 (Stripe's word)
    """Return the Dashboard page of an object in the app's account and mode, or the simulator's page."""
    if settings().is_simulated:
        return f"{settings().stripe_api_base}/_control"
    mode = "" if app.livemode else "test/"
    page = PAGES.get(kind, SEARCH).format(quote(id, safe=""))
    return f"{DASHBOARD}/{app.stripe_account_id}/{mode}{page}"
