"""A request that took so long that a repeat took over its Idempotency-Key changes nothing."""

from datetime import timedelta

import pytest
from flask import Flask
from time_machine import Traveller

from app.api import idempotency
from app.api.models import IdempotentRequest
from app.core import db
from app.core.errors import Conflict
from app.customers import Customer, NewCustomer, actions
from tests.support.rows import Rows

FINGERPRINT = "0" * 64


def begin(app: Flask) -> IdempotentRequest:
    with app.app_context():
        return idempotency.begin(db.session(), "token", "one", fingerprint=FINGERPRINT)


def finish(app: Flask, mine: IdempotentRequest, name: str) -> None:
    """Make a customer and keep the answer; then commit what is left, as a careless caller may."""
    with app.app_context():
        session = db.session()
        db.start_write(session)
        actions.create(session, NewCustomer(name=name, key=name), actor="test")
        try:
            idempotency.finish(session, mine, status=201, body=name)
        finally:
            session.commit()


def test_by_finishing(app: Flask, clock: Traveller, rows: Rows) -> None:
    first = begin(app)
    clock.shift(timedelta(seconds=61))
    second = begin(app)

    with pytest.raises(Conflict):
        finish(app, first, "first")
    finish(app, second, "second")

    assert [customer.name for customer in rows(Customer)] == ["second"]
    assert [request.body for request in rows(IdempotentRequest)] == ["second"]


def test_by_finishing_after_the_repeat(app: Flask, clock: Traveller, rows: Rows) -> None:
    first = begin(app)
    clock.shift(timedelta(seconds=61))
    finish(app, begin(app), "second")

    with pytest.raises(Conflict):
        finish(app, first, "first")

    assert [customer.name for customer in rows(Customer)] == ["second"]
    assert [request.body for request in rows(IdempotentRequest)] == ["second"]


def test_by_giving_up(app: Flask, clock: Traveller, rows: Rows) -> None:
    first = begin(app)
    clock.shift(timedelta(seconds=61))
    second = begin(app)

    with app.app_context():
        session = db.session()
        db.start_write(session)
        actions.create(session, NewCustomer(name="first", key="first"), actor="test")
        idempotency.forget(session, first)

    assert rows(Customer) == []
    assert [request.started_at for request in rows(IdempotentRequest)] == [second.started_at]
