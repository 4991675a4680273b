"""Letting a browser in to a customer that exists, because the company's app vouches for it."""

from flask import current_app
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app import customers, portal
from app.core import db
from app.core.db import utcnow
from app.customers import Customer
from app.onboarding import billing, handovers, links, queries
from app.onboarding.browsers.renewal import JUST_NOW, renew
from app.onboarding.handovers import Handover, HandoverRefused
from app.onboarding.links.follow import bind, note_return
from app.onboarding.models import browser_hash


def enter(
    session: Session, handover: Handover, customer: Customer, *, browser: str
) -> tuple[links.OnboardingLink, str]:
    """Let a browser open a customer's billing page. Return its link and the browser's new name. Commits.

    The hand-over becomes an onboarding link that nobody is shown. So an operator sees it, and revoking it
    ends the access. Raises HandoverRefused.
    """
    customer_id, details = customer.id, handover.details
    token = links.token_of_form(str(current_app.secret_key), f"handover:{handover.fingerprint}:{customer_id}")
    db.start_write(session)
    # First, in the order of all who end access.
    customers.lock(session, customer_id, details.locked_fields, made_at=handover.made_at)
    name = _name(session, handover, customer_id, browser)
    handovers.claim(session, handover, customer_id=customer_id, browser_hash=browser_hash(name))
    link = links.find(session, token, lock=True) or _make(session, handover, customer, token)
    if not link.works:
        raise HandoverRefused(handovers.EXPIRED, "An operator revoked the link of this hand-over.")
    bind(session, link, name, is_of_handover=True)
    billing.let_in(session, customer_id, name, way=billing.Way.HANDOVER, profile=portal.current_slug())
    note_return(session, customer_id, browser=name, url=details.return_url, label=details.return_label)
    session.commit()
    return link, name


def _name(session: Session, handover: Handover, customer_id: str, browser: str) -> str:
    """Return the browser's name from now on: a new one, unless it already had access. Flushes.

    Its former name and a single-use hand-over that it used no longer open anything, except for a double
    click. Raises HandoverRefused.
    """
    if queries.access_of(session, browser, customer_id) is not None:
        return browser
    use = handovers.used_by(session, handover)
    name = renew(session, browser, f"{handover.fingerprint}:{customer_id}")
    if use is not None and use.browser_hash == browser_hash(name) and use.used_at < utcnow() - JUST_NOW:
        raise HandoverRefused(handovers.USED, "The token was used before.")
    return name


def _make(session: Session, handover: Handover, customer: Customer, token: str) -> links.OnboardingLink:
    try:
        with session.begin_nested():
            link, _ = links.create(
                session,
                customer,
                actor=handover.actor,
                profile=portal.current_slug(),
                expires_at=handover.expires_at + 2 * handovers.FORM_LIFETIME,  # a form may be open meanwhile
                token=token,
                return_url=handover.details.return_url,
                return_label=handover.details.return_label,
            )
    except IntegrityError:  # the same hand-over at the same moment
        found = links.find(session, token, lock=True)
        assert found is not None
        return found
    return link
