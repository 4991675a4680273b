"""Links that are good once: to choose a password, or to set up a console that has no operator yet."""

import secrets
from datetime import timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.core.config import settings
from app.core.db import utcnow
from app.operators.auth.sessions import hashed
from app.operators.models import OneTimeLink, Operator

LINK_DURATION = timedelta(days=7)
SETUP_DURATION = timedelta(days=1)  # its token stands in a log


def make(session: Session, operator: Operator | None) -> str:
    """A token for an operator's password, or for the set-up. An operator's earlier ones end. Flushes."""
    token, now = secrets.token_urlsafe(32), utcnow()
    if operator is not None:
        cancel(session, operator)
    session.add(
        OneTimeLink(
            operator_id=operator.id if operator else None,
            token_hash=hashed(token),
            expires_at=now + (LINK_DURATION if operator else SETUP_DURATION),
        )
    )
    session.flush()
    return token


def address(token: str, *, is_setup: bool = False) -> str:
    """Where a token leads. The token is in the query, because paths are logged."""
    return f"{settings().public_url}/operator/{'setup' if is_setup else 'invitation'}?token={token}"


def find(session: Session, token: str) -> OneTimeLink | None:
    """The link of a token, while it is good."""
    return session.scalar(
        sa.select(OneTimeLink).where(
            OneTimeLink.token_hash == hashed(token), OneTimeLink.expires_at > utcnow()
        )
    )


def take(session: Session, link: OneTimeLink) -> bool:
    """Use a link up. False when somebody else was quicker. Flushes."""
    taken = sa.delete(OneTimeLink).where(OneTimeLink.id == link.id).returning(OneTimeLink.id)
    return session.scalar(taken) is not None


def is_setup(session: Session, token: str) -> bool:
    """Is this a token of the set-up that is good now?"""
    link = find(session, token)
    return link is not None and link.operator_id is None


def take_setup(session: Session, token: str) -> bool:
    """Use the set-up up by one of its tokens, and with it the others. False when the token is not good.

    All are held first, in order, so that two who come with different ones take turns. Flushes.
    """
    offered = sa.select(OneTimeLink).where(OneTimeLink.operator_id.is_(None)).order_by(OneTimeLink.id)
    held = list(session.scalars(offered.with_for_update()))
    if not any(link.token_hash == hashed(token) and link.expires_at > utcnow() for link in held):
        return False
    cancel(session, None)
    return True


def cancel(session: Session, operator: Operator | None) -> None:
    """End all links of an operator, or all of the set-up. Flushes."""
    session.execute(
        sa.delete(OneTimeLink).where(
            OneTimeLink.operator_id == operator.id if operator else OneTimeLink.operator_id.is_(None)
        )
    )
