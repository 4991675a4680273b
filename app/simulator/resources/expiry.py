"""Sessions expire, and old events and answers go, as at Stripe."""

from collections.abc import Callable

from app.simulator.protocol import idempotency
from app.simulator.protocol.work import Work
from app.simulator.resources import events
from app.simulator.resources.checkout import sessions
from app.simulator.store import Store


def expire_sessions(store: Store, now: int, work_for: Callable[[str], Work]) -> None:
    """Expire the open sessions that are due."""
    due = [
        session
        for session in store.checkout_sessions.snapshot()
        if session["status"] == "open" and session["expires_at"] <= now
    ]
    with store.transaction():
        for session in due:
            sessions.expire(work_for(session["id"]), session)


def purge(store: Store, now: int) -> None:
    """Delete events and delivery attempts after 30 days, and answers of idempotency keys after one."""
    with store.transaction():
        for collection, field, age in (
            (store.events, "created", events.RETENTION),
            (store.tries, "at", events.RETENTION),
            (store.idempotency, "created", idempotency.ANSWER_RETENTION),
        ):
            for key in collection:
                if collection[key][field] < now - age:
                    del collection[key]
        for key in store.notes:
            if key.startswith("evt_") and key.partition("/")[0] not in store.events:
                del store.notes[key]
