"""Letting a browser in to a customer that exists, because the company's app vouches for it."""

import sqlalchemy as sa
from flask import current_app
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app import portal
from app.core import db
from app.customers import Customer
from app.onboarding import billing, handovers, links
from app.onboarding.follow import bind
from app.onboarding.handovers import Handover, HandoverRefused
from app.onboarding.models import Signup, browser_hash


def enter(session: Session, handover: Handover, customer: Customer, *, browser: str) -> links.OnboardingLink:
    """Let a browser open a customer's billing page, and return the link that stands behind it. Commits.

    The hand-over becomes an onboarding link that nobody is shown. So an operator sees it, and revoking it
    ends the access. Raises HandoverRefused.
    """
    customer_id = customer.id
    token = links.token_of_form(str(current_app.secret_key), f"handover:{handover.fingerprint}:{customer_id}")
    db.end_read(session)
    db.start_write(session)
    handovers.claim(session, handover, customer_id=customer_id, browser_hash=browser_hash(browser))
    link = links.find(session, token) or _make(session, handover, customer, token)
    if not link.works:
        raise HandoverRefused(handovers.EXPIRED, "An operator revoked the link of this hand-over.")
    bind(session, link, browser)
    billing.let_in(session, customer_id, browser, way=billing.Way.HANDOVER)
    note_return(session, handover, customer_id=customer_id, browser=browser)
    session.commit()
    return link


def note_return(session: Session, handover: Handover, *, customer_id: str, browser: str) -> None:
    """Remember where the company's app wants this browser back. Flushes."""
    session.execute(
        sa.update(Signup)
        .where(Signup.customer_id == customer_id, Signup.browser_hash == browser_hash(browser))
        .values(return_url=handover.details.return_url, return_label=handover.details.return_label)
        .execution_options(synchronize_session=False)
    )


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
            )
    except IntegrityError:  # the same hand-over at the same moment
        found = links.find(session, token)
        assert found is not None
        return found
    return link
