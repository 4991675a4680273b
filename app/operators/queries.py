"""Reads of operators."""

import unicodedata

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.core.errors import NotFound
from app.operators.models import OneTimeLink, Operator


def folded(email: str) -> str:
    """An email address as it is looked up: in any letter case the same."""
    return unicodedata.normalize("NFC", email.strip()).casefold()


def by_email(session: Session, email: str) -> Operator | None:
    """The operator of an email address."""
    return session.scalar(sa.select(Operator).where(Operator.email_folded == folded(email)))


def named(session: Session, email: str) -> Operator:
    """The operator of an email address. Raises NotFound."""
    found = by_email(session, email)
    if found is None:
        raise NotFound(f"No operator has the email address {email}.")
    return found


def everybody(session: Session) -> list[Operator]:
    """All operators, by name."""
    return list(session.scalars(sa.select(Operator).order_by(sa.func.lower(Operator.name), Operator.id)))


def is_anybody(session: Session) -> bool:
    """Is there an operator at all?"""
    return session.scalar(sa.select(Operator.id).limit(1)) is not None


def links(session: Session) -> dict[str, OneTimeLink]:
    """Return the open links to choose a password, by operator."""
    found = session.scalars(sa.select(OneTimeLink).where(OneTimeLink.operator_id.is_not(None)))
    return {link.operator_id: link for link in found if link.operator_id}
