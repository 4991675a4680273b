"""An installation that was killed, repeated or overtaken leaves one app and one webhook endpoint. It never
touches the endpoints of others."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count

import pytest
from flask import Flask
from werkzeug.test import Client

from app.core.config import Settings
from app.simulator import DEFAULT_ACCOUNT, DEFAULT_API_KEY, Simulator, add_account, add_key, serve
from tests.support.database_contents import contents
from tests.support.install import SECOND_KEY, post_event, refused
from tests.support.installed_apps import Install, endpoints, installed
from tests.support.killed import Installs, killed_at
from tests.support.stripe_calls import StripeCalls


def test_leaves_the_endpoints_of_others_alone(install: Install, simulator: Simulator) -> None:
    others = [
        {"url": "https://other.example.com/hook"},
        {"url": "https://other.example.com/api/v1/apps/1/stripe/webhook", "metadata[managed_by]": "gangway"},
        {"url": "http://127.0.0.1:8000/api/v1/apps/1/stripe/webhook", "metadata[managed_by]": "somebody"},
    ]
    headers = {"Authorization": f"Bearer {DEFAULT_API_KEY}"}
    for other in others:
        data = other | {"enabled_events[0]": "*"}
        Client(simulator.wsgi).post("/v1/webhook_endpoints", data=data, headers=headers)

    install()

    assert len(endpoints(simulator, DEFAULT_ACCOUNT)) == 4


@pytest.mark.parametrize("fault", ["503", "timeout", "timeout_after", "reset", "reset_after"])
def test_makes_one_endpoint_however_often_stripe_has_to_be_asked(
    fault: str, bare_app: Flask, install: Install, simulator: Simulator
) -> None:
    simulator.faults.add(fault, "POST /v1/webhook_endpoints")

    result = install()

    [app] = installed(bare_app)
    assert result.exit_code == 0, result.output
    assert endpoints(simulator, DEFAULT_ACCOUNT) == [app.endpoint]
    assert post_event(bare_app, app.id, app.secrets[0]) == 200


def test_removes_an_endpoint_that_a_killed_installation_left(
    bare_app: Flask, install: Install, simulator: Simulator
) -> None:
    """Its answer was lost for good, and with it the secret that Stripe tells only once."""
    simulator.faults.add("reset_after", "POST /v1/webhook_endpoints", times=10)
    install()
    simulator.faults.clear()
    assert len(endpoints(simulator, DEFAULT_ACCOUNT)) == 1
    assert installed(bare_app) == []

    install()

    [app] = installed(bare_app)
    assert endpoints(simulator, DEFAULT_ACCOUNT) == [app.endpoint]
    assert post_event(bare_app, app.id, app.secrets[0]) == 200


def test_forgives_that_somebody_else_removed_the_stray_endpoint(
    bare_app: Flask, install: Install, simulator: Simulator, calls: StripeCalls
) -> None:
    simulator.faults.add("reset_after", "POST /v1/webhook_endpoints", times=10)
    install()
    simulator.faults.clear()
    [stray] = endpoints(simulator, DEFAULT_ACCOUNT)

    calls.before("DELETE *", lambda: simulator.store.webhook_endpoints.pop(stray))
    result = install()

    assert result.exit_code == 0
    assert len(endpoints(simulator, DEFAULT_ACCOUNT)) == 1


def test_run_twice_at_once_installs_once(bare_app: Flask, install: Install, simulator: Simulator) -> None:
    together = threading.Barrier(2)

    def run() -> int:
        together.wait()
        return int(install().exit_code)

    with ThreadPoolExecutor(2) as pool:
        codes = sorted(future.result() for future in [pool.submit(run), pool.submit(run)])

    [app] = installed(bare_app)
    assert codes == [0, 1]
    assert endpoints(simulator, DEFAULT_ACCOUNT) == [app.endpoint]
    assert post_event(bare_app, app.id, app.secrets[0]) == 200


@pytest.mark.parametrize("moment", ["before", "after"])
def test_overtaken_by_another_removes_its_own_endpoint(
    moment: str, bare_app: Flask, install: Install, simulator: Simulator, calls: StripeCalls
) -> None:
    add_key(simulator.store, SECOND_KEY)
    getattr(calls, moment)("POST /v1/webhook_endpoints", lambda: install(SECOND_KEY))

    sentence = refused(install())

    [app] = installed(bare_app)
    assert sentence == f"Stripe account {DEFAULT_ACCOUNT} is already installed in test mode."
    assert endpoints(simulator, DEFAULT_ACCOUNT) == [app.endpoint]
    assert post_event(bare_app, app.id, app.secrets[0]) == 200


@pytest.mark.process
@pytest.mark.timeout(600)
class TestKilled:
    """A process killed at any boundary leaves nothing that the next run can't put right."""

    @pytest.fixture
    def elsewhere(self, settings: Settings, simulator: Simulator) -> Iterator[Settings]:
        """The settings of another process: the same database and, over HTTP, the same Stripe."""
        server = serve(simulator, "127.0.0.1", 0)
        yield settings.model_copy(update={"stripe_api_base": server.url})
        server.close()

    def new_key(self, simulator: Simulator, number: int) -> tuple[str, str]:
        """Another account, and its key."""
        add_account(simulator.store, f"acct_{number}", 1)
        add_key(simulator.store, f"sk_test_number_{number}", account=f"acct_{number}")
        return f"acct_{number}", f"sk_test_number_{number}"

    def check(self, app: Flask, simulator: Simulator, account: str) -> None:
        """One app, one endpoint, and a secret that works."""
        [found] = [one for one in installed(app) if one.account == account]
        assert endpoints(simulator, account) == [found.endpoint]
        assert found.secrets == [simulator.store.notes[found.endpoint]["secret"]]
        assert post_event(app, found.id, found.secrets[0]) == 200

    def test_once(self, bare_app: Flask, install: Install, simulator: Simulator, elsewhere: Settings) -> None:
        boundaries = 0
        for boundary in count(1):
            account, key = self.new_key(simulator, boundary)
            was_killed = killed_at(boundary, elsewhere, Installs(key))
            install(key)
            self.check(bare_app, simulator, account)
            if not was_killed:
                break
            boundaries = boundary

        assert boundaries >= 8
        assert len(contents(bare_app)["event"]) == boundaries + 1

    def test_again_and_again(
        self, bare_app: Flask, install: Install, simulator: Simulator, elsewhere: Settings
    ) -> None:
        account, key = self.new_key(simulator, 1)

        for boundary in count(1):
            if not killed_at(boundary, elsewhere, Installs(key)):
                break
        install(key)

        self.check(bare_app, simulator, account)
