"""The events that wait for their payer's convergence, and those for which it failed too often."""

from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app import payers
from app.core.db import utcnow
from app.webhooks.declines import reaches_limit
from app.webhooks.hints import Hint
from app.webhooks.models import Event

UNFINISHED = Event.state.in_(("waiting", "dead"))
MAX_IDS = 1000  # in one statement; databases allow some tens of thousands


@dataclass(frozen=True)
class EventReferences:
    """The objects that a payer's unfinished events mention."""

    method_ids: set[str]  # pm_…
    mandate_ids: set[str]  # mandate_…


def unfinished(session: Session, payer_id: str) -> list[str]:
    """Return the ids of a payer's unfinished events, including failed ones."""
    return list(session.scalars(sa.select(Event.id).where(Event.payer_id == payer_id, UNFINISHED)))


def referenced_ids(session: Session, payer_id: str) -> EventReferences:
    """Return the methods and mandates that a payer's unfinished events mention."""
    mentions = sa.or_(Event.type.startswith("payment_method."), Event.type.startswith("mandate."))
    events = session.scalars(sa.select(Event).where(Event.payer_id == payer_id, UNFINISHED, mentions))
    hints = [hint for event in events if (hint := Hint.of(event.body)) is not None]
    mandates = {hint.object_id for hint in hints if hint.type.startswith("mandate.")}
    return EventReferences(method_ids={hint.object_id for hint in hints} - mandates, mandate_ids=mandates)


def dismiss_known(session: Session, payer: payers.Payer) -> tuple[int, int]:
    """Finish a payer's waiting events without news. Return how many, and how many are left."""
    found = session.scalars(
        sa.select(Event).where(Event.payer_id == payer.id, Event.state == "waiting")
    ).all()
    now, dismissed = utcnow(), 0
    for event in found:
        hint = Hint.of(event.body)
        is_limit = reaches_limit(session, payer, event.type)
        if hint is None or not (is_limit or hint.is_news(session, payer)):
            event.state, event.reason, event.finished_at = "done", "It tells nothing new.", now
            dismissed += 1
    return dismissed, len(found) - dismissed


def finish(session: Session, payer_id: str, event_ids: list[str], *, failed: str | None = None) -> None:
    """Mark unfinished events as done, or as dead with the failure."""
    for start in range(0, len(event_ids), MAX_IDS):
        session.execute(
            sa.update(Event)
            .where(Event.payer_id == payer_id, Event.id.in_(event_ids[start : start + MAX_IDS]), UNFINISHED)
            .values(state="dead" if failed else "done", reason=failed, finished_at=utcnow())
            .execution_options(synchronize_session=False)
        )
