"""How customers agree to the terms on our own pages, and the evidence that is kept of it."""

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app import portal
from app.onboarding.models import Consent
from app.web import languages

OF_CUSTOMER = (
    sa.select(Consent)
    .where(Consent.customer_id == sa.bindparam("customer_id"))
    .order_by(Consent.given_at.desc())
)


def is_asked(profile: portal.Profile) -> bool:
    """Do the pages say what people agree to? Without terms there is nothing to agree to."""
    has_terms = bool(profile.links.terms_url or profile.links.privacy_url)
    return profile.consent.kind != "none" and (has_terms or bool(own_text(profile)))


def is_checkbox(profile: portal.Profile) -> bool:
    """Must people tick a box?"""
    return profile.consent.kind == "checkbox" and is_asked(profile)


def own_text(profile: portal.Profile) -> str | None:
    """Return the company's own sentence, in the reader's language."""
    return profile.text("consent", languages.current())


def given(profile: portal.Profile) -> Consent | None:
    """Return the evidence of a consent on this page; None where nothing is asked. The caller stores it."""
    if not is_asked(profile):
        return None
    return Consent(
        kind=profile.consent.kind,
        version=profile.consent.version,
        language=str(languages.current()),
        terms_url=profile.links.terms_url,
        privacy_url=profile.links.privacy_url,
    )


def store(session: Session, consent: Consent, customer_id: str) -> None:
    """Store the evidence, unless the customer has agreed to this version already. Flushes nothing."""
    if not _is_known(session, customer_id, consent.kind, consent.version):
        consent.customer_id = customer_id
        session.add(consent)


def is_missing(session: Session, profile: portal.Profile, customer_id: str) -> bool:
    """Must a customer still tick the box of this profile's terms?"""
    wanted = profile.consent
    return is_checkbox(profile) and not _is_known(session, customer_id, wanted.kind, wanted.version)


def _is_known(session: Session, customer_id: str, kind: str, version: str) -> bool:
    known = sa.select(Consent.id).where(
        Consent.customer_id == customer_id, Consent.version == version, Consent.kind == kind
    )
    return session.scalar(known.limit(1)) is not None


def of_customer(session: Session, customer_id: str) -> list[Consent]:
    """Return what a customer has agreed to, the newest first."""
    return list(session.scalars(OF_CUSTOMER, {"customer_id": customer_id}))
