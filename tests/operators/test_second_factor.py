"""The second factor: codes from a telephone, recovery codes, and the setting that wants it of everybody."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from time_machine import Traveller

from app.audit import Entry
from app.core import db
from app.core.config import Settings
from app.core.db import utcnow
from app.operators.auth import second_factor
from app.operators.models import Operator, OperatorSession, RecoveryCode
from tests.conftest import make_settings
from tests.support.browser import Page
from tests.support.console import post, sign_in
from tests.support.operators import PASSWORD, Telephone, is_in, log_in, member, send, with_telephone
from tests.support.rows import Rows

SET_UP = "/operator/account/second-factor"
CODE = "/operator/login/code"
RECOVERY = "/operator/account/recovery-codes"


def kinds(rows: Rows) -> list[str]:
    return [entry.kind for entry in rows(Entry)]


def half_way(app: Flask, client: FlaskClient) -> tuple[Operator, Telephone, list[str]]:
    """Somebody who has given the password and is asked for a code."""
    who = member(app)
    telephone, codes = with_telephone(app, who)
    answer = log_in(client)
    assert answer.location == CODE
    return who, telephone, codes


class TestSettingUp:
    """From the account page to the recovery codes."""

    def test_shows_a_picture_and_the_key_as_text(self, app: Flask) -> None:
        client = sign_in(app, who=member(app))

        page = Page.of(client.get(SET_UP))

        assert page.one("svg", class_="qr").all("path")
        key = page.one(id="secret").text
        assert len(key.replace(" ", "")) == 32
        assert key.replace(" ", "") in page.one("a", href=page.all("a")[-1]["href"])["href"] or any(
            key.replace(" ", "") in link.get("href") for link in page.all("a")
        )

    def test_asks_for_a_code_and_then_shows_recovery_codes_once(self, app: Flask, rows: Rows) -> None:
        client = sign_in(app, who=member(app))
        page = Page.of(client.get(SET_UP))
        telephone = Telephone(page.one(id="secret").text)

        answer = post(client, SET_UP, password=PASSWORD, sealed=page.value("sealed"), code=telephone.code())
        shown = Page.of(client.get(answer.location))
        again = client.get(answer.location)

        assert answer.status_code == 303
        codes = [item.text for item in shown.one("ul", class_="recovery-codes").all("li")]
        assert len(set(codes)) == 10
        assert all(len(code) == 19 for code in codes)
        assert again.location == "/operator/account"
        [who] = rows(Operator)
        assert who.has_second_factor
        assert telephone.code() not in who.totp_sealed
        assert page.one(id="secret").text.replace(" ", "") not in who.totp_sealed
        assert not any(
            code.replace("-", "") in str(vars(row)) for code in codes for row in rows(RecoveryCode)
        )
        assert "operator.totp_enabled" in kinds(rows)
        assert "10 recovery codes are unused" in Page.of(client.get("/operator/account")).text

    def test_continues_under_a_new_token_and_ends_the_other_sessions(self, app: Flask, rows: Rows) -> None:
        who = member(app)
        other, client = sign_in(app, who=who), sign_in(app, who=who)
        page = Page.of(client.get(SET_UP))
        with client.session_transaction() as cookie:
            before = cookie["_user_id"]

        post(
            client,
            SET_UP,
            password=PASSWORD,
            sealed=page.value("sealed"),
            code=Telephone(page.one(id="secret").text).code(),
        )

        with client.session_transaction() as cookie:
            assert cookie["_user_id"] != before
        assert is_in(client)
        assert not is_in(other)
        assert len([row for row in rows(OperatorSession) if row.ended_at is None]) == 1

    @pytest.mark.parametrize("code", ["", "000000", "12345", "no digits"])
    def test_keeps_the_key_when_the_code_does_not_fit(self, app: Flask, rows: Rows, code: str) -> None:
        client = sign_in(app, who=member(app))
        page = Page.of(client.get(SET_UP))

        answer = post(client, SET_UP, password=PASSWORD, sealed=page.value("sealed"), code=code)

        again = Page.of(answer)
        assert answer.status_code == 422
        assert again.error("code")
        assert again.one(id="secret").text == page.one(id="secret").text
        assert not rows(Operator)[0].has_second_factor

    @pytest.mark.parametrize("sealed", ["", "made up", "of another operator"])
    def test_takes_only_the_key_that_it_gave_this_operator(self, app: Flask, rows: Rows, sealed: str) -> None:
        client = sign_in(app, who=member(app))
        page = Page.of(sign_in(app).get(SET_UP))
        telephone = Telephone(page.one(id="secret").text)
        brought = page.value("sealed") if sealed == "of another operator" else sealed

        answer = post(client, SET_UP, password=PASSWORD, sealed=brought, code=telephone.code())

        assert answer.status_code == 422
        assert Page.of(answer).one(id="secret").text != page.one(id="secret").text
        assert not any(who.has_second_factor for who in rows(Operator))

    @pytest.mark.parametrize("password", ["", "wrong", f"{PASSWORD}!"])
    def test_is_turned_on_only_with_the_password(self, app: Flask, rows: Rows, password: str) -> None:
        client = sign_in(app, who=member(app))
        page = Page.of(client.get(SET_UP))
        code = Telephone(page.one(id="secret").text).code()

        answer = post(client, SET_UP, password=password, sealed=page.value("sealed"), code=code)

        assert answer.status_code == 422
        assert Page.of(answer).error("password")
        assert Page.of(answer).one(id="secret").text == page.one(id="secret").text
        assert not rows(Operator)[0].has_second_factor

    def test_a_second_one_does_not_take_the_place_of_the_first(self, app: Flask, rows: Rows) -> None:
        client = sign_in(app, who=member(app))
        pages = [Page.of(client.get(SET_UP)) for _ in range(2)]
        answers = [
            post(
                client,
                SET_UP,
                password=PASSWORD,
                sealed=page.value("sealed"),
                code=Telephone(page.one(id="secret").text).code(),
            )
            for page in pages
        ]

        assert [answer.status_code for answer in answers] == [303, 409]
        assert client.get(SET_UP).location == "/operator/account"


class TestLoggingIn:
    """After the password."""

    def test_a_code_of_the_phone_works(self, app: Flask, client: FlaskClient, rows: Rows) -> None:
        _, telephone, _ = half_way(app, client)
        before = is_in(client)

        answer = send(client, CODE, code=telephone.code())

        assert (answer.status_code, answer.location) == (303, "/operator/")
        assert not before
        assert is_in(client)
        assert kinds(rows)[-1] == "operator.logged_in"

    def test_leads_on_to_the_page_that_was_asked_for(self, app: Flask, client: FlaskClient) -> None:
        telephone, _ = with_telephone(app, member(app))
        answer = log_in(client, path="/operator/login?next=/operator/team")

        done = send(client, answer.location, code=telephone.code())

        assert done.location == "/operator/team"

    @pytest.mark.parametrize("steps", [-1, 1])
    def test_a_clock_may_be_off_by_half_a_minute(
        self, app: Flask, client: FlaskClient, frozen: Traveller, steps: int
    ) -> None:
        _, telephone, _ = half_way(app, client)
        frozen.shift(60)

        assert send(client, CODE, code=telephone.code(steps)).status_code == 303

    @pytest.mark.parametrize("steps", [-2, 2])
    def test_and_not_by_more(self, app: Flask, client: FlaskClient, frozen: Traveller, steps: int) -> None:
        _, telephone, _ = half_way(app, client)
        frozen.shift(120)

        assert send(client, CODE, code=telephone.code(steps)).status_code == 422

    def test_a_code_is_good_once(self, app: Flask, client: FlaskClient) -> None:
        _, telephone, _ = half_way(app, client)
        code = telephone.code()
        send(client, CODE, code=code)
        other = app.test_client()
        log_in(other)

        answer = send(other, CODE, code=code)

        assert answer.status_code == 422
        assert "used before" in Page.of(answer).error("code")
        assert not is_in(other)

    def test_the_code_that_turned_it_on_gives_nobody_access(self, app: Flask) -> None:
        client, other = sign_in(app, who=member(app)), app.test_client()
        page = Page.of(client.get(SET_UP))
        code = Telephone(page.one(id="secret").text).code()
        post(client, SET_UP, password=PASSWORD, sealed=page.value("sealed"), code=code)
        log_in(other)

        assert send(other, CODE, code=code).status_code == 422

    def test_nor_is_an_older_one_good_after_a_newer(
        self, app: Flask, client: FlaskClient, clock: Traveller
    ) -> None:
        _, telephone, _ = half_way(app, client)
        clock.shift(60)
        older = telephone.code(-1)
        send(client, CODE, code=telephone.code())
        other = app.test_client()
        log_in(other)

        assert send(other, CODE, code=older).status_code == 422

    def test_of_two_that_give_one_code_at_once_one_is_accepted(self, app: Flask, client: FlaskClient) -> None:
        _, telephone, _ = half_way(app, client)
        other = app.test_client()
        log_in(other)
        code = telephone.code()

        with ThreadPoolExecutor(2) as threads:
            answers = list(threads.map(lambda browser: post(browser, CODE, code=code), [client, other]))

        assert sorted(answer.status_code for answer in answers) == [303, 422]

    @pytest.mark.parametrize("spelt", [str, str.lower, lambda code: code.replace("-", "")])
    def test_a_recovery_code_works_once(
        self, app: Flask, client: FlaskClient, rows: Rows, spelt: type[str]
    ) -> None:
        _, _, codes = half_way(app, client)
        first = send(client, CODE, code=spelt(codes[0]))
        other = app.test_client()
        log_in(other)

        second = send(other, CODE, code=codes[0])

        assert (first.status_code, second.status_code) == (303, 422)
        [entry] = [entry for entry in rows(Entry) if entry.kind == "operator.recovery_code_used"]
        assert entry.facts["left"] == "9"

    def test_of_two_that_give_one_recovery_code_at_once_one_is_accepted(
        self, app: Flask, client: FlaskClient
    ) -> None:
        _, _, codes = half_way(app, client)
        other = app.test_client()
        log_in(other)

        with ThreadPoolExecutor(2) as threads:
            answers = list(threads.map(lambda browser: post(browser, CODE, code=codes[0]), [client, other]))

        assert sorted(answer.status_code for answer in answers) == [303, 422]

    def test_a_recovery_code_of_another_operator_does_not(self, app: Flask, client: FlaskClient) -> None:
        half_way(app, client)
        _, codes = with_telephone(app, member(app, "bob@example.com"))

        assert send(client, CODE, code=codes[0]).status_code == 422

    def test_none_is_good_once_the_second_factor_is_reset(self, app: Flask) -> None:
        who = member(app)
        telephone, _ = with_telephone(app, who)
        with app.app_context():
            session = db.session()
            own = session.get_one(Operator, who.id)
            second_factor.remove(session, own, actor="test")

            assert not second_factor.accepts(session, own, telephone.code())

    def test_guessing_ends_after_ten_tries(
        self, app: Flask, client: FlaskClient, rows: Rows, clock: Traveller
    ) -> None:
        _, telephone, _ = half_way(app, client)
        wrong = telephone.wrong_code()
        statuses = [send(client, CODE, code=wrong).status_code for _ in range(11)]
        refused = send(client, CODE, code=telephone.code())
        clock.shift(timedelta(minutes=11))
        log_in(client)

        assert statuses == [422] * 10 + [429]
        assert refused.status_code == 429
        assert "Try again in 10 minutes" in Page.of(refused).text
        assert kinds(rows).count("operator.second_factor_failed") == 1
        assert send(client, CODE, code=telephone.code()).status_code == 303

    def test_an_address_that_tries_many_accounts_is_sent_away(self, app: Flask) -> None:
        statuses = []
        for name in ("ada", "bob", "eve"):
            telephone, _ = with_telephone(app, member(app, f"{name}@example.com"))
            client = app.test_client()
            log_in(client, f"{name}@example.com")
            statuses += [send(client, CODE, code=telephone.wrong_code()).status_code for _ in range(7)]

        assert statuses == [422] * 20 + [429]

    def test_the_password_is_good_for_ten_minutes(
        self, app: Flask, client: FlaskClient, clock: Traveller
    ) -> None:
        _, telephone, _ = half_way(app, client)
        clock.shift(timedelta(minutes=10, seconds=1))

        assert client.get(CODE).location == "/operator/login"
        assert post(client, CODE, code=telephone.code()).location == "/operator/login"
        assert not is_in(client)

    @pytest.mark.parametrize("change", ["disabled", "password changed", "second factor reset"])
    def test_and_for_nothing_once_the_account_is_another(
        self, app: Flask, client: FlaskClient, change: str
    ) -> None:
        _, telephone, _ = half_way(app, client)
        changes: dict[str, dict[str, Any]] = {
            "disabled": {"disabled_at": utcnow()},
            "password changed": {"password_changed_at": utcnow()},
            "second factor reset": {"totp_enabled_at": None},
        }
        with app.app_context():
            db.session().execute(sa.update(Operator).values(changes[change]))
            db.session().commit()

        answer = post(client, CODE, code=telephone.code())

        assert answer.location == "/operator/login"
        assert not is_in(client)

    def test_nobody_gets_to_the_code_without_the_password(self, client: FlaskClient) -> None:
        assert client.get(CODE + "?next=/operator/team").location == "/operator/login?next=/operator/team"

    def test_a_stale_form_comes_again(self, app: Flask, client: FlaskClient) -> None:
        _, telephone, _ = half_way(app, client)

        answer = client.post(CODE, data={"code": telephone.code()})

        assert answer.status_code == 422
        assert "Please send it again" in Page.of(answer).text
        assert not is_in(client)

    def test_an_empty_form_says_what_to_enter(self, app: Flask, client: FlaskClient) -> None:
        half_way(app, client)

        answer = send(client, CODE, code="")

        assert answer.status_code == 422
        assert Page.of(answer).error("code")

    def test_recovery_codes_help_when_the_key_can_not_be_opened(
        self, app: Flask, client: FlaskClient
    ) -> None:
        _, telephone, codes = half_way(app, client)
        with app.app_context():
            db.session().execute(sa.update(Operator).values(totp_sealed="of a key that is lost"))
            db.session().commit()

        refused = send(client, CODE, code=telephone.code())

        assert refused.status_code == 412
        assert send(client, CODE, code=codes[0]).status_code == 303


class TestChanging:
    """On the account page, with the password."""

    def test_new_recovery_codes_take_the_place_of_the_old(
        self, app: Flask, client: FlaskClient, rows: Rows
    ) -> None:
        who = member(app)
        _, old = with_telephone(app, who)
        console = sign_in(app, who=who)
        answer = post(console, RECOVERY, password=PASSWORD)
        new = [
            item.text
            for item in Page.of(console.get(answer.location)).one("ul", class_="recovery-codes").all("li")
        ]
        log_in(client)

        refused = send(client, CODE, code=old[0])

        assert refused.status_code == 422
        assert send(client, CODE, code=new[0]).status_code == 303
        assert "operator.recovery_codes_made" in kinds(rows)

    def test_it_can_be_removed(self, app: Flask, client: FlaskClient, rows: Rows) -> None:
        who = member(app)
        with_telephone(app, who)
        console = sign_in(app, who=who)

        answer = post(console, f"{SET_UP}/remove", password=PASSWORD)

        assert answer.status_code == 303
        assert log_in(client).location == "/operator/"
        assert rows(RecoveryCode) == []
        assert rows(Operator)[0].totp_sealed is None
        assert "operator.totp_removed" in kinds(rows)

    @pytest.mark.parametrize("path", [RECOVERY, f"{SET_UP}/remove"])
    @pytest.mark.parametrize("password", ["", "wrong"])
    def test_only_with_the_password(self, app: Flask, rows: Rows, path: str, password: str) -> None:
        who = member(app)
        with_telephone(app, who)
        before = {row.id for row in rows(RecoveryCode)}
        console = sign_in(app, who=who)

        answer = post(console, path, password=password)

        assert answer.status_code == 422
        assert Page.of(answer).error("password")
        assert {row.id for row in rows(RecoveryCode)} == before
        assert rows(Operator)[0].has_second_factor

    def test_which_is_not_guessed_there_either(self, app: Flask) -> None:
        who = member(app)
        with_telephone(app, who)
        console = sign_in(app, who=who)
        statuses = [post(console, RECOVERY, password="wrong").status_code for _ in range(11)]

        answer = post(console, RECOVERY, password=PASSWORD)

        assert statuses == [422] * 10 + [429]
        assert answer.status_code == 429
        assert "Try again in 10 minutes" in Page.of(answer).error("password")

    def test_there_are_no_recovery_codes_without_it(self, app: Flask) -> None:
        console = sign_in(app, who=member(app))

        assert post(console, RECOVERY, password=PASSWORD).status_code == 409
        assert console.get(RECOVERY).location == "/operator/account"


class TestRequired:
    """GANGWAY_OPERATOR_REQUIRE_TOTP."""

    @pytest.fixture
    def settings(self, database_url: str) -> Settings:
        return make_settings(database_url=database_url, operator_require_totp=True)

    @pytest.mark.parametrize("path", ["/operator/account", "/operator/team", "/operator/tokens"])
    def test_nothing_else_opens_before_it_is_set_up(self, app: Flask, path: str) -> None:
        client = sign_in(app, who=member(app))

        assert client.get(path).location == SET_UP
        assert post(client, "/operator/account/name", name="Other").location == SET_UP
        assert "Every operator here needs" in Page.of(client.get(SET_UP)).text

    def test_then_everything_does(self, app: Flask) -> None:
        client = sign_in(app, who=member(app))
        page = Page.of(client.get(SET_UP))

        telephone = Telephone(page.one(id="secret").text)
        post(client, SET_UP, password=PASSWORD, sealed=page.value("sealed"), code=telephone.code())

        assert client.get("/operator/team").status_code == 200

    def test_logging_out_is_possible_before(self, app: Flask) -> None:
        client = sign_in(app, who=member(app))

        assert post(client, "/operator/logout").location == "/operator/login"

    def test_it_can_not_be_removed(self, app: Flask, rows: Rows) -> None:
        who = member(app)
        with_telephone(app, who)
        client = sign_in(app, who=who)

        answer = post(client, f"{SET_UP}/remove", password=PASSWORD)

        assert answer.status_code == 409
        assert rows(Operator)[0].has_second_factor
        assert "Remove the second factor" not in Page.of(client.get("/operator/account")).text
