"""API tokens: who may call, for how long, and what."""

from datetime import UTC, datetime, timedelta

import pytest
from click.testing import Result
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session
from time_machine import Traveller

from app.audit import Entry
from app.core.db import new_id
from app.core.errors import Invalid
from app.operators import ApiToken, create_token
from app.operators.cli import group
from tests.support.api import Api, check
from tests.support.cases import for_each
from tests.support.rows import Rows
from tests.support.tokens import bearer

SENTENCE = "unauthorized error: a valid API token is needed, as Authorization: Bearer …"
CUSTOMER = {"name": "ACME, Inc.", "key": "acme"}


def run(app: Flask, *arguments: str) -> Result:
    return app.test_cli_runner().invoke(group, list(arguments))


def created(app: Flask, *arguments: str) -> str:
    """The text of a new token."""
    answer = run(app, "create", f"ledger {new_id()}", *arguments)
    assert answer.exit_code == 0, answer.output
    return answer.output.strip()


def status(client: FlaskClient, header: str) -> int:
    answer = client.get("/api/v1/customers", headers={"Authorization": header})
    check(answer)
    return answer.status_code


class TestCommands:
    """`gangway token`."""

    def test_create_prints_a_token_that_is_accepted(self, app: Flask, client: FlaskClient) -> None:
        text = created(app)

        assert text.startswith("gangway_")
        assert status(client, f"Bearer {text}") == 200

    def test_create_keeps_only_a_hash(self, app: Flask, rows: Rows) -> None:
        text = created(app)

        [token] = rows(ApiToken)
        secret = text.split("_", 2)[2]
        assert len(secret) == 43
        assert secret not in "".join(str(value) for value in vars(token).values())
        assert secret not in "".join(str(vars(entry)) for entry in rows(Entry))
        assert token.name.startswith("ledger ")
        assert (token.scope, token.expires_at) == ("write", None)

    def test_create_refuses_a_name_that_says_nothing(self, app: Flask, rows: Rows) -> None:
        answers = [run(app, "create", name) for name in (" ", "x" * 257, "\u200b", "a\nb")]

        assert [answer.exit_code for answer in answers] == [1] * 4
        assert rows(ApiToken) == []

    def test_create_refuses_a_name_that_a_live_token_has(self, app: Flask, rows: Rows) -> None:
        first, second = (run(app, "create", name) for name in ("ledger", " ledger "))
        run(app, "revoke", rows(ApiToken)[0].id)
        third = run(app, "create", "ledger")

        assert [answer.exit_code for answer in (first, second, third)] == [0, 1, 0]
        assert "A token named “ledger” already exists" in str(second.exception)

    def test_create_refuses_an_unknown_scope(self, app: Flask, rows: Rows) -> None:
        answer = run(app, "create", "ledger", "--scope", "everything")

        assert answer.exit_code == 2
        assert rows(ApiToken) == []

    def test_a_token_is_not_made_with_a_scope_that_nobody_checks(self, session: Session, rows: Rows) -> None:
        with pytest.raises(Invalid, match="read, write, admin"):
            create_token(session, "ledger", scope="everything", actor="test")

        assert rows(ApiToken) == []

    def test_list_shows_state_and_never_the_token(
        self, app: Flask, client: FlaskClient, clock: Traveller
    ) -> None:
        text = created(app, "--scope", "admin")
        expired = created(app, "--expires", "2030-01-01").split("_")[1]
        clock.move_to(datetime(2030, 1, 2, tzinfo=UTC))
        revoked = created(app).split("_")[1]
        run(app, "revoke", revoked)
        status(client, f"Bearer {text}")

        answer = run(app, "list")

        lines = answer.output.splitlines()
        assert [line.split()[:3] for line in lines] == [
            [revoked, "write", "revoked"],
            [expired, "write", "expired"],
            [text.split("_")[1], "admin", "valid"],
        ]
        assert "never used" in lines[0]
        assert "UTC" in lines[2]
        assert text not in answer.output

    def test_revoke_ends_a_token_at_once_and_may_be_repeated(self, app: Flask, client: FlaskClient) -> None:
        text = created(app)
        before = status(client, f"Bearer {text}")

        answers = [run(app, "revoke", text.split("_")[1]) for _ in range(2)]

        assert [answer.exit_code for answer in answers] == [0, 0]
        assert (before, status(client, f"Bearer {text}")) == (200, 401)

    @pytest.mark.parametrize("token_id", ["01K0A5QJ7M8Z3T9V4XWYB2C6DE", "nonsense"])
    def test_revoke_knows_only_what_is_there(self, app: Flask, token_id: str) -> None:
        answer = run(app, "revoke", token_id)

        assert answer.exit_code == 1

    def test_making_and_revoking_stand_in_the_audit_log(self, app: Flask, rows: Rows) -> None:
        text = created(app)

        run(app, "revoke", text.split("_")[1])

        kinds = [entry.kind for entry in rows(Entry) if entry.kind.startswith("token.")]
        assert sorted(kinds) == ["token.created", "token.revoked"]


class TestLetIn:
    """Who is let in."""

    @for_each(
        "header",
        [
            "",
            "Bearer",
            "Bearer ",
            "Bearer x",
            "Basic dXNlcjpwYXNz",
            "Bearer gangway_",
            "Bearer gangway_01K0A5QJ7M8Z3T9V4XWYB2C6DE_" + "a" * 43,
            "Bearer gangway_01K0A5QJ7M8Z3T9V4XWYB2C6DE_" + "a" * 5000,
            "Bearer sk_test_51Abcdefgh",
            "Bearer \x00",
            "Bearer \xff\xfe",
            "\x00",
            "Bearer " + "x" * 60_000,
            "{}",
        ],
    )
    def test_rubbish_is_told_the_one_sentence(self, client: FlaskClient, app: Flask, header: str) -> None:
        answer = client.get("/api/v1/customers", headers={"Authorization": header})

        check(answer)
        assert answer.status_code == 401
        assert answer.headers["WWW-Authenticate"] == "Bearer"
        assert answer.get_json()["detail"] == SENTENCE

    def test_no_header_gets_the_same_answer(self, client: FlaskClient) -> None:
        answer = client.get("/api/v1/customers")

        check(answer)
        assert (answer.status_code, answer.get_json()["detail"]) == (401, SENTENCE)

    def test_a_good_id_with_another_secret_gets_the_same_answer(
        self, app: Flask, client: FlaskClient
    ) -> None:
        text = created(app)
        other = text[:-1] + ("A" if text[-1] != "A" else "B")

        answer = client.get("/api/v1/customers", headers={"Authorization": f"Bearer {other}"})

        assert (answer.status_code, answer.get_json()["detail"]) == (401, SENTENCE)

    def test_an_expired_token_gets_the_same_answer(
        self, app: Flask, client: FlaskClient, clock: Traveller
    ) -> None:
        text = created(app, "--expires", "2030-01-01")
        clock.move_to(datetime(2030, 1, 2, tzinfo=UTC))

        answer = client.get("/api/v1/customers", headers={"Authorization": f"Bearer {text}"})

        assert (answer.status_code, answer.get_json()["detail"]) == (401, SENTENCE)

    def test_a_token_lasts_to_the_end_of_its_day(
        self, app: Flask, client: FlaskClient, clock: Traveller
    ) -> None:
        text = created(app, "--expires", "2030-05-05")

        clock.move_to(datetime(2030, 5, 5, 23, 59, 50, tzinfo=UTC))
        last_day = status(client, f"Bearer {text}")
        clock.move_to(datetime(2030, 5, 6, 0, 0, 1, tzinfo=UTC))

        assert (last_day, status(client, f"Bearer {text}")) == (200, 401)

    def test_the_word_bearer_is_read_in_any_letter_case(self, app: Flask, client: FlaskClient) -> None:
        text = created(app)

        assert [status(client, f"{word} {text}") for word in ("bearer", "BEARER", "Bearer ")] == [200] * 3

    def test_another_word_is_told_the_one_sentence(self, app: Flask, client: FlaskClient) -> None:
        text = created(app)

        assert {status(client, f"{word} {text}") for word in ("Token", "Basic", "Bearer:", "")} == {401}

    def test_the_last_use_is_noted_once_a_minute(
        self, app: Flask, client: FlaskClient, clock: Traveller, rows: Rows
    ) -> None:
        header = f"Bearer {created(app)}"

        noted = []
        for seconds in (0, 30, 31):
            clock.shift(timedelta(seconds=seconds))
            status(client, header)
            noted.append(rows(ApiToken)[0].last_used_at)

        assert noted[0] is not None
        assert noted[0] == noted[1] < noted[2]

    def test_a_refused_token_is_not_noted(self, app: Flask, client: FlaskClient, rows: Rows) -> None:
        text = created(app)

        status(client, f"Bearer {text[:-4]}AAAA")

        assert rows(ApiToken)[0].last_used_at is None


class TestScopes:
    """What a token may do."""

    @pytest.mark.parametrize(("scope", "expected"), [("read", 403), ("write", 201), ("admin", 201)])
    def test_writing_needs_write(self, app: Flask, client: FlaskClient, scope: str, expected: int) -> None:
        api = Api(client, bearer(app, scope))

        answer = api.post("/customers", CUSTOMER)

        assert answer.status_code == expected
        if expected == 403:
            assert "scope write" in answer.get_json()["detail"]
            assert "read" in answer.get_json()["detail"]

    @pytest.mark.parametrize("scope", ["read", "write", "admin"])
    def test_reading_needs_any(self, app: Flask, client: FlaskClient, scope: str) -> None:
        assert Api(client, bearer(app, scope)).get("/customers").status_code == 200

    def test_who_may_not_is_told_so_before_the_body_is_looked_at(
        self, app: Flask, client: FlaskClient
    ) -> None:
        api = Api(client, bearer(app, "read"))

        assert api.post("/customers", data=b"\xff", content_type="image/png").status_code == 403
