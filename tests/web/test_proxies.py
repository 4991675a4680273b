"""Behind a proxy that nobody told us of, all visitors would share one limit: check, doctor and log warn."""

import pytest
from flask import Flask
from flask.testing import FlaskClient
from structlog.testing import capture_logs

from app.core.config import Settings
from app.web.addresses import proxies
from tests.conftest import make_settings
from tests.support.commands import environment, run_command

IGNORED = "A request came with X-Forwarded-For, but GANGWAY_TRUSTED_PROXIES is 0."


@pytest.mark.parametrize(
    ("public_url", "count", "warns"),
    [
        ("https://billing.example.com", 0, True),
        ("https://billing.example.com", 1, False),
        ("http://127.0.0.1:8000", 0, False),
    ],
)
def test_doubts_https_without_a_proxy(public_url: str, count: int, warns: bool) -> None:  # noqa: FBT001
    doubt = proxies.doubt(make_settings(public_url=public_url, trusted_proxies=count))

    assert (doubt is not None) == warns
    assert doubt is None or "Set GANGWAY_TRUSTED_PROXIES to the number of proxies in front" in doubt


def test_check_warns(database_url: str) -> None:
    settings = environment(database_url, PUBLIC_URL="https://billing.example.com")

    answers = [run_command("check", **settings, GANGWAY_TRUSTED_PROXIES=str(count)) for count in (0, 1)]

    assert "Warning: GANGWAY_PUBLIC_URL is https" in answers[0].stderr
    assert "TRUSTED_PROXIES" not in answers[1].stderr


def test_a_forwarded_address_is_a_doubt_and_logged_once(app: Flask, client: FlaskClient) -> None:
    with capture_logs() as lines:
        for _ in range(3):
            client.get("/signup", headers={"X-Forwarded-For": "192.0.2.1"})

    with app.app_context():
        assert str(proxies.current_doubt()).startswith(IGNORED)
    assert [line["event"] for line in lines].count("forwarded_address_ignored") == 1


class TestATrustedProxy:
    @pytest.fixture
    def settings(self, database_url: str) -> Settings:
        return make_settings(database_url=database_url, trusted_proxies=1)

    def test_is_no_doubt(self, app: Flask, client: FlaskClient) -> None:
        client.get("/signup", headers={"X-Forwarded-For": "192.0.2.1"})

        with app.app_context():
            assert proxies.current_doubt() is None
