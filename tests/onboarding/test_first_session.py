"""The first session of a new customer overwrites nothing that others do meanwhile."""

from collections.abc import Callable

import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from app import payers
from app.checkout import CheckoutSession
from app.core import db
from app.core.db import utcnow
from app.customers import Customer
from app.payers import Payer, PaymentStatus
from tests.support.portal import sign_up
from tests.support.rows import Rows
from tests.support.stripe_calls import StripeCalls, elsewhere


def doing(app: Flask, change: Callable[[Session], object]) -> Callable[[], None]:
    """Do something to the database as another process would."""

    def act() -> None:
        with app.app_context():
            db.start_write(db.session())
            change(db.session())
            db.session().commit()

    return elsewhere(act)


def the_payer(session: Session) -> Payer:
    """The only payer."""
    return session.scalars(sa.select(Payer)).one()


def test_is_open_with_its_payer_in_progress(client: FlaskClient, rows: Rows) -> None:
    sign_up(client)

    [payer], [opened] = rows(Payer), rows(CheckoutSession)
    assert (payer.status, payer.status_until) == (PaymentStatus.IN_PROGRESS, opened.expires_at)
    assert payer.due_at is not None
    assert not payer.is_priority
    assert (opened.status, opened.is_current, opened.payer_id) == ("open", True, payer.id)


def test_keeps_what_was_asked_for_meanwhile(
    app: Flask, client: FlaskClient, rows: Rows, calls: StripeCalls
) -> None:
    asked_at = utcnow()
    ask = doing(app, lambda session: payers.mark_due(session, the_payer(session).id, at=asked_at))
    calls.after("POST /v1/checkout/sessions", ask)

    sign_up(client)

    [payer] = rows(Payer)
    assert (payer.due_at, payer.due_reason, payer.is_priority) == (asked_at, "asked", True)
    assert payer.status == PaymentStatus.IN_PROGRESS


def test_is_not_recorded_for_a_payer_that_was_unbound_meanwhile(
    app: Flask, client: FlaskClient, rows: Rows, calls: StripeCalls
) -> None:
    def unbind(session: Session) -> None:
        payer = the_payer(session)
        payers.unbind(session, payer.app_id, payer.customer, actor="test")

    calls.after("POST /v1/checkout/sessions", doing(app, unbind))

    sign_up(client)

    first, second = sorted(rows(Payer), key=lambda payer: payer.id)
    assert (first.deleted_at is None, second.deleted_at is None) == (False, True)
    assert {opened.payer_id for opened in rows(CheckoutSession) if opened.url} == {second.id}


def test_tells_stripe_a_name_that_was_changed_meanwhile(
    app: Flask, client: FlaskClient, rows: Rows, calls: StripeCalls
) -> None:
    def rename(session: Session) -> None:
        session.scalars(sa.select(Customer)).one().name = "Countess Ltd"

    calls.after("POST /v1/customers", doing(app, rename))

    sign_up(client)

    [payer] = rows(Payer)
    assert (payer.is_contact_due, payer.is_name_due) == (True, True)
