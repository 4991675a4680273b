"""Following an onboarding link to Stripe's page."""

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app import apps, audit
from app.core import db
from app.core.database import statements
from app.core.db import utcnow
from app.gateway import StripeRefused
from app.onboarding import consents, links, queries
from app.onboarding.models import BillingAccess, Consent, Signup, browser_hash
from app.onboarding.payment import resume

OF_LINK = ("link_id", "profile", "return_url", "return_label")


def follow(
    session: Session,
    link: links.OnboardingLink,
    *,
    browser: str,
    another: bool = False,
    consent: Consent | None = None,
) -> str:
    """Return the URL of the page behind the button of a working link. Commits.

    The press is noted first, and stays noted when Stripe does not answer. The browser is bound to the
    customer only while there is something left to do. So a link that is passed on later shows nobody what was
    saved. Raises NotFound when its app is not installed, and what `resume` raises.
    """
    db.start_write(session)
    links.note_used(session, link.id)
    if consent is not None:
        consents.store(session, consent, link.customer_id)
    session.commit()
    app = links.app_of(session, link)
    try:
        with apps.record_rejection(session, app):
            url = resume(session, app, link.customer_id, another=another)
    except StripeRefused as error:  # nothing that the visitor could mend: the story tells the operator
        session.rollback()
        db.start_write(session)
        audit.note(
            session,
            "checkout.refused",
            actor="visitor",
            customer_id=link.customer_id,
            app_id=app.id,
            reason=error.detail,
        )
        session.commit()
        raise
    db.start_write(session)
    bind(session, link, browser)
    session.commit()
    return url


def bind(session: Session, link: links.OnboardingLink, browser: str, *, is_of_handover: bool = False) -> None:
    """Let this browser see the outcome. One that signed the customer up itself stays what it is.

    A guest that was forgotten meanwhile begins again, and sees nothing from before. One that a hand-over let
    in stays with the link of its newest hand-over: revoking that one must end its access.
    """
    bound = db.insert(session, Signup).values(
        customer_id=link.customer_id,
        browser_hash=browser_hash(browser),
        link_id=link.id,
        profile=link.profile,
        return_url=link.return_url,
        return_label=link.return_label,
        created_at=utcnow(),
    )
    kept = {"link_id": sa.case((_is_let_in_by_handover(), Signup.link_id), else_=bound.excluded.link_id)}
    is_forgotten = Signup.created_at <= queries.remembered_since()
    again = {"created_at": sa.case((is_forgotten, bound.excluded.created_at), else_=Signup.created_at)}
    session.execute(
        bound.on_conflict_do_update(
            index_elements=["customer_id", "browser_hash"],
            # The link that it came by before may be revoked.
            set_={name: bound.excluded[name] for name in OF_LINK} | ({} if is_of_handover else kept) | again,
            where=Signup.link_id.is_not(None),
        )
    )
    if link.return_url is not None:
        note_return(session, link.customer_id, browser=browser, url=link.return_url, label=link.return_label)


def _is_let_in_by_handover() -> sa.ColumnElement[bool]:
    """Has the browser of a sign-up an access that ends with the link of that sign-up?"""
    return (
        sa.select(BillingAccess.customer_id)
        .where(
            BillingAccess.customer_id == Signup.customer_id,
            BillingAccess.browser_hash == Signup.browser_hash,
            BillingAccess.way == links.HANDOVER,
            BillingAccess.expires_at > utcnow(),
        )
        .exists()
    )


def note_return(
    session: Session, customer_id: str, *, browser: str, url: str | None, label: str | None
) -> None:
    """Remember where the company's app wants this browser back. Flushes."""
    is_theirs = sa.and_(Signup.customer_id == customer_id, Signup.browser_hash == browser_hash(browser))
    statements.update_all(session, Signup, is_theirs, return_url=url, return_label=label)
