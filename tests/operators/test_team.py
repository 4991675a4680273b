"""The team page: who works in the console, and what each may do."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.audit import Entry
from app.core.db import utcnow
from app.operators.models import OneTimeLink, Operator, OperatorSession, RecoveryCode
from tests.support.browser import Page
from tests.support.cases import for_each
from tests.support.console import operator, post, sign_in
from tests.support.operators import is_in, log_in, member, send, with_telephone
from tests.support.rows import Rows

TEAM = "/operator/team"


def fresh(rows: Rows, who: Operator) -> Operator:
    [found] = [row for row in rows(Operator) if row.id == who.id]
    assert isinstance(found, Operator)
    return found


def facts(rows: Rows, kind: str) -> list[tuple[str, dict[str, str]]]:
    return [(entry.actor, entry.facts) for entry in rows(Entry) if entry.kind == kind]


def test_lists_everybody_with_role_and_state(app: Flask) -> None:
    me = member(app)
    operator(app, "viewer", name="Vera", password_hash=None)
    operator(app, "operator", name="Oskar", disabled_at=utcnow())

    page = Page.of(sign_in(app, who=me).get(TEAM))

    told = [row.text for row in page.one("tbody").all("tr")]
    assert ["You" in row for row in told] == [True, False, False]
    assert "admin active" in told[0]
    assert "Oskar" in told[1]
    assert "disabled" in told[1]
    assert "viewer invited" in told[2]


class TestInviting:
    """Somebody new."""

    def test_makes_an_operator_who_can_not_log_in_yet(self, app: Flask, rows: Rows) -> None:
        me = operator(app)
        admin = sign_in(app, who=me)

        answer = send(admin, TEAM, action=TEAM, email="Bob@Example.com", name="Bob", role="operator")

        bob = rows(Operator)[-1]
        assert answer.location == f"{TEAM}/{bob.id}"
        assert (bob.email, bob.email_folded, bob.state) == ("Bob@Example.com", "bob@example.com", "invited")
        assert facts(rows, "operator.created") == [
            (f"operator:{me.id}", {"operator_id": bob.id, "role": "operator"})
        ]

    def test_refuses_an_address_that_is_taken_in_any_letter_case(self, app: Flask, rows: Rows) -> None:
        member(app)
        admin = sign_in(app)

        answer = post(admin, TEAM, email="ADA@example.com", name="Another", role="viewer")

        page = Page.of(answer)
        assert answer.status_code == 422
        assert "already" in page.error("email")
        assert page.value("name") == "Another"
        assert len(rows(Operator)) == 2

    def test_of_two_at_once_with_one_address_one_is_made(self, app: Flask, rows: Rows) -> None:
        admins = [sign_in(app) for _ in range(2)]

        def invite(admin: FlaskClient) -> int:
            return post(admin, TEAM, email="bob@example.com", name="Bob", role="viewer").status_code

        with ThreadPoolExecutor(2) as threads:
            statuses = list(threads.map(invite, admins))

        assert sorted(statuses) == [303, 422]
        assert len([who for who in rows(Operator) if who.name == "Bob"]) == 1

    @pytest.mark.parametrize(
        ("field", "value"),
        [("email", "bob"), ("email", "a@b@c"), ("name", ""), ("role", "owner"), ("role", "")],
    )
    def test_says_what_is_wrong(self, app: Flask, rows: Rows, field: str, value: str) -> None:
        admin = sign_in(app)
        fields = {"email": "bob@example.com", "name": "Bob", "role": "viewer"} | {field: value}

        answer = post(admin, TEAM, **fields)

        assert answer.status_code == 422
        assert Page.of(answer).error(field)
        assert len(rows(Operator)) == 1


class TestRoles:
    """Changing what somebody may do."""

    def test_holds_at_once_and_ends_the_sessions(self, app: Flask, rows: Rows) -> None:
        me, vera = operator(app), member(app, role="viewer")
        admin, browser = sign_in(app, who=me), sign_in(app, who=vera)

        answer = send(admin, f"{TEAM}/{vera.id}", action=f"{TEAM}/{vera.id}/role", role="operator")

        assert answer.location == f"{TEAM}/{vera.id}"
        assert fresh(rows, vera).role == "operator"
        assert not is_in(browser)
        assert facts(rows, "operator.role_changed") == [
            (f"operator:{me.id}", {"operator_id": vera.id, "before": "viewer", "after": "operator"})
        ]

    def test_the_same_again_changes_nothing(self, app: Flask, rows: Rows) -> None:
        vera = operator(app, "viewer")
        browser = sign_in(app, who=vera)

        post(sign_in(app), f"{TEAM}/{vera.id}/role", role="viewer")

        assert is_in(browser)
        assert facts(rows, "operator.role_changed") == []

    def test_nobody_changes_the_own_one(self, app: Flask, rows: Rows) -> None:
        operator(app)
        me = operator(app)
        admin = sign_in(app, who=me)

        answer = post(admin, f"{TEAM}/{me.id}/role", role="viewer")

        assert answer.status_code == 403
        assert fresh(rows, me).role == "admin"

    @pytest.mark.parametrize("role", ["owner", ""])
    def test_there_are_no_others(self, app: Flask, role: str) -> None:
        vera = operator(app, "viewer")

        assert post(sign_in(app), f"{TEAM}/{vera.id}/role", role=role).status_code == 404

    def test_two_admins_who_demote_each_other_at_once_leave_one(self, app: Flask, rows: Rows) -> None:
        people = [operator(app), operator(app)]
        browsers = [sign_in(app, who=who) for who in people]

        def demote(number: int) -> int:
            other = people[1 - number]
            return post(browsers[number], f"{TEAM}/{other.id}/role", role="viewer").status_code

        with ThreadPoolExecutor(2) as threads:
            statuses = list(threads.map(demote, range(2)))

        assert sorted(who.role for who in rows(Operator)) == ["admin", "viewer"]
        assert sorted(statuses)[0] == 303
        assert sorted(statuses)[1] in {303, 403}  # 303: to the login, when the other was quick


class TestDisabling:
    """Letting somebody in no more, and again."""

    def test_ends_sessions_and_links_at_once(self, app: Flask, client: FlaskClient, rows: Rows) -> None:
        ada = member(app, role="viewer")
        browser, admin = sign_in(app, who=ada), sign_in(app)
        post(admin, f"{TEAM}/{ada.id}/link")

        answer = send(admin, f"{TEAM}/{ada.id}", action=f"{TEAM}/{ada.id}/disable")

        assert answer.status_code == 303
        assert not is_in(browser)
        assert log_in(client).status_code == 422
        assert rows(OneTimeLink) == []
        assert fresh(rows, ada).state == "disabled"
        assert len(facts(rows, "operator.disabled")) == 1

    def test_can_be_undone(self, app: Flask, client: FlaskClient, rows: Rows) -> None:
        ada = member(app, role="viewer", disabled_at=utcnow())
        admin = sign_in(app)

        send(admin, f"{TEAM}/{ada.id}", action=f"{TEAM}/{ada.id}/enable")

        assert log_in(client).status_code == 303
        assert len(facts(rows, "operator.enabled")) == 1

    @pytest.mark.parametrize("action", ["disable", "enable"])
    def test_twice_is_told_once(self, app: Flask, rows: Rows, action: str) -> None:
        ada = member(app, disabled_at=utcnow() if action == "enable" else None)
        admin = sign_in(app)

        statuses = [post(admin, f"{TEAM}/{ada.id}/{action}").status_code for _ in range(2)]

        assert statuses == [303, 303]
        assert len(facts(rows, f"operator.{action}d")) == 1

    def test_nobody_disables_the_own_account(self, app: Flask, rows: Rows) -> None:
        operator(app)
        me = operator(app)

        answer = post(sign_in(app, who=me), f"{TEAM}/{me.id}/disable")

        assert answer.status_code == 403
        assert fresh(rows, me).state == "active"

    def test_two_admins_who_disable_each_other_at_once_leave_one(self, app: Flask, rows: Rows) -> None:
        people = [operator(app), operator(app)]
        browsers = [sign_in(app, who=who) for who in people]

        with ThreadPoolExecutor(2) as threads:
            list(
                threads.map(
                    lambda number: post(browsers[number], f"{TEAM}/{people[1 - number].id}/disable"), range(2)
                )
            )

        assert sorted(who.state for who in rows(Operator)) == ["active", "disabled"]

    def test_a_disabled_operator_gets_no_link(self, app: Flask, rows: Rows) -> None:
        ada = operator(app, "viewer", disabled_at=utcnow())
        admin = sign_in(app)

        answer = post(admin, f"{TEAM}/{ada.id}/link")

        assert answer.status_code == 409
        assert rows(OneTimeLink) == []


class TestSecondFactor:
    """Lost telephones."""

    def test_can_be_reset(self, app: Flask, client: FlaskClient, rows: Rows) -> None:
        ada = member(app, role="viewer")
        with_telephone(app, ada)
        browser, admin = sign_in(app, who=ada), sign_in(app)

        send(admin, f"{TEAM}/{ada.id}", action=f"{TEAM}/{ada.id}/second-factor/reset")

        assert not is_in(browser)
        assert rows(RecoveryCode) == []
        assert len(facts(rows, "operator.totp_removed")) == 1
        assert log_in(client).location == "/operator/"

    def test_where_there_is_none_nothing_happens(self, app: Flask, rows: Rows) -> None:
        ada = member(app)
        browser = sign_in(app, who=ada)

        post(sign_in(app), f"{TEAM}/{ada.id}/second-factor/reset")

        assert is_in(browser)
        assert facts(rows, "operator.totp_removed") == []

    def test_of_the_own_account_needs_the_password(self, app: Flask, rows: Rows) -> None:
        ada = member(app)
        with_telephone(app, ada)

        answer = post(sign_in(app, who=ada), f"{TEAM}/{ada.id}/second-factor/reset")

        assert answer.status_code == 403
        assert rows(Operator)[0].has_second_factor


class TestOneOperator:
    """The page of one of them."""

    def test_reports_the_account(self, app: Flask) -> None:
        ada = member(app, role="viewer")
        admin = sign_in(app)
        post(admin, f"{TEAM}/{ada.id}/link")

        page = Page.of(admin.get(f"{TEAM}/{ada.id}"))

        assert page.h1 == "Ada Lovelace"
        assert "open until" in page.text
        assert page.value("role") == "viewer"

    def test_a_new_link_is_in_the_audit_log(self, app: Flask, rows: Rows) -> None:
        ada, me = member(app, role="viewer"), operator(app)

        post(sign_in(app, who=me), f"{TEAM}/{ada.id}/link")

        assert facts(rows, "operator.link_made") == [(f"operator:{me.id}", {"operator_id": ada.id})]

    def test_the_own_one_is_the_account_page(self, app: Flask) -> None:
        me = member(app)

        assert sign_in(app, who=me).get(f"{TEAM}/{me.id}").location == "/operator/account"

    @for_each("id_", ["0" * 26, "x", "%00"])
    @for_each("rest", ["", "/role", "/disable", "/enable", "/link", "/second-factor/reset"])
    def test_there_is_none_of_another_id(self, app: Flask, rest: str, id_: str) -> None:
        admin = sign_in(app)

        path = f"{TEAM}/{id_}{rest}"
        answer = post(admin, path, role="viewer") if rest else admin.get(path)

        assert answer.status_code == 404

    def test_a_session_of_somebody_demoted_meanwhile_does_nothing(self, app: Flask, rows: Rows) -> None:
        vera, oskar = operator(app, "viewer"), operator(app, "operator")

        answer = post(sign_in(app, who=oskar), f"{TEAM}/{vera.id}/role", role="admin")

        assert answer.status_code == 403
        assert fresh(rows, vera).role == "viewer"
        assert len(rows(OperatorSession)) == 1
