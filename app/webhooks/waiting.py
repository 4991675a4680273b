"""The events that wait for their payer's convergence, and those for which it failed too often."""

from collections.abc import Collection, Mapping, Sequence

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app import payers
from app.core.database import statements
from app.core.db import utcnow
from app.core.values import frozen
from app.webhooks.decline_limit import DECLINED
from app.webhooks.hints import Hint
from app.webhooks.models import Event
from app.webhooks.records import Records

UNFINISHED = Event.state.in_(("waiting", "dead"))
KNOWN = "It tells nothing new."
MAX_IDS = 1000  # in one statement; databases allow some tens of thousands


@frozen
class Unfinished:
    """A payer's unfinished events, as far as a convergence asks."""

    event_ids: list[str]  # those that wait, and those that failed
    known_ids: list[str]  # the waiting ones that tell nothing new
    has_news: bool  # is there a waiting one that may?
    method_ids: set[str]  # pm_…, which they mention
    mandate_ids: set[str]  # mandate_…, which they mention


def unfinished(session: Session, payer_id: str) -> list[str]:
    """Return the ids of a payer's unfinished events, including failed ones."""
    return list(session.scalars(sa.select(Event.id).where(Event.payer_id == payer_id, UNFINISHED)))


def unfinished_of(
    session: Session, those: Sequence[payers.Payer], *, over_limit: Collection[str]
) -> dict[str, Unfinished]:
    """Return the unfinished events of payers by their ids, compared with our record.

    A declined attempt of a payer that is over the limit of them is always news.
    """
    found = session.scalars(
        sa.select(Event)
        .where(Event.payer_id.in_([payer.id for payer in those]), UNFINISHED)
        .execution_options(populate_existing=True)
    ).all()
    hints = {event: hint for event in found if (hint := Hint.of(event.body)) is not None}
    records = Records(session, [(event.app_id, hint) for event, hint in hints.items()], those)
    of_payers: dict[str, list[Event]] = {payer.id: [] for payer in those}
    for event in found:
        of_payers[event.payer_id or ""].append(event)
    return {
        payer.id: _unfinished(payer, of_payers[payer.id], hints, records, is_over=payer.id in over_limit)
        for payer in those
    }


def _unfinished(
    payer: payers.Payer,
    events: Sequence[Event],
    hints: Mapping[Event, Hint],
    records: Records,
    *,
    is_over: bool,
) -> Unfinished:
    def is_news(event: Event) -> bool:
        hint = hints.get(event)
        is_limit = is_over and event.type == DECLINED
        return hint is not None and (is_limit or hint.is_news(records, payer))

    waiting = [event for event in events if event.state == "waiting"]
    news = {event for event in waiting if is_news(event)}
    mentions = [hint for event in events if (hint := hints.get(event)) is not None]
    mandates = {hint.object_id for hint in mentions if hint.type.startswith("mandate.")}
    methods = {hint.object_id for hint in mentions if hint.type.startswith("payment_method.")}
    return Unfinished(
        event_ids=[event.id for event in events],
        known_ids=[event.id for event in waiting if event not in news],
        has_news=bool(news),
        method_ids=methods,
        mandate_ids=mandates,
    )


def finish(
    session: Session, payer_ids: Collection[str], event_ids: Sequence[str], *, state: str, reason: str | None
) -> None:
    """Mark unfinished events of these payers as done, or as dead with the failure."""
    for start in range(0, len(event_ids), MAX_IDS):
        which = (Event.payer_id.in_(payer_ids), Event.id.in_(event_ids[start : start + MAX_IDS]), UNFINISHED)
        statements.update_all(session, Event, *which, state=state, reason=reason, finished_at=utcnow())
