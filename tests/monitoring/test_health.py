"""Load balancers learn whether the process lives and whether it can serve."""

from pathlib import Path

from flask.testing import FlaskClient

from app import create_app
from tests.conftest import make_settings


def test_process_answers(client: FlaskClient) -> None:
    answer = client.get("/healthz")

    assert (answer.status_code, answer.get_json()) == (200, {"status": "ok"})


def test_process_answers_without_a_database() -> None:
    client = create_app(make_settings(database_url="sqlite:////nowhere/gangway.db")).test_client()

    assert client.get("/healthz").status_code == 200


def test_ready_when_the_tables_are_there(client: FlaskClient) -> None:
    answer = client.get("/readyz")

    assert (answer.status_code, answer.get_json()) == (200, {"status": "ok"})


def test_not_ready_while_steps_are_pending(tmp_path: Path) -> None:
    client = create_app(make_settings(database_url=f"sqlite:///{tmp_path / 'new.db'}")).test_client()

    answer = client.get("/readyz")

    assert answer.status_code == 503
    assert answer.get_json()["reasons"] == ["The database is not up to date: run `gangway db upgrade`."]


def test_not_ready_without_a_database() -> None:
    client = create_app(make_settings(database_url="sqlite:////nowhere/gangway.db")).test_client()

    answer = client.get("/readyz")

    assert answer.status_code == 503
    assert answer.get_json()["reasons"] == ["The database does not answer."]


def test_probes_set_no_cookie(client: FlaskClient) -> None:
    assert "Set-Cookie" not in client.get("/healthz").headers
    assert "Set-Cookie" not in client.get("/readyz").headers
