"""The way back to the company's app, once a payment method is saved."""

import hashlib
import hmac
import time
from urllib.parse import urlencode, urlsplit

from sqlalchemy.orm import Session

from app import portal
from app.core.values import frozen
from app.customers import Customer
from app.onboarding import handovers, queries
from app.onboarding.browsers import embedding
from app.onboarding.models import Signup
from app.payers import PaymentStatus, status_info
from app.web import languages
from app.web.addresses.redirects import check_return_url, is_on_host

PURPOSE = "gangway-return"  # what is signed begins with it, so that it can be nothing else


@frozen
class WayBack:
    """Where the page leads, under which name, and after how many seconds it continues without a click."""

    url: str
    label: str | None  # None: the address came without a name
    seconds: int | None


def way_back(
    session: Session, customer: Customer, signup: Signup, status: PaymentStatus, *, stays: bool
) -> WayBack | None:
    """Return the way back from a page that shows this status; None if there is none.

    `stays` says that the person chose to stay, or that the page has something that must be read.
    """
    info = status_info(status)
    if not info.is_usable and not info.waits_for_bank:
        return None
    after = portal.current_profile().after
    url, label = _place(session, signup)
    if url is None or (after.allowed_return_hosts and not is_on_host(url, after.allowed_return_hosts)):
        url, label = after.return_url, None
    if url is None or not _is_good(url):
        return None
    if url == after.return_url:  # the profile's label names this place, and may be wrong for any other
        label = label or _own_label(after.label) or urlsplit(url).hostname
    stays = stays or embedding.is_embedded()  # a frame can't lead the whole window on without a click
    seconds = None if stays or status is not PaymentStatus.SAVED else after.redirect_seconds
    if after.is_signed:
        url = signed(session, url, customer, status)
    return WayBack(url, label, seconds)


def signed(session: Session, url: str, customer: Customer, status: PaymentStatus) -> str:
    """Return a URL with what we say about a customer, and our signature on it.

    Without a secret, nothing is said: a statement that nobody can check is worse than none.
    """
    secret = handovers.oldest_live(session)
    if secret is None:
        return url
    said = [customer.id, status.value, str(int(time.time())), customer.key or ""]
    text = "\n".join([PURPOSE, *said])
    signature = hmac.new(secret.text.encode(), text.encode(), hashlib.sha256).hexdigest()
    names = ("customer_id", "status", "time", "key", "signature")
    query = urlencode(
        {f"gangway_{name}": value for name, value in zip(names, [*said, signature], strict=True)}
    )
    parts = urlsplit(url)
    return parts._replace(query=f"{parts.query}&{query}" if parts.query else query).geturl()


def _place(session: Session, signup: Signup) -> tuple[str | None, str | None]:
    """Return the URL and the label that the hand-over of this browser gave.

    Somebody who came back from Stripe's page in another browser has the newest ones of the customer.
    """
    if signup.return_url is None and signup.browser_hash is None:
        signup = queries.newest_with_return(session, signup.customer_id) or signup
    return signup.return_url, signup.return_label


def _own_label(labels: dict[str, str]) -> str | None:
    """Return the profile's name of the place, in the reader's language if there is one."""
    return labels.get(str(languages.current())) or next(iter(labels.values()), None)


def _is_good(url: str) -> bool:
    try:
        check_return_url(url)
    except ValueError:  # the settings may have changed since
        return False
    return True
