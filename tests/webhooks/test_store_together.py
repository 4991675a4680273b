"""Events that come at the same time are stored together. Each gets the answer that it would get alone."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

import pytest
import sqlalchemy as sa
from flask import Flask
from werkzeug.test import TestResponse

from app import apps, webhooks
from app.apps.connections import connections, secret_row
from app.apps.models import SigningSecret
from app.core import db
from app.core.db import new_id, utcnow
from app.webhooks import Event
from tests.support.processes import PATIENCE, wait_until
from tests.support.rows import Rows
from tests.support.statements import end_pooled_connection, pool_use
from tests.support.stripe_postbox import Postbox, event

OTHER_SECRET = "whsec_other"

Post = Callable[[], TestResponse]


def post_together(app: Flask, *posts: Post) -> list[TestResponse]:
    """Post events that wait, in this order, until one thread stores them all."""
    group = app.extensions["gangway.arrivals"]
    group._has_leader = True  # as if a thread were just storing others
    with ThreadPoolExecutor(len(posts)) as pool:
        answers: list[Future[TestResponse]] = []
        for post in posts:
            answers.append(pool.submit(post))
            wait_until(lambda: len(group._queue) == len(answers))
        group._hand_over()
        return [answer.result(PATIENCE) for answer in answers]


def add_secret(app: Flask, app_id: str | None = None) -> None:
    """Let another secret sign the events of an app, too."""
    with app.app_context():
        session, row = db.session(), new_id()
        sealed = connections().sealer.seal(OTHER_SECRET, secret_row(row))
        session.add(SigningSecret(id=row, app_id=app_id or apps.find(session).id, sealed=sealed))
        session.commit()


def retire(app: Flask, secret: str) -> None:
    """Retire a secret as another process would."""
    with app.app_context():
        session = db.session()
        for row in session.query(SigningSecret):
            if connections().sealer.open(row.sealed, secret_row(row.id)) == secret:
                row.retired_at = utcnow()
        session.commit()


@pytest.fixture
def warm(app: Flask, postbox: Postbox) -> Postbox:
    """The webhook of a process that has read two secrets."""
    add_secret(app)
    assert postbox.post(event(id="evt_first"), secret=OTHER_SECRET).status_code == 200
    return postbox


def test_takes_one_connection_and_one_statement_for_all(app: Flask, warm: Postbox, rows: Rows) -> None:
    with pool_use(app) as taken:
        answers = post_together(
            app, *(lambda number=number: warm.post(event(id=f"evt_{number}")) for number in range(5))
        )

    assert [answer.status_code for answer in answers] == [200] * 5
    assert taken == {"connections": 1, "statements": 0}  # the driver runs the statement
    assert {found.id for found in rows(Event)} == {"evt_first", *(f"evt_{number}" for number in range(5))}


def test_stores_an_event_once_that_comes_twice(app: Flask, warm: Postbox, rows: Rows) -> None:
    answers = post_together(
        app, *[lambda: warm.post(event(id="evt_twice"))] * 2, lambda: warm.post(event(id="evt_other"))
    )

    assert [answer.get_json()["message"] for answer in answers] == ["Stored."] * 3
    assert sorted(found.id for found in rows(Event)) == ["evt_first", "evt_other", "evt_twice"]


@pytest.mark.parametrize("is_first", [True, False], ids=["first", "last"])
def test_refuses_a_retired_secret_beside_another_with_the_same_event(
    is_first: bool,  # noqa: FBT001 (a parameter of the test)
    app: Flask,
    warm: Postbox,
    rows: Rows,
) -> None:
    retire(app, OTHER_SECRET)
    refused = lambda: warm.post(event(id="evt_same"), secret=OTHER_SECRET)  # noqa: E731
    taken = lambda: warm.post(event(id="evt_same"))  # noqa: E731

    answers = post_together(app, *((refused, taken) if is_first else (taken, refused)))

    assert [answer.status_code for answer in answers] == ([400, 200] if is_first else [200, 400])
    assert sorted(found.id for found in rows(Event)) == ["evt_first", "evt_same"]


def test_refuses_a_retired_secret_alone(app: Flask, warm: Postbox, rows: Rows) -> None:
    retire(app, OTHER_SECRET)

    answers = post_together(
        app,
        lambda: warm.post(event(id="evt_a")),
        lambda: warm.post(event(id="evt_b"), secret=OTHER_SECRET),
        lambda: warm.post(event(id="evt_c")),
    )

    assert [answer.status_code for answer in answers] == [200, 400, 200]
    assert sorted(found.id for found in rows(Event)) == ["evt_a", "evt_c", "evt_first"]


def test_gives_each_app_its_own(app: Flask, warm: Postbox, second_app: str, rows: Rows) -> None:
    path = f"/api/v1/apps/{second_app}/stripe/webhook"
    with app.app_context():
        secret = apps.signing_secrets(db.session(), apps.by_id(db.session(), second_app))[0]
    assert warm.post(event(id="evt_first"), path=path, secret=secret).status_code == 200

    answers = post_together(
        app,
        lambda: warm.post(event(id="evt_same")),
        lambda: warm.post(event(id="evt_same"), path=path, secret=secret),
    )

    assert [answer.status_code for answer in answers] == [200, 200]
    found = [row.app_id for row in rows(Event) if row.id == "evt_same"]
    assert len(found) == 2
    assert second_app in found


def test_one_that_the_database_refuses_harms_no_other(app: Flask, warm: Postbox, rows: Rows) -> None:
    with app.app_context(), db.engine().connect() as connection:
        connection.exec_driver_sql(
            "ALTER TABLE event ADD CHECK (id <> 'evt_bad')"
            if connection.dialect.name == "postgresql"
            else "CREATE TRIGGER refuse BEFORE INSERT ON event WHEN NEW.id = 'evt_bad'"
            " BEGIN SELECT RAISE(ABORT, 'refused'); END"
        )
        connection.commit()

    answers = post_together(
        app, *(lambda name=name: warm.post(event(id=f"evt_{name}")) for name in ("good", "bad", "other"))
    )

    assert [answer.status_code for answer in answers][::2] == [200, 200]
    assert answers[1].status_code >= 500
    assert sorted(found.id for found in rows(Event)) == ["evt_first", "evt_good", "evt_other"]


def test_takes_all_though_the_connection_died(app: Flask, warm: Postbox, rows: Rows) -> None:
    end_pooled_connection(app)

    answers = post_together(
        app, *(lambda number=number: warm.post(event(id=f"evt_{number}")) for number in range(3))
    )

    assert [answer.status_code for answer in answers] == [200] * 3
    assert len(rows(Event)) == 4
    assert warm.post(event(id="evt_last")).status_code == 200


@pytest.fixture
def place(app: Flask) -> str:
    """The column that numbers the events as they are inserted."""
    with app.app_context(), db.engine().begin() as connection:
        if connection.dialect.name == "sqlite":
            return "rowid"
        connection.exec_driver_sql("ALTER TABLE event ADD COLUMN place BIGSERIAL")
        return "place"


def test_are_inserted_in_one_order_wherever_they_come_from(app: Flask, place: str, warm: Postbox) -> None:
    """Else two transactions with the same events could each wait for the other. Languages put a before B."""
    mixed = ["evt_b", "evt_B", "evt_a", "evt_C", "evt_1"]
    in_order = sa.select(Event.id).where(Event.id.in_(mixed)).order_by(sa.literal_column(place))

    post_together(app, *(lambda name=name: warm.post(event(id=name)) for name in mixed))
    with app.app_context():
        session = db.session()
        posted = session.scalars(in_order).all()
        session.execute(sa.delete(Event))
        webhooks.store_listed(session, apps.find(session), [event(id=name) for name in mixed])
        listed = session.scalars(in_order).all()

    assert posted == listed == sorted(mixed)
