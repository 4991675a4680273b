"""`gangway stripe install` over HTTP, as operators run it. `tests/apps/test_install.py` has the details."""

import pytest

from app.apps import App
from app.simulator import DEFAULT_API_KEY, Simulator
from tests.support.commands import Run, rows
from tests.support.processes import free_port

LIVE_KEY = "sk_live_51Abcdefgh"


def test_installs_the_account_and_its_webhook(
    run: Run, stripe_url: str, simulator: Simulator, database_url: str
) -> None:
    answer = run("stripe", "install", "--api-key", DEFAULT_API_KEY, STRIPE_API_BASE=stripe_url)

    assert answer.exit_code == 0, answer.output
    [app] = rows(database_url, App)
    [endpoint] = simulator.store.webhook_endpoints.values()
    assert endpoint["url"] == f"http://127.0.0.1:8000/api/v1/apps/{app.id}/stripe/webhook"
    assert endpoint["url"] in answer.output
    assert app.stripe_account_id in answer.output
    assert "test mode" in answer.output
    assert DEFAULT_API_KEY not in answer.output


def test_refuses_a_key_in_a_sentence(
    run: Run, stripe_url: str, simulator: Simulator, database_url: str
) -> None:
    answer = run("stripe", "install", "--api-key", "sk_test_51Abcdefgh", STRIPE_API_BASE=stripe_url)

    assert answer.exit_code == 1
    assert answer.output == "Error: Stripe does not know this API key. Copy it again from the Dashboard.\n"
    assert rows(database_url, App) == []
    assert not simulator.store.webhook_endpoints


@pytest.mark.parametrize("url", ["https://10.1.2.3", "https://localhost", "https://portal.local"])
def test_refuses_a_live_key_where_stripe_can_not_reach_us(
    run: Run, stripe_url: str, database_url: str, url: str
) -> None:
    answer = run("stripe", "install", "--api-key", LIVE_KEY, STRIPE_API_BASE=stripe_url, PUBLIC_URL=url)

    assert answer.exit_code == 1
    assert "A live key needs a public URL that Stripe can reach" in answer.output
    assert rows(database_url, App) == []


def test_says_when_stripe_is_away(run: Run, database_url: str) -> None:
    nowhere = f"http://127.0.0.1:{free_port()}"

    answer = run("stripe", "install", "--api-key", DEFAULT_API_KEY, STRIPE_API_BASE=nowhere)

    assert answer.exit_code == 1
    assert answer.output == "Error: Stripe can't be reached.\n"
    assert rows(database_url, App) == []
