"""A process takes events in with secrets that it has read before. It still notices every change at once."""

import json
from collections.abc import Callable
from datetime import timedelta

import pytest
import time_machine
from flask import Flask
from sqlalchemy.orm import Session

from app import apps
from app.apps.connections import connections, secret_row
from app.apps.models import SigningSecret
from app.core import db
from app.core.db import new_id, utcnow
from app.webhooks import Event
from tests.support.database_contents import contents
from tests.support.rows import Rows
from tests.support.statements import end_pooled_connection, pool_use
from tests.support.stripe_postbox import Postbox, event, signed


@pytest.fixture
def warm(frozen: time_machine.Traveller, postbox: Postbox) -> Postbox:
    """The webhook of a process that has read the secret, and keeps it for two seconds."""
    assert postbox.post(event(id="evt_first")).status_code == 200
    return postbox


def change(app: Flask, how: Callable[[Session, SigningSecret], object]) -> None:
    """Change the secret as another process would."""
    with app.app_context():
        session = db.session()
        how(session, session.query(SigningSecret).one())
        session.commit()


def retire(_session: Session, secret: SigningSecret) -> None:
    """Retire it now."""
    secret.retired_at = utcnow()


def end_overlap(_session: Session, secret: SigningSecret) -> None:
    """Let its overlap be over."""
    secret.retire_at = utcnow() - timedelta(seconds=1)


def delete(session: Session, secret: SigningSecret) -> None:
    """Delete it, as uninstalling does."""
    session.delete(secret)


def reuse(_session: Session, secret: SigningSecret) -> None:
    """Put another secret into its row."""
    secret.sealed = connections().sealer.seal("whsec_other", secret_row(secret.id))


def test_takes_a_new_event_with_one_connection_and_one_statement(
    app: Flask, warm: Postbox, rows: Rows
) -> None:
    with pool_use(app) as taken:
        answer = warm.post(event(id="evt_second"))

    assert answer.status_code == 200
    assert taken == {"connections": 1, "statements": 0}  # the driver runs the statement
    assert {found.id for found in rows(Event)} == {"evt_first", "evt_second"}


def test_stores_the_same_row_either_way(warm: Postbox, rows: Rows) -> None:
    answer = warm.post(event(id="evt_second"))

    first, second = sorted(rows(Event), key=lambda found: str(found.id))
    assert answer.get_json()["message"] == "Stored."
    for name in ("app_id", "type", "origin", "state", "reason", "payer_id", "attempts", "finished_at"):
        assert getattr(second, name) == getattr(first, name)
    own = {"id": None, "created": None}
    assert json.loads(second.payload) | own == json.loads(first.payload) | own
    assert first.received_at <= second.received_at == second.due_at <= utcnow()


def test_stores_an_event_of_the_other_mode_as_ignored(warm: Postbox, rows: Rows) -> None:
    answer = warm.post(event(id="evt_live", livemode=True))

    assert answer.status_code == 200
    [live] = [found for found in rows(Event) if found.id == "evt_live"]
    assert live.state == "ignored"
    assert live.finished_at is not None
    assert answer.get_json()["message"] == f"Stored, and ignored. {live.reason}"


@pytest.mark.parametrize("how", [retire, end_overlap, delete, reuse])
def test_refuses_a_secret_at_once_when_another_process_chose_to(
    how: Callable[[Session, SigningSecret], object], app: Flask, warm: Postbox
) -> None:
    change(app, how)
    before = contents(app)

    answer = warm.post(event(id="evt_second"))

    assert answer.status_code == 400
    assert contents(app) == before


def test_knows_no_app_that_another_process_removed(app: Flask, warm: Postbox) -> None:
    with app.app_context():
        session = db.session()
        apps.uninstall(session, apps.find(session).id, actor="test")
        session.commit()
    before = contents(app)

    answer = warm.post(event(id="evt_second"))

    assert answer.status_code == 404
    assert contents(app) == before


def test_takes_a_secret_at_once_that_another_process_added(app: Flask, warm: Postbox, rows: Rows) -> None:
    def add(session: Session, secret: SigningSecret) -> None:
        row = new_id()
        sealed = connections().sealer.seal("whsec_new", secret_row(row))
        session.add(SigningSecret(id=row, app_id=secret.app_id, sealed=sealed))

    change(app, add)

    answers = [warm.post(event(id=f"evt_{secret}"), secret=secret) for secret in ("whsec_new", warm.secret)]

    assert [answer.status_code for answer in answers] == [200, 200]
    assert len(rows(Event)) == 3


def test_refuses_other_bytes_than_those_signed(app: Flask, warm: Postbox) -> None:
    before = contents(app)

    answer = warm.post(event(id="evt_second"), header=signed(warm.secret, b"{}"))

    assert answer.status_code == 400
    assert contents(app) == before


def test_reads_the_secrets_again_after_two_seconds(
    app: Flask, clock: time_machine.Traveller, warm: Postbox
) -> None:
    clock.shift(3)

    with pool_use(app) as taken:
        warm.post(event(id="evt_second"))

    assert taken["statements"] > 0


def test_takes_an_event_though_the_connection_died(app: Flask, warm: Postbox, rows: Rows) -> None:
    end_pooled_connection(app)

    answer = warm.post(event(id="evt_second"))

    assert answer.status_code == 200
    assert len(rows(Event)) == 2


def test_tells_the_truth_about_a_database_that_is_away(app: Flask, warm: Postbox) -> None:
    with app.app_context(), db.engine().connect() as connection:
        connection.exec_driver_sql("ALTER TABLE event RENAME TO elsewhere")
        connection.commit()

    answer = warm.post(event(id="evt_second"))

    assert answer.status_code in {500, 503}
