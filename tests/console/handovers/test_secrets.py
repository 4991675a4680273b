"""An administrator makes the secrets of hand-overs, sees each once, and revokes them."""

import html
import re

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from app import portal
from app.audit import Entry
from app.core.secrets.resealing import reseal
from app.onboarding import handovers
from app.onboarding.handovers import MAX_LIVE_SECRETS, HandoverSecret
from tests.support.browser import Page
from tests.support.cases import for_each
from tests.support.console import operator, post, sign_in
from tests.support.handovers import HandoverPage, make_secret, sign
from tests.support.operators import send
from tests.support.profiles import publish_profiles
from tests.support.rivals import commits_meanwhile
from tests.support.rows import Rows

PATH = "/operator/portal/handovers"


def make(client: FlaskClient, name: str = "shop") -> Page:
    """Make a secret and look at the page that follows."""
    answer = send(client, PATH, action=PATH, name=name)
    assert answer.status_code == 303, answer.get_data(as_text=True)
    return Page.of(client.get(answer.location))


def test_says_what_to_do_while_there_is_none(app: Flask) -> None:
    assert "There is no secret yet" in Page.of(sign_in(app).get(PATH)).text


def test_shows_code_that_works(
    app: Flask, client: FlaskClient, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shown = make(sign_in(app))
    monkeypatch.setenv("GANGWAY_HANDOVER_SECRET", shown.one(id="once")["value"])

    [code] = re.findall(r"<pre[^>]*>(.*?)</pre>", shown.html, re.DOTALL)
    exec(html.unescape(code), {})  # noqa: S102 (our own example)

    url = capsys.readouterr().out.strip().splitlines()[-1]
    page = Page.of(client.get(url.removeprefix("http://127.0.0.1:8000")))
    assert (page.value("name"), page.value("email")) == ("Ada Lovelace", "ada@example.com")


def test_makes_one_that_works_and_is_shown_once(app: Flask, client: FlaskClient, rows: Rows) -> None:
    me = operator(app)
    admin = sign_in(app, who=me)

    text = make(admin).one(id="once")["value"]

    again = Page.of(admin.get(PATH))
    [secret] = rows(HandoverSecret)
    assert HandoverPage(client, sign(text)).answer.status_code == 200
    assert text not in again.html
    assert text not in secret.sealed
    assert secret.id in again.html
    made = [entry for entry in rows(Entry) if entry.kind == "handover_secret.created"]
    assert [entry.actor for entry in made] == [f"operator:{me.id}"]
    assert text not in str([entry.facts for entry in made])


def test_revokes_one_at_once_and_deletes_its_text(app: Flask, client: FlaskClient, rows: Rows) -> None:
    admin = sign_in(app)
    text = make(admin).one(id="once")["value"]
    [secret] = rows(HandoverSecret)

    send(admin, PATH, action=f"{PATH}/{secret.id}/revoke")
    page = Page.of(admin.get(PATH))

    assert HandoverPage(client, sign(text)).answer.status_code == 404
    assert "revoked" in page.one("table").text
    assert [row.sealed for row in rows(HandoverSecret)] == [""]
    assert "handover_secret.revoked" in {entry.kind for entry in rows(Entry)}
    assert make(admin, "shop").one("table").text.count("shop") >= 2  # its name is free again


@for_each("name", ["", "  ", "x" * 81, "a\x07"])
def test_refuses_a_bad_name(app: Flask, name: str) -> None:
    answer = send(sign_in(app), PATH, action=PATH, name=name)

    assert answer.status_code == 422
    assert Page.of(answer).error("name")


def test_refuses_a_name_that_is_in_use_and_too_many(app: Flask, rows: Rows) -> None:
    admin = sign_in(app)
    make(admin, "shop")
    again = send(admin, PATH, action=PATH, name="shop")
    for number in range(MAX_LIVE_SECRETS - 1):
        make(admin, f"shop {number}")

    more = send(admin, PATH, action=PATH, name="one more")

    assert (again.status_code, more.status_code) == (422, 422)
    assert "already in use" in Page.of(again).error("name")
    assert "Revoke one" in Page.of(more).error("name")
    assert len(rows(HandoverSecret)) == MAX_LIVE_SECRETS


@pytest.mark.parametrize(
    ("held", "name", "problem"),
    [(1, "theirs", "already in use"), (MAX_LIVE_SECRETS - 1, "mine", "Revoke one")],
)
def test_refuses_one_that_another_admin_leaves_no_room_for(
    app: Flask, rows: Rows, held: int, name: str, problem: str
) -> None:
    admin = sign_in(app)
    for number in range(held):
        make_secret(app, f"shop {number}")

    answer = commits_meanwhile(
        app,
        lambda session: handovers.create_secret(session, "theirs", actor="another"),
        lambda: send(admin, PATH, action=PATH, name=name),
    )

    assert answer.status_code == 422
    assert problem in Page.of(answer).error("name")
    assert len(rows(HandoverSecret)) == held + 1


def test_is_revoked_once_by_two_at_once(app: Flask, rows: Rows) -> None:
    admin = sign_in(app)
    make(admin, "shop")
    [secret] = rows(HandoverSecret)

    answer = commits_meanwhile(
        app,
        lambda session: handovers.revoke_secret(session, secret.id, actor="another"),
        lambda: post(admin, f"{PATH}/{secret.id}/revoke"),
    )

    assert answer.status_code == 303
    assert [entry.actor for entry in rows(Entry) if entry.kind == "handover_secret.revoked"] == ["another"]


def test_revokes_one_once(app: Flask, rows: Rows) -> None:
    admin = sign_in(app)
    make(admin)
    [secret] = rows(HandoverSecret)

    for _ in range(2):
        assert post(admin, f"{PATH}/{secret.id}/revoke").status_code == 303

    assert [entry.kind for entry in rows(Entry)].count("handover_secret.revoked") == 1


def test_there_is_nothing_to_revoke(app: Flask) -> None:
    answer = post(sign_in(app), f"{PATH}/nothing/revoke")

    assert answer.status_code == 404


def test_names_the_secret_in_the_audit_log(app: Flask, client: FlaskClient) -> None:
    HandoverPage(client, sign(make_secret(app, "shop"))).submit()

    page = Page.of(sign_in(app).get("/operator/audit"))

    assert "Hand-over secret “shop”" in page.text
    assert "Came from your app by a hand-over" in page.text


def test_one_that_no_key_opens_is_left_out(app: Flask, client: FlaskClient, session: Session) -> None:
    closed, text = make_secret(app), make_secret(app)
    first = session.scalars(sa.select(HandoverSecret).order_by(HandoverSecret.id)).first()
    assert first is not None
    first.sealed = "x"
    session.commit()

    statuses = [HandoverPage(client, sign(each)).answer.status_code for each in (closed, text)]

    assert statuses == [404, 200]


def test_is_sealed_again_with_the_others(app: Flask, session: Session) -> None:
    make_secret(app)

    assert "handover_secret" not in str(reseal(session).closed)


def test_warns_while_visitors_can_type_the_keys_of_customers(app: Flask) -> None:
    admin, title = sign_in(app), "Visitors can type your references"
    before = Page.of(admin.get(PATH)).text
    make_secret(app)
    page = Page.of(admin.get(PATH))
    form = portal.Form(subject_keys_from_handover_only=True)
    publish_profiles(app, portal.Profile(form=form), closed=portal.Profile(sign_up="links"))

    after = Page.of(admin.get(PATH)).text

    assert title not in before
    assert title in page.text
    assert page.all("a", href="/operator/portal/profiles/default/form")
    assert title not in after
