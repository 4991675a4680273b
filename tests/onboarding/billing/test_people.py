"""Several people for one customer: each is invited, has an own access, and loses it at once when removed."""

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial

import pytest
import sqlalchemy as sa
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app.audit import Entry
from app.core import db
from app.customers import Customer
from app.onboarding import billing
from app.onboarding.models import BillingAccess, BillingPerson
from app.web.mail import Mailbox
from tests.support.billing import BillingPage, after, plain, press
from tests.support.browser import Page
from tests.support.console import csrf
from tests.support.links import LinkPage, make_link
from tests.support.portal import sign_up
from tests.support.rivals import meet_before
from tests.support.rows import Rows

GRACE = "grace@example.com"


class PeoplePage:
    """The page that says who has access."""

    def __init__(self, client: FlaskClient, path: str | None = None) -> None:
        self.client = client
        if path is None:
            [link] = [each for each in BillingPage(client).page.all("a") if "/billing/people" in each["href"]]
            path = link["href"]
        self.page = Page.of(client.get(path))
        self.page.check()

    @property
    def text(self) -> str:
        """All that can be read."""
        return plain(self.page.one("main").text)

    def invite(self, email: str = GRACE) -> TestResponse:
        """Send the form."""
        return press(self.client, self.page.one("form", action="/billing/people"), email=email)

    def remove(self, email: str = GRACE) -> "PeoplePage":
        """Follow the link of a person, and confirm."""
        [link] = [each for each in self.page.all("a") if f"Remove ({email})" in " ".join(each.text.split())]
        question = Page.of(self.client.get(link["href"]))
        question.check()
        [form] = [form for form in question.all("form") if "/remove" in form["action"]]
        answer = press(self.client, form)
        assert answer.status_code == 303
        return PeoplePage(self.client, answer.location)


def invited(client: FlaskClient, email: str = GRACE) -> str:
    """Invite somebody; the path of the invitation."""
    answer = PeoplePage(client).invite(email)
    assert answer.status_code == 303
    found = re.search(r"/billing/invitation/\S+", PeoplePage(client, answer.location).text)
    assert found is not None
    return found.group()


def accept(client: FlaskClient, path: str) -> TestResponse:
    """Open an invitation, and press its button."""
    page = Page.of(client.get(path))
    page.check()
    return press(client, page.one("form", action=path))


def test_an_invitation_gives_somebody_access(saved: FlaskClient, other: FlaskClient, rows: Rows) -> None:
    path = invited(saved)

    page = after(other, accept(other, path))

    assert page.titles == ["Mastercard •••• 4444", "Visa •••• 4242"]
    assert after(other, page.press("/billing/default", "Visa •••• 4242")).titles[0] == "Visa •••• 4242"
    assert "Has access since" in PeoplePage(saved).text
    kinds = [entry.kind for entry in rows(Entry) if entry.kind.startswith(("person.", "billing_page."))]
    assert kinds == ["person.invited", "billing_page.entered"]
    assert GRACE not in str([entry.facts for entry in rows(Entry)])


def test_a_look_at_it_changes_nothing(app: Flask, saved: FlaskClient, other: FlaskClient, rows: Rows) -> None:
    path = invited(saved)
    for _ in range(3):
        answer = app.test_client().get(path)
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert not Page.of(answer).tells("4242")

    assert rows(BillingAccess) == []
    after(other, accept(other, path))


def test_works_once(app: Flask, saved: FlaskClient, other: FlaskClient) -> None:
    path = invited(saved)
    thief = app.test_client()
    form = Page.of(thief.get(path)).one("form", action=path)
    after(other, accept(other, path))

    assert press(thief, form).status_code == 404
    assert Page.of(thief.get(path)).h1 == "This invitation no longer works".replace("'", "\u2019")
    assert BillingPage(thief).page.h1 == "See your payment methods"


def test_survives_when_the_owner_opens_it(saved: FlaskClient, other: FlaskClient, rows: Rows) -> None:
    path = invited(saved)

    page = after(saved, accept(saved, path))

    assert "The invitation still works" in page.text
    assert rows(BillingPerson)[0].joined_at is None
    after(other, accept(other, path))
    assert rows(BillingPerson)[0].joined_at is not None


def test_survives_when_another_person_opens_it(app: Flask, saved: FlaskClient, other: FlaskClient) -> None:
    accept(other, invited(saved))
    path = invited(saved, "alan@example.com")

    after(other, accept(other, path))

    third = app.test_client()
    after(third, accept(third, path))


def test_expires(saved: FlaskClient, other: FlaskClient) -> None:
    path = invited(saved)

    with time_machine.travel(db.utcnow() + timedelta(days=31), tick=True):
        assert other.get(path).status_code == 404
        assert other.post(path, data={"csrf_token": csrf(other)}).status_code == 404


def test_works_longer_when_it_is_sent_again(saved: FlaskClient, other: FlaskClient) -> None:
    invited(saved)
    now = db.utcnow()
    with time_machine.travel(now + timedelta(days=20), tick=True):
        path = invited(saved)

    with time_machine.travel(now + timedelta(days=40), tick=True):
        after(other, accept(other, path))


def test_leads_nowhere_once_its_person_is_removed(saved: FlaskClient, other: FlaskClient) -> None:
    path = invited(saved)
    form = Page.of(other.get(path)).one("form", action=path)
    PeoplePage(saved).remove()

    assert press(other, form).status_code == 404


def test_is_shown_once(saved: FlaskClient) -> None:
    invited(saved)

    page = PeoplePage(saved)

    assert "/billing/invitation/" not in page.text
    assert "The invitation works until" in page.text


def test_a_second_invitation_ends_the_first(saved: FlaskClient, other: FlaskClient, rows: Rows) -> None:
    first, second = invited(saved), invited(saved, " GRACE@example.com")

    assert other.get(first).status_code == 404
    after(other, accept(other, second))
    assert len(rows(BillingPerson)) == 1


def test_nobody_is_invited_twice(saved: FlaskClient, other: FlaskClient) -> None:
    accept(other, invited(saved))

    answer = PeoplePage(saved).invite()

    assert answer.status_code == 422
    assert "already has access" in Page.of(answer).error("email")


def test_needs_an_address(saved: FlaskClient, rows: Rows) -> None:
    assert PeoplePage(saved).invite("x").status_code == 422
    assert rows(BillingPerson) == []


def test_is_sent_where_email_is_set_up(saved: FlaskClient, other: FlaskClient, mailbox: Mailbox) -> None:
    path = invited(saved)

    message = mailbox.messages[-1]
    assert (message.to, message.reply_to, path in message.text) == (GRACE, "help@example.com", True)


def test_an_invited_person_gets_access_by_a_code(
    saved: FlaskClient, other: FlaskClient, mailbox: Mailbox, rows: Rows
) -> None:
    invited(saved)
    press(other, BillingPage(other).page.one("form", action="/billing/code"), email=GRACE)
    code = re.search(r"\b\d{6}\b", mailbox.messages[-1].text)
    assert code is not None

    form = Page.of(other.get("/billing/code")).one("form", action="/billing/code/check")
    page = after(other, press(other, form, code=code.group()))

    assert "Visa •••• 4242" in page.text
    assert not [link for link in page.page.all("a") if "/billing/people" in link["href"]]
    assert rows(BillingPerson)[0].joined_at is not None


def test_gets_access_by_a_first_code_that_two_tabs_send_at_once(
    app: Flask, saved: FlaskClient, other: FlaskClient, mailbox: Mailbox, rows: Rows
) -> None:
    invited(saved)
    press(other, BillingPage(other).page.one("form", action="/billing/code"), email=GRACE)
    code = re.search(r"\b\d{6}\b", mailbox.messages[-1].text)
    form = Page.of(other.get("/billing/code")).one("form", action="/billing/code/check")
    cookie = other.get_cookie("gangway")
    assert code is not None
    assert cookie is not None
    tabs = [app.test_client() for _ in range(2)]
    for tab in tabs:
        tab.set_cookie("gangway", cookie.value)

    answers = meet_before(
        app,
        "UPDATE billing_code SET browser_hash",
        *(partial(press, tab, form, code=code.group()) for tab in tabs),
    )

    assert [answer.status_code for answer in answers] == [303, 303]
    assert len(rows(BillingAccess)) == 1
    assert rows(BillingPerson)[0].joined_at is not None


def test_gets_no_code_for_a_customer_that_was_deleted(
    app: Flask, saved: FlaskClient, other: FlaskClient, mailbox: Mailbox
) -> None:
    invited(saved)
    mailbox.messages.clear()
    with app.app_context():
        db.session().execute(sa.update(Customer).values(deleted_at=db.utcnow()))
        db.session().commit()

    press(other, BillingPage(other).page.one("form", action="/billing/code"), email=GRACE)

    assert not mailbox.messages


class TestARemovedPerson:
    """Somebody who had access, and has none now."""

    @pytest.fixture
    def removed(self, saved: FlaskClient, other: FlaskClient) -> FlaskClient:
        """The browser of somebody who was removed while the billing page was open in it."""
        accept(other, invited(saved))
        self.tab = BillingPage(other)
        assert "This person no longer has access." in PeoplePage(saved).remove().text
        return other

    def test_sees_nothing_from_the_next_request_on(self, removed: FlaskClient) -> None:
        assert BillingPage(removed).page.h1 == "See your payment methods"
        assert not Page.of(removed.get("/return")).tells("4242")

    def test_changes_nothing_from_an_open_tab(self, removed: FlaskClient) -> None:
        assert self.tab.press("/billing/default", "Visa •••• 4242").status_code == 404
        assert self.tab.press("/resume").status_code == 404

    def test_gets_no_code(self, removed: FlaskClient, mailbox: Mailbox) -> None:
        press(removed, BillingPage(removed).page.one("form", action="/billing/code"), email=GRACE)

        assert not mailbox.messages

    def test_can_be_removed_twice_and_invited_again(
        self, saved: FlaskClient, removed: FlaskClient, rows: Rows
    ) -> None:
        page = PeoplePage(saved)
        form = page.page.one("form", action="/billing/people")
        form.attributes["action"] = f"/billing/people/{rows(BillingPerson)[0].id}/remove"
        assert press(saved, form).status_code == 303
        assert [entry.kind for entry in rows(Entry)].count("person.removed") == 1
        answer = saved.get(f"{form['action']}?customer={rows(Customer)[0].id}")
        assert answer.status_code == 404

        after(removed, accept(removed, invited(saved)))


class TestOthers:
    """Who may not say who gets in."""

    def test_an_invited_person_does_not(self, saved: FlaskClient, other: FlaskClient, rows: Rows) -> None:
        accept(other, invited(saved))

        assert other.get(f"/billing/people?customer={rows(Customer)[0].id}").status_code == 404

    def test_a_guest_does_not(self, app: Flask, saved: FlaskClient, other: FlaskClient, rows: Rows) -> None:
        link = LinkPage(other, make_link(app, rows(Customer)[0].id))
        other.post(link.path, data=link.token | {"another": "1"})

        assert other.get(f"/billing/people?customer={rows(Customer)[0].id}").status_code == 404

    def test_another_customer_does_not(self, saved: FlaskClient, other: FlaskClient, rows: Rows) -> None:
        invited(saved)
        person, theirs = rows(BillingPerson)[0].id, rows(Customer)[0].id
        sign_up(other, name="Eve", email="eve@example.com", key="eve", subject_keys=["eve"])
        form = PeoplePage(other).page.one("form", action="/billing/people")
        assert other.get(f"/billing/people?customer={theirs}").status_code == 404

        for target in (person, "x"):
            form.attributes["action"] = f"/billing/people/{target}/remove"
            assert press(other, form).status_code == 404
        assert press(other, form, customer=theirs).status_code == 404
        assert rows(BillingPerson)[0].removed_at is None


def test_a_customer_has_few_people(app: Flask, saved: FlaskClient, rows: Rows) -> None:
    with app.app_context():
        session = db.session()
        now, customer_id = db.utcnow(), rows(Customer)[0].id
        session.add_all(
            BillingPerson(
                customer_id=customer_id,
                email=f"{number}@example.com",
                token_hash=str(number),
                invited_by="visitor",
                expires_at=now,
            )
            for number in range(50)
        )
        session.commit()

    answer = PeoplePage(saved).invite()

    assert "as many people as you can" in plain(Page.of(answer).error("email"))


def test_an_invitation_to_a_deleted_customer_leads_nowhere(
    app: Flask, saved: FlaskClient, other: FlaskClient
) -> None:
    path = invited(saved)
    form = Page.of(other.get(path)).one("form", action=path)
    with app.app_context():
        db.session().execute(sa.update(Customer).values(deleted_at=db.utcnow()))
        db.session().commit()

    assert press(other, form).status_code == 404


def test_a_hand_over_gives_a_browser_access(
    app: Flask, saved: FlaskClient, other: FlaskClient, rows: Rows
) -> None:
    other.get("/signup")
    with other.session_transaction() as cookie:
        browser = cookie["browser"]
    with app.app_context():
        session = db.session()
        db.start_write(session)
        billing.let_in(session, rows(Customer)[0].id, browser, way=billing.Way.HANDOVER, profile=None)
        session.commit()

    page = BillingPage(other)

    assert page.titles == ["Mastercard •••• 4444", "Visa •••• 4242"]
    assert PeoplePage(other).page.h1 == "People with access"


def test_an_invitation_takes_nothing_from_the_first_person(saved: FlaskClient, rows: Rows) -> None:
    after(saved, accept(saved, invited(saved)))

    assert PeoplePage(saved).page.h1 == "People with access"


def test_a_person_who_is_only_marked_as_removed_sees_nothing(
    app: Flask, saved: FlaskClient, other: FlaskClient
) -> None:
    accept(other, invited(saved))
    with app.app_context():
        db.session().execute(sa.update(BillingPerson).values(removed_at=db.utcnow()))
        db.session().commit()

    assert BillingPage(other).page.h1 == "See your payment methods"


def test_nobody_is_sent_invitations_without_end(saved: FlaskClient, mailbox: Mailbox) -> None:
    page = PeoplePage(saved)
    for _ in range(5):
        assert page.invite().status_code == 303
        page = PeoplePage(saved).remove()

    assert page.invite(" GRACE@example.com").status_code == 429

    assert len(mailbox.messages) == 5
    assert page.invite("alan@example.com").status_code == 303


def test_lets_one_of_many_in_at_once(app: Flask, saved: FlaskClient, rows: Rows) -> None:
    path = invited(saved)
    pages = [(client, Page.of(client.get(path))) for client in (app.test_client() for _ in range(5))]

    def take(visitor: tuple[FlaskClient, Page]) -> int:
        client, page = visitor
        return press(client, page.one("form", action=path)).status_code

    with ThreadPoolExecutor(len(pages)) as crowd:
        statuses = sorted(crowd.map(take, pages))

    assert statuses == [303, 404, 404, 404, 404]
    assert len(rows(BillingAccess)) == 1
