"""The events that wait for their payer to be converged, and those for which that failed too often."""

import json
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app import payers
from app.core.db import utcnow
from app.webhooks.declines import is_last_straw
from app.webhooks.hints import Hint
from app.webhooks.models import Event

UNFINISHED = Event.state.in_(("waiting", "dead"))
AT_ONCE = 1000  # ids in one statement: databases take some tens of thousands


@dataclass(frozen=True)
class Told:
    """The things of which a payer's unfinished events tell."""

    method_ids: set[str]  # pm_…
    mandate_ids: set[str]  # mandate_…


def unfinished(session: Session, payer_id: str) -> list[str]:
    """The events for which this payer is to be converged, those included that were given up."""
    return list(session.scalars(sa.select(Event.id).where(Event.payer_id == payer_id, UNFINISHED)))


def told_of(session: Session, payer_id: str) -> Told:
    """The methods and mandates of which this payer's unfinished events tell."""
    tells = sa.or_(Event.type.startswith("payment_method."), Event.type.startswith("mandate."))
    payloads = session.scalars(sa.select(Event.payload).where(Event.payer_id == payer_id, UNFINISHED, tells))
    hints = [hint for payload in payloads if (hint := Hint.of(json.loads(payload))) is not None]
    mandates = {hint.object_id for hint in hints if hint.type.startswith("mandate.")}
    return Told(method_ids={hint.object_id for hint in hints} - mandates, mandate_ids=mandates)


def dismiss_known(session: Session, payer: payers.Payer) -> tuple[int, int]:
    """Finish a payer's waiting events that tell nothing new by now. How many did, and how many did not."""
    found = session.scalars(
        sa.select(Event).where(Event.payer_id == payer.id, Event.state == "waiting")
    ).all()
    now, dismissed = utcnow(), 0
    for event in found:
        hint = Hint.of(json.loads(event.payload))
        is_last = is_last_straw(session, payer, event.type)
        if hint is None or not (is_last or hint.is_news(session, payer)):
            event.state, event.reason, event.finished_at = "done", "It tells nothing new.", now
            dismissed += 1
    return dismissed, len(found) - dismissed


def finish(session: Session, payer_id: str, event_ids: list[str], *, failed: str | None = None) -> None:
    """Mark unfinished events as done, or as dead with what failed."""
    for start in range(0, len(event_ids), AT_ONCE):
        session.execute(
            sa.update(Event)
            .where(Event.payer_id == payer_id, Event.id.in_(event_ids[start : start + AT_ONCE]), UNFINISHED)
            .values(state="dead" if failed else "done", reason=failed, finished_at=utcnow())
            .execution_options(synchronize_session=False)
        )
