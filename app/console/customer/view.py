"""Everything about one customer, for its page."""

from datetime import datetime

from app import apps, audit, checkout, customers, webhooks
from app.console.customer.account import Account
from app.core.db import utcnow
from app.core.values import frozen
from app.onboarding.links import OnboardingLink


@frozen(kw_only=True)
class View:
    """The page of one customer."""

    customer: customers.Customer
    installed: list[apps.App]
    accounts: list[Account]  # the default app's first
    links: list[OnboardingLink]  # the newest first
    events: list[webhooks.Event]  # the newest first, without payloads
    entries: list[audit.Entry]  # the newest first
    has_more: bool  # are there older entries?
    names: dict[str, str]  # of actors
    deletion: audit.Entry | None
    now: datetime

    @property
    def main(self) -> Account | None:
        """The customer in the default app, or in the only app."""
        return self.accounts[0] if self.accounts else None

    @property
    def default_app(self) -> apps.App | None:
        """The app of new customers."""
        return next((app for app in self.installed if app.is_default), None)

    @property
    def working_link(self) -> OnboardingLink | None:
        """The newest link that still works, in any app."""
        return next((link for link in self.links if link.works), None)

    def place_of(self, link: OnboardingLink) -> str | None:
        """The app of a link, when it is not obvious."""
        if link.app_id is not None and link.app_id not in {app.id for app in self.installed}:
            return "of an app that is uninstalled"
        name = next((account.app.name for account in self.accounts if link in account.links), None)
        return f"in {name}" if name and len(self.accounts) > 1 else None


def describe_session(opened: checkout.CheckoutSession) -> tuple[str, str]:
    """The state of a checkout session in words, and its tone."""
    if opened.setup_status == "succeeded":
        return "Completed, method saved", "success"
    if opened.status == "complete":
        return (
            ("Completed, then refused", "error")
            if opened.error_code
            else ("Completed, waiting for the bank", "info")
        )
    if opened.status == "expired" or opened.expires_at <= utcnow():
        return "Expired", "warning"
    if opened.setup_status == "requires_action":
        return "Open, 3-D Secure unfinished", "warning"
    return ("Open, last attempt declined", "error") if opened.error_code else ("Open", "info")
