"""What time does to the store: sessions expire, and what Stripe would no longer show is forgotten."""

from collections.abc import Callable

from app.simulator import checkout_sessions, events, idempotency
from app.simulator.store import Store
from app.simulator.work import Work


def expire_sessions(store: Store, now: int, work_for: Callable[[str], Work]) -> None:
    """Close every open session whose time has come."""
    late = [
        session
        for session in store.checkout_sessions.snapshot()
        if session["status"] == "open" and session["expires_at"] <= now
    ]
    with store.transaction():
        for session in late:
            checkout_sessions.expire(work_for(session["id"]), session)


def forget(store: Store, now: int) -> None:
    """Drop events and tries after 30 days and answers to idempotency keys after one."""
    with store.transaction():
        for collection, moment, age in (
            (store.events, "created", events.KEPT_FOR),
            (store.tries, "at", events.KEPT_FOR),
            (store.idempotency, "created", idempotency.KEPT_FOR),
        ):
            for key in collection:
                if collection[key][moment] < now - age:
                    del collection[key]
        for place in store.notes:
            if place.startswith("evt_") and place.partition("/")[0] not in store.events:
                del store.notes[place]
