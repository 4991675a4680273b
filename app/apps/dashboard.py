"""Where a thing of Stripe's can be seen by a person."""

from urllib.parse import quote

from app.apps.models import App
from app.core.config import settings

DASHBOARD = "https://dashboard.stripe.com"
# The pages that things have there. What has none of its own is found by the Dashboard's search.
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
    """The page of a thing in Stripe's Dashboard, in the account and mode of the app.

    With a simulator, which has one page for everything, that page.
    """
    if settings().is_simulated:
        return f"{settings().stripe_api_base}/_control"
    mode = "" if app.livemode else "test/"
    page = PAGES.get(kind, SEARCH).format(quote(id, safe=""))
    return f"{DASHBOARD}/{app.stripe_account_id}/{mode}{page}"
