"""Messages wait in the outbox until a worker has given them to the sender, once."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
import time_machine
from flask import Flask
from sqlalchemy.orm import Session

from app import outbox
from app.application import make_worker
from app.core import db
from app.core.db import utcnow
from app.outbox import OutboxMessage
from app.payers import PaymentStatus
from app.web import mail
from app.web.mail import Mailbox, Message
from tests.support.people import Person
from tests.support.processes import PATIENCE, wait_until
from tests.support.rows import Rows
from tests.support.world import World
from tests.support.world_fixtures import clock, person, world

__all__ = ["clock", "person", "world"]

HOUR = timedelta(hours=1)


class Broken(Mailbox):
    """A sender that can't send to some addresses."""

    def __init__(self, *addresses: str) -> None:
        super().__init__()
        self.refused = set(addresses)
        self.tried: list[str] = []

    def send(self, message: Message) -> None:
        """Keep a message, or fail."""
        self.tried.append(message.to)
        if message.to in self.refused:
            raise ConnectionError
        super().send(message)


class Slow(Mailbox):
    """A sender that waits for a mail server."""

    def __init__(self) -> None:
        super().__init__()
        self.is_sending, self.may_end = threading.Event(), threading.Event()

    def send(self, message: Message) -> None:
        """Wait, then keep a message."""
        self.is_sending.set()
        assert self.may_end.wait(PATIENCE)
        super().send(message)


@pytest.fixture
def session(app: Flask) -> Iterator[Session]:
    with app.app_context():
        yield db.session()
    app.extensions.pop(mail.EXTENSION, None)


def use(app: Flask, sender: Mailbox) -> Mailbox:
    """Let the installation send by this."""
    app.extensions[mail.EXTENSION] = sender
    return sender


def put(session: Session, *addresses: str, lifetime: timedelta = HOUR) -> None:
    """Put a message for each address in the outbox."""
    db.start_write(session)
    for address in addresses:
        message = Message(to=address, subject="Hello", text="a secret")
        outbox.put(session, message, kind="test", expires_at=utcnow() + lifetime)
    session.commit()


def to(sender: Mailbox) -> list[str]:
    """Who got a message, in order."""
    return [message.to for message in sender.messages]


def test_is_emptied_by_a_worker(app: Flask, session: Session) -> None:
    sender = use(app, Mailbox())
    put(session, "a@example.com")
    worker = make_worker(app, 1)  # that of `serve`, and of `gangway worker`

    worker.start()
    try:
        wait_until(lambda: to(sender) == ["a@example.com"])
    finally:
        worker.stop()


def test_a_slow_sender_holds_up_nobody(app: Flask, session: Session, world: World, person: Person) -> None:
    sender = Slow()
    use(app, sender)
    put(session, "a@example.com")
    worker = make_worker(app, 1)

    worker.start()
    try:
        wait_until(sender.is_sending.is_set)
        person.save_card()
        world.simulator.deliver_due()
        wait_until(lambda: person.status == PaymentStatus.SAVED)
        assert to(sender) == []
        sender.may_end.set()
        wait_until(lambda: to(sender) == ["a@example.com"])
    finally:
        sender.may_end.set()
        worker.stop()


def test_sends_each_message_once_the_oldest_first(app: Flask, session: Session, rows: Rows) -> None:
    sender = use(app, Mailbox())
    put(session, "a@example.com", "b@example.com")

    sent = [outbox.deliver(session) for _ in range(2)]

    assert sent == [2, 0]
    assert to(sender) == ["a@example.com", "b@example.com"]
    assert sender.messages[0] == Message(to="a@example.com", subject="Hello", text="a secret")
    assert rows(OutboxMessage) == []


def test_keeps_no_text_that_others_can_read(session: Session, rows: Rows) -> None:
    put(session, "a@example.com")

    [row] = rows(OutboxMessage)

    assert "secret" not in str(vars(row))
    assert "example.com" not in str(vars(row))


def test_goes_with_the_change_that_it_reports(app: Flask, session: Session, rows: Rows) -> None:
    use(app, Mailbox())
    db.start_write(session)
    message = Message(to="a@example.com", subject="", text="")
    outbox.put(session, message, kind="test", expires_at=utcnow() + HOUR)

    session.rollback()

    assert rows(OutboxMessage) == []
    assert outbox.deliver(session) == 0


def test_tries_again_what_could_not_be_sent(
    app: Flask, session: Session, clock: time_machine.Traveller
) -> None:
    sender = Broken("a@example.com")
    use(app, sender)
    put(session, "a@example.com", "b@example.com")

    first, at_once = outbox.deliver(session), outbox.deliver(session)
    sender.refused.clear()
    clock.shift(timedelta(minutes=2))
    later = outbox.deliver(session)

    assert (first, at_once, later) == (1, 0, 1)
    assert sender.tried == ["a@example.com", "b@example.com", "a@example.com"]
    assert to(sender) == ["b@example.com", "a@example.com"]


def test_tries_less_often_what_fails_for_long(
    app: Flask, session: Session, clock: time_machine.Traveller
) -> None:
    sender = Broken("a@example.com")
    use(app, sender)
    put(session, "a@example.com", lifetime=timedelta(days=1))

    for _minute in range(60):
        outbox.deliver(session)
        clock.shift(timedelta(minutes=1, seconds=1))

    assert 5 <= len(sender.tried) <= 8


def test_forgets_what_is_of_no_use_any_longer(
    app: Flask, session: Session, clock: time_machine.Traveller, rows: Rows
) -> None:
    sender = use(app, Mailbox())
    put(session, "a@example.com", lifetime=timedelta(minutes=15))

    clock.shift(timedelta(minutes=16))

    assert outbox.deliver(session) == 0
    assert rows(OutboxMessage) == []
    assert to(sender) == []


def test_waits_for_a_sender(app: Flask, session: Session, rows: Rows) -> None:
    put(session, "a@example.com")

    assert outbox.deliver(session) == 0

    assert len(rows(OutboxMessage)) == 1
    use(app, Mailbox())
    assert outbox.deliver(session) == 1


def test_sends_nothing_that_nobody_gets(app: Flask, session: Session, rows: Rows) -> None:
    sender = use(app, Mailbox())
    app.extensions["gangway.writers"]["test"] = _write
    for address in ("a@example.com", "b@example.com"):
        draft = outbox.Draft(address, {"word": "Later"})
        outbox.put(session, draft, kind="test", expires_at=utcnow() + HOUR)
    session.commit()

    sent = outbox.deliver(session)
    del app.extensions["gangway.writers"]["test"]

    assert sent == 1
    assert list(sender.messages) == [Message(to="b@example.com", subject="Later", text="")]
    assert rows(OutboxMessage) == []


def _write(_session: Session, draft: outbox.Draft) -> Message | None:
    """Write to everybody but one."""
    return None if draft.to[0] == "a" else Message(to=draft.to, subject=draft.facts["word"], text="")


def test_drops_what_no_key_opens(app: Flask, session: Session, rows: Rows) -> None:
    sender = use(app, Mailbox())
    put(session, "a@example.com")
    db.start_write(session)
    session.get_one(OutboxMessage, rows(OutboxMessage)[0].id).sealed = "rubbish"
    session.commit()

    assert outbox.deliver(session) == 0
    assert rows(OutboxMessage) == []
    assert to(sender) == []


def test_opens_no_message_in_the_place_of_another(app: Flask, session: Session, rows: Rows) -> None:
    sender = use(app, Mailbox())
    put(session, "a@example.com", "b@example.com")
    db.start_write(session)
    one, other = (session.get_one(OutboxMessage, row.id) for row in rows(OutboxMessage))
    one.sealed, other.sealed = other.sealed, one.sealed
    session.commit()

    assert outbox.deliver(session) == 0
    assert to(sender) == []


def test_two_workers_send_nothing_twice(app: Flask, session: Session) -> None:
    sender = use(app, Mailbox())
    put(session, *(f"{number}@example.com" for number in range(20)))

    def work(_number: int) -> int:
        with app.app_context():
            return outbox.deliver(db.session())

    with ThreadPoolExecutor(2) as pool:
        sent = list(pool.map(work, range(2)))

    assert sum(sent) == 20
    assert len(set(to(sender))) == len(to(sender)) == 20
