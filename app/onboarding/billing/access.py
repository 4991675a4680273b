"""Who may open the billing page of a customer, and what they may see and do there."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from app import customers
from app.core.config import settings
from app.core.db import utcnow
from app.onboarding import queries
from app.onboarding.billing.models import Way
from app.onboarding.models import Signup
from app.payers import Payer, PaymentMethod


@dataclass(frozen=True)
class Access:
    """One browser that may open the billing page of one customer, and since when."""

    customer: customers.Customer
    way: Way
    since: datetime
    profile: str | None = None  # of the portal; None: the default one

    @property
    def is_guest(self) -> bool:
        """Did it come by a link, which anybody may have received?"""
        return self.way is Way.LINK

    def sees(self, method: PaymentMethod) -> bool:
        """May it be shown a method? A guest sees none that was there before it came."""
        return not self.is_guest or method.created_at >= self.since

    def sees_default(self, payer: Payer) -> bool:
        """May it know which method is the default? There may be none."""
        return payer.default_method is None or self.sees(payer.default_method)


def find(session: Session, browser: str | None, customer_id: str | None = None) -> Access | None:
    """Return what lets this browser in: for that customer, else for the one it came to last.

    A browser is remembered for some days. A guest stays for as long as its link is not revoked.
    """
    signup = queries.of_browser(session, browser, customer_id)
    return way_in(session, signup) if signup is not None else None


def way_in(session: Session, signup: Signup) -> Access | None:
    """Return the access of a browser that signed a customer up or came by a link."""
    if utcnow() - signup.created_at > timedelta(days=settings().browser_days):
        return None
    customer = session.get(customers.Customer, signup.customer_id, populate_existing=True)
    if customer is None or customer.deleted_at is not None:
        return None
    return Access(customer, Way.LINK if signup.is_guest else Way.SIGNUP, signup.created_at, signup.profile)
