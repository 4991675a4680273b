"""Letting a browser in to a customer that exists, because the company's app vouches for it."""

from flask import current_app
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app import customers, portal
from app.core import db
from app.customers import Customer
from app.onboarding import billing, handovers, links
from app.onboarding.follow import bind, note_return
from app.onboarding.handovers import Handover, HandoverRefused
from app.onboarding.models import browser_hash


def enter(session: Session, handover: Handover, customer: Customer, *, browser: str) -> links.OnboardingLink:
    """Let a browser open a customer's billing page, and return the link that stands behind it. Commits.

    The hand-over becomes an onboarding link that nobody is shown. So an operator sees it, and revoking it
    ends the access. Raises HandoverRefused.
    """
    customer_id, details = customer.id, handover.details
    token = links.token_of_form(str(current_app.secret_key), f"handover:{handover.fingerprint}:{customer_id}")
    db.end_read(session)
    db.start_write(session)
    # First, in the order of all who end access.
    customers.lock(session, customer_id, details.locked_fields, made_at=handover.made_at)
    handovers.claim(session, handover, customer_id=customer_id, browser_hash=browser_hash(browser))
    link = links.find(session, token, lock=True) or _make(session, handover, customer, token)
    if not link.works:
        raise HandoverRefused(handovers.EXPIRED, "An operator revoked the link of this hand-over.")
    bind(session, link, browser, is_of_handover=True)
    billing.let_in(session, customer_id, browser, way=billing.Way.HANDOVER, profile=portal.current_slug())
    note_return(session, customer_id, browser=browser, url=details.return_url, label=details.return_label)
    session.commit()
    return link


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
