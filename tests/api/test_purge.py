"""The answer to an Idempotency-Key is kept for a day, then removed."""

from datetime import timedelta

import time_machine
from flask import Flask

from app.api import idempotency
from app.api.models import IdempotentRequest
from app.core import db
from app.core.db import utcnow
from app.sync import Worker
from tests.support.processes import wait_until
from tests.support.rows import Rows
from tests.support.tokens import bearer


def test_the_worker_clears_old_answers_away(app: Flask, rows: Rows) -> None:
    body = {"name": "Ada", "key": "ada"}
    headers = bearer(app) | {"Idempotency-Key": "once"}
    app.test_client().post("/api/v1/customers", json=body, headers=headers)
    assert len(rows(IdempotentRequest)) == 1

    with time_machine.travel(utcnow() + timedelta(days=1, minutes=1)):
        worker = Worker(app)
        worker.start()
        wait_until(lambda: not rows(IdempotentRequest))
        worker.stop()

    assert rows(IdempotentRequest) == []


def test_the_worker_keeps_the_answers_of_today(app: Flask, rows: Rows) -> None:
    headers = bearer(app) | {"Idempotency-Key": "once"}
    body = {"name": "Ada", "key": "ada"}
    first = app.test_client().post("/api/v1/customers", json=body, headers=headers)

    with time_machine.travel(utcnow() + timedelta(hours=23)), app.app_context():
        idempotency.purge(db.session())
        again = app.test_client().post("/api/v1/customers", json=body, headers=headers)

    assert again.get_json() == first.get_json()
    assert again.headers["Idempotency-Replayed"] == "true"
    assert len(rows(IdempotentRequest)) == 1
