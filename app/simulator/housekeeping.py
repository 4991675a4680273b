"""What time does to the books: sessions expire, and what Stripe would no longer show is forgotten."""

from collections.abc import Callable

from app.simulator import checkout_sessions, events, idempotency
from app.simulator.books import Books
from app.simulator.work import Work


def expire_sessions(books: Books, now: int, work_for: Callable[[str], Work]) -> None:
    """Close every open session whose time has come."""
    late = [
        session
        for session in books.checkout_sessions.snapshot()
        if session["status"] == "open" and session["expires_at"] <= now
    ]
    with books.transaction():
        for session in late:
            checkout_sessions.expire(work_for(session["id"]), session)


def forget(books: Books, now: int) -> None:
    """Drop events and tries after 30 days and answers to idempotency keys after one."""
    with books.transaction():
        for collection, moment, age in (
            (books.events, "created", events.KEPT_FOR),
            (books.tries, "at", events.KEPT_FOR),
            (books.idempotency, "created", idempotency.KEPT_FOR),
        ):
            for key in collection:
                if collection[key][moment] < now - age:
                    del collection[key]
        for place in books.notes:
            if place.startswith("evt_") and place.partition("/")[0] not in books.events:
                del books.notes[place]
