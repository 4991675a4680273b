"""Onboarding links: making, finding, renewing and revoking them."""

import hashlib
import re
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from flask import Flask
from sqlalchemy.orm import Session

from app import payers
from app.audit import Entry
from app.core import db
from app.core.config import Settings
from app.core.db import utcnow
from app.core.errors import AppError, Conflict, Invalid, NotFound, PreconditionFailed
from app.customers import Customer
from app.onboarding import links
from app.onboarding.links import LinkState, OnboardingLink
from tests.conftest import PORTAL, make_settings
from tests.support.links import LinkPage, find, make_link
from tests.support.rows import Rows

ACTOR = "operator:01JCZZZZZZZZZZZZZZZZZZZZZZ"


@pytest.fixture
def customer(session: Session, customer_id: str) -> Customer:
    """The customer, in the test's own session."""
    found = session.get(Customer, customer_id)
    assert found is not None
    return found


def story(rows: Rows) -> list[str]:
    return [entry.kind for entry in rows(Entry) if entry.kind.startswith("link.")]


def test_keep_a_hash_and_never_the_token(session: Session, customer: Customer, rows: Rows) -> None:
    _, token = links.create(session, customer, actor=ACTOR)
    session.commit()

    [link] = rows(OnboardingLink)
    assert re.fullmatch(r"[\w-]{43}", token)
    assert link.token_hash == hashlib.sha256(token.encode()).hexdigest()
    assert token not in str([vars(row) for table in (OnboardingLink, Entry) for row in rows(table)])


def test_are_addresses_of_the_portal(session: Session, customer: Customer) -> None:
    _, token = links.create(session, customer, actor=ACTOR)

    assert links.url(token) == f"{PORTAL}/start/{token}"


def test_say_who_made_them_and_when_they_end(session: Session, customer: Customer, rows: Rows) -> None:
    with time_machine.travel(datetime(2026, 3, 4, 5, 6, tzinfo=UTC), tick=False):
        links.create(session, customer, actor=ACTOR)
        session.commit()

    [link] = rows(OnboardingLink)
    assert (link.customer_id, link.created_by) == (customer.id, ACTOR)
    assert link.expires_at - link.created_at == timedelta(days=30)
    [told] = [entry for entry in rows(Entry) if entry.kind == "link.created"]
    assert (told.actor, told.customer_id) == (ACTOR, customer.id)
    assert told.facts == {"link_id": link.id, "expires_at": "2026-04-03T05:06:00+00:00"}


class TestWithAnotherSetting:
    """How long links work is a setting."""

    @pytest.fixture
    def settings(self, database_url: str) -> Settings:
        return make_settings(database_url=database_url, link_days=3)

    def test_end_when_it_says(self, session: Session, customer: Customer) -> None:
        link, _ = links.create(session, customer, actor=ACTOR)

        assert link.expires_at - link.created_at == timedelta(days=3)


def test_end_when_whoever_makes_them_says(session: Session, customer: Customer) -> None:
    end = utcnow() + timedelta(hours=2)

    link, _ = links.create(session, customer, actor=ACTOR, expires_at=end)

    assert link.expires_at == end


def test_can_not_end_before_they_begin(session: Session, customer: Customer, rows: Rows) -> None:
    with pytest.raises(Invalid, match="future") as refused:
        links.create(session, customer, actor=ACTOR, expires_at=utcnow() - timedelta(seconds=1))

    assert "expires_at" in refused.value.fields
    session.rollback()
    assert rows(OnboardingLink) == []


def test_are_not_made_for_a_deleted_customer(session: Session, customer: Customer) -> None:
    payers.delete_customer(session, customer, actor=ACTOR)
    session.commit()

    with pytest.raises(PreconditionFailed):
        links.create(session, customer, actor=ACTOR)


def test_of_one_customer_live_beside_each_other(session: Session, customer: Customer) -> None:
    made = [links.create(session, customer, actor=ACTOR)[0].id for _ in range(3)]
    session.commit()

    listed = links.of_customer(session, customer.id)

    assert [link.id for link in listed] == sorted(made, reverse=True)
    assert {link.state for link in listed} == {LinkState.OPEN}


def test_are_found_by_their_token_alone(session: Session, customer: Customer) -> None:
    link, token = links.create(session, customer, actor=ACTOR)
    session.commit()

    assert links.find(session, token) is link
    assert [links.find(session, other) for other in (token[:-1], token.swapcase(), link.id, "")] == [None] * 4


def test_go_from_open_to_opened_to_used_to_expired_and_revoked(app: Flask, customer_id: str) -> None:
    with time_machine.travel(utcnow(), tick=True) as clock:
        path = make_link(app, customer_id)
        page = LinkPage(app.test_client(), path)
        states = [find(app, path).state]
        page.stir()
        states.append(find(app, path).state)
        page.press()
        states.append(find(app, path).state)
        clock.shift(timedelta(days=31))
        link = find(app, path)
        states.append(link.state)
        with app.app_context():
            links.revoke(db.session(), link.id, actor=ACTOR)
            db.session().commit()
        states.append(find(app, path).state)

    assert states == ["open", "opened", "used", "expired", "revoked"]


def test_are_revoked_once(session: Session, customer: Customer, rows: Rows) -> None:
    link, _ = links.create(session, customer, actor=ACTOR)
    session.commit()

    with time_machine.travel(utcnow(), tick=True) as clock:
        links.revoke(session, link.id, actor=ACTOR)
        session.commit()
        revoked_at = link.revoked_at
        clock.shift(60)
        links.revoke(session, link.id, actor="operator:other")
        session.commit()

    assert link.state == LinkState.REVOKED
    assert link.revoked_at == revoked_at is not None
    assert story(rows) == ["link.created", "link.revoked"]


@pytest.mark.parametrize("link_id", ["", "nonsense", "\0", "01JCZZZZZZZZZZZZZZZZZZZZZZ"])
def test_that_do_not_exist_are_not_revoked(session: Session, link_id: str) -> None:
    with pytest.raises(NotFound):
        links.revoke(session, link_id, actor=ACTOR)


def test_are_renewed_by_another(session: Session, customer: Customer, rows: Rows) -> None:
    old, old_token = links.create(session, customer, actor=ACTOR)
    session.commit()

    new, new_token = links.renew(session, old.id, actor=ACTOR)
    session.commit()

    assert (old.state, old.renewed_by, new.state) == (LinkState.REVOKED, new.id, LinkState.OPEN)
    assert new_token != old_token
    assert story(rows) == ["link.created", "link.created", "link.revoked"]


def test_that_have_ended_can_be_renewed(session: Session, customer: Customer) -> None:
    with time_machine.travel(utcnow(), tick=True) as clock:
        old, _ = links.create(session, customer, actor=ACTOR)
        session.commit()
        clock.shift(timedelta(days=40))

        new, _ = links.renew(session, old.id, actor=ACTOR)

        assert (old.state, new.state) == (LinkState.REVOKED, LinkState.OPEN)


def test_of_a_deleted_customer_are_not_renewed(session: Session, customer: Customer, rows: Rows) -> None:
    link, _ = links.create(session, customer, actor=ACTOR)
    payers.delete_customer(session, customer, actor=ACTOR)
    session.commit()

    with pytest.raises(PreconditionFailed):
        links.renew(session, link.id, actor=ACTOR)

    session.rollback()
    assert [row.revoked_at for row in rows(OnboardingLink)] == [None]


def test_are_renewed_once_however_many_ask_at_once(app: Flask, customer_id: str, rows: Rows) -> None:
    link = find(app, make_link(app, customer_id))

    def renew(_number: int) -> type[AppError] | None:
        with app.app_context():
            session = db.session()
            db.start_write(session)
            try:
                links.renew(session, link.id, actor=ACTOR)
            except AppError as error:
                return type(error)
            session.commit()
            return None

    with ThreadPoolExecutor(8) as crowd:
        outcomes = list(crowd.map(renew, range(8)))

    assert sorted(outcomes, key=str) == [Conflict] * 7 + [None]
    assert len(rows(OnboardingLink)) == 2
