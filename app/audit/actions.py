"""Adds entries to the audit log."""

from sqlalchemy.orm import Session

from app.audit.models import Entry
from app.core.db import DisplayText

FACT = DisplayText()  # some facts are Stripe's words


def note(
    session: Session,
    kind: str,
    *,
    actor: str,
    customer_id: str | None = None,
    app_id: str | None = None,
    **facts: str | None,
) -> None:
    """Add an entry with the known facts. It is part of the caller's transaction."""
    known = {name: fact for name, value in facts.items() if (fact := FACT.fit(value)) is not None}
    session.add(Entry(kind=kind, actor=actor, customer_id=customer_id, app_id=app_id, facts=known))
