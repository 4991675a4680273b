"""`gangway stripe install` connects an account once: its key, our webhook there, both secrets sealed."""

import json
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from werkzeug.test import Client

from app import create_app, db
from app.apps.cli import install_command
from app.apps.models import SigningSecret
from app.config import Settings
from app.gateway import API_VERSION, EVENTS
from app.simulator import DEFAULT_ACCOUNT, DEFAULT_API_KEY, DEFAULT_RESTRICTED_KEY, Simulator
from app.simulator.accounts import add_account, add_key, revoke_key
from app.simulator.server import serve
from tests.conftest import make_settings
from tests.support.killed import Installs, killed_at
from tests.support.stripe_calls import StripeCalls
from tests.support.stripe_postbox import event, signed
from tests.support.stripe_scripted import Answer, Scripted
from tests.support.sync_database import contents
from tests.support.sync_install import Install, endpoints, installed

SECOND_KEY = "sk_test_of_the_same_account"
RIGHTS = {"rak_accounts_kyc_basic_read", "rak_webhook_write"}


def post_event(app: Flask, app_id: str, secret: str) -> int:
    """Deliver an event that Stripe signed with this secret."""
    body = json.dumps(event()).encode()
    path = f"/api/v1/apps/{app_id}/stripe/webhook"
    headers = {"Stripe-Signature": signed(secret, body)}
    return app.test_client().post(path, data=body, headers=headers).status_code


def refused(result: Any) -> str:
    """Why a command was refused; its exception is printed as a sentence by `gangway`."""
    assert result.exit_code != 0
    return str(getattr(result.exception, "detail", result.exception))


def test_says_what_was_installed(bare_app: Flask, install: Install) -> None:
    result = install()

    [app] = installed(bare_app)
    assert result.exit_code == 0, result.output
    assert result.output.splitlines() == [
        f"Installed {DEFAULT_ACCOUNT} in test mode as app {app.id}.",
        f"Stripe sends its events to http://127.0.0.1:8000/api/v1/apps/{app.id}/stripe/webhook.",
    ]
    assert (app.status, app.livemode, app.is_default) == ("ready", False, True)
    assert app.account == DEFAULT_ACCOUNT


def test_registers_our_webhook_for_exactly_our_events_in_our_version(
    bare_app: Flask, install: Install, simulator: Simulator
) -> None:
    install()

    [app] = installed(bare_app)
    [endpoint] = simulator.books.webhook_endpoints.snapshot()
    assert endpoint["id"] == app.endpoint
    assert endpoint["url"] == f"http://127.0.0.1:8000/api/v1/apps/{app.id}/stripe/webhook"
    assert sorted(endpoint["enabled_events"]) == sorted(EVENTS)
    assert endpoint["api_version"] == API_VERSION
    assert endpoint["status"] == "enabled"
    assert endpoint["metadata"] == {
        "managed_by": "gangway",
        "om_namespace": "default",
        "om_app_id": app.id,
    }


def test_makes_a_webhook_that_takes_what_stripe_signs(bare_app: Flask, install: Install) -> None:
    install()

    [app] = installed(bare_app)
    assert post_event(bare_app, app.id, app.secrets[0]) == 200
    assert post_event(bare_app, app.id, "whsec_of_somebody_else") == 400


def test_writes_no_secret_into_the_database(bare_app: Flask, install: Install, simulator: Simulator) -> None:
    install()

    [app] = installed(bare_app)
    stored = repr(contents(bare_app))
    assert DEFAULT_API_KEY not in stored
    assert app.secrets[0] not in stored
    assert simulator.books.notes[app.endpoint]["secret"] == app.secrets[0]
    assert app.masked_key == f"{DEFAULT_API_KEY[:8]}***{DEFAULT_API_KEY[-3:]}"


def test_takes_a_name_and_forgives_spaces_around_the_key(bare_app: Flask, install: Install) -> None:
    result = install(f"  {DEFAULT_API_KEY}\n", "--name", "Europe")

    assert result.exit_code == 0
    assert "Europe" in repr(contents(bare_app)["app"])


def test_takes_a_restricted_key_with_the_rights_it_needs(
    bare_app: Flask, install: Install, simulator: Simulator
) -> None:
    add_key(simulator.books, "rk_test_enough", permissions=RIGHTS)

    result = install("rk_test_enough")

    [app] = installed(bare_app)
    assert result.exit_code == 0
    assert post_event(bare_app, app.id, app.secrets[0]) == 200


@pytest.mark.parametrize("lacking", sorted(RIGHTS))
def test_names_the_right_that_a_restricted_key_lacks(
    lacking: str, bare_app: Flask, install: Install, simulator: Simulator
) -> None:
    add_key(simulator.books, "rk_test_lacking", permissions=RIGHTS - {lacking})

    sentence = refused(install("rk_test_lacking"))

    assert f"Having the '{lacking}' permission would allow this request to continue." in sentence
    assert installed(bare_app) == []
    assert endpoints(simulator, DEFAULT_ACCOUNT) == []


def test_does_not_call_a_restricted_key_wrong_that_may_not_read_the_account(
    bare_app: Flask, install: Install
) -> None:
    sentence = refused(install(DEFAULT_RESTRICTED_KEY))

    assert sentence.startswith("Stripe knows this restricted key, but it may not read the account")
    assert installed(bare_app) == []


def test_refuses_a_key_that_stripe_does_not_know(bare_app: Flask, install: Install) -> None:
    sentence = refused(install("sk_test_unknown"))

    assert sentence == "Stripe does not know this API key. Copy it again from the Dashboard."
    assert installed(bare_app) == []


def test_refuses_a_key_that_was_revoked(bare_app: Flask, install: Install, simulator: Simulator) -> None:
    revoke_key(simulator.books, DEFAULT_API_KEY)

    sentence = refused(install())

    assert sentence == "Stripe does not know this API key. Copy it again from the Dashboard."
    assert installed(bare_app) == []


@pytest.mark.parametrize(
    "key",
    [
        "",
        "hello",
        "pk_test_abcdef",
        "whsec_abcdef",
        "sk_test_",
        "sk_test_ab\ncd",
        "sk_prod_abcdef",
        "sk_test_é" * 5,
    ],
)
def test_refuses_what_is_no_secret_key_before_it_asks_stripe(
    key: str, bare_app: Flask, install: Install, calls: StripeCalls
) -> None:
    sentence = refused(install(key))

    assert sentence.startswith("This is no secret Stripe key")
    assert calls.made == []
    assert installed(bare_app) == []


@pytest.mark.parametrize("key", ["sk_live_abcdef", "rk_live_abcdef"])
def test_refuses_a_live_key_for_a_portal_that_stripe_cannot_reach(
    key: str, bare_app: Flask, install: Install, calls: StripeCalls
) -> None:
    sentence = refused(install(key))

    assert sentence.startswith("A live key needs a public URL that Stripe can reach over https")
    assert calls.made == []
    assert installed(bare_app) == []


def test_refuses_an_account_that_is_installed(
    bare_app: Flask, install: Install, simulator: Simulator
) -> None:
    install()
    add_key(simulator.books, SECOND_KEY)
    before = contents(bare_app)

    sentence = refused(install(SECOND_KEY))

    assert sentence == f"Stripe account {DEFAULT_ACCOUNT} is installed already in test mode."
    assert contents(bare_app) == before
    assert len(endpoints(simulator, DEFAULT_ACCOUNT)) == 1


def test_takes_a_second_account_beside_the_default_one(
    bare_app: Flask, install: Install, simulator: Simulator
) -> None:
    install()
    add_account(simulator.books, "acct_second", 1)
    add_key(simulator.books, "sk_test_second", account="acct_second")

    install("sk_test_second")

    assert [(app.account, app.is_default) for app in installed(bare_app)] == [
        (DEFAULT_ACCOUNT, True),
        ("acct_second", False),
    ]


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


def test_says_so_when_no_further_endpoint_is_allowed(
    bare_app: Flask, install: Install, simulator: Simulator
) -> None:
    headers = {"Authorization": f"Bearer {DEFAULT_API_KEY}"}
    for number in range(16):
        data = {"url": f"https://other.example.com/{number}", "enabled_events[0]": "*"}
        Client(simulator.wsgi).post("/v1/webhook_endpoints", data=data, headers=headers)

    sentence = refused(install())

    assert sentence == "You have reached the maximum of 16 test webhook endpoints."
    assert installed(bare_app) == []


def test_stores_nothing_when_stripe_does_not_answer(
    bare_app: Flask, install: Install, simulator: Simulator
) -> None:
    simulator.faults.add("timeout", "POST *", times=10)

    sentence = refused(install())

    assert sentence == "Stripe can't be reached."
    assert installed(bare_app) == []


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

    calls.before("DELETE *", lambda: simulator.books.webhook_endpoints.pop(stray))
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
    add_key(simulator.books, SECOND_KEY)
    getattr(calls, moment)("POST /v1/webhook_endpoints", lambda: install(SECOND_KEY))

    sentence = refused(install())

    [app] = installed(bare_app)
    assert sentence == f"Stripe account {DEFAULT_ACCOUNT} is installed already in test mode."
    assert endpoints(simulator, DEFAULT_ACCOUNT) == [app.endpoint]
    assert post_event(bare_app, app.id, app.secrets[0]) == 200


def test_trusts_no_stripe_that_tells_no_signing_secret(settings: Settings) -> None:
    account = Answer(200, {"id": "acct_1", "object": "account"})
    endpoint = {
        "id": "we_1",
        "object": "webhook_endpoint",
        "url": "https://x.example",
        "metadata": {},
        "status": "enabled",
        "enabled_events": ["*"],
        "created": 1,
    }
    portal = create_app(settings, stripe_in_process=Scripted(account, Answer(200, endpoint)))

    result = portal.test_cli_runner().invoke(install_command, ["--api-key", DEFAULT_API_KEY])

    assert refused(result) == "Stripe answered without a signing secret."
    assert installed(portal) == []
    with portal.app_context():
        db.engine().dispose()


@pytest.mark.timeout(300)
class TestKilled:
    """A process killed at any boundary leaves nothing that the next run can't put right."""

    @pytest.fixture
    def elsewhere(self, settings: Settings, simulator: Simulator) -> Iterator[Settings]:
        """The settings of a process of its own: the same database and, over HTTP, the same Stripe."""
        server = serve(simulator, "127.0.0.1", 0)
        yield settings.model_copy(update={"stripe_api_base": server.url})
        server.close()

    def new_key(self, simulator: Simulator, number: int) -> tuple[str, str]:
        """An account of its own, and its key."""
        add_account(simulator.books, f"acct_{number}", 1)
        add_key(simulator.books, f"sk_test_number_{number}", account=f"acct_{number}")
        return f"acct_{number}", f"sk_test_number_{number}"

    def check(self, app: Flask, simulator: Simulator, account: str) -> None:
        """One app, one endpoint, and a secret that works."""
        [found] = [one for one in installed(app) if one.account == account]
        assert endpoints(simulator, account) == [found.endpoint]
        assert found.secrets == [simulator.books.notes[found.endpoint]["secret"]]
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


class TestEncryptionKeys:
    """GANGWAY_ENCRYPTION_KEYS can be changed, and a sealed value belongs to its row."""

    OLD, NEW = "x" * 43 + "=", "y" * 43 + "="

    @pytest.fixture
    def start(self, database_url: str, simulator: Simulator) -> Iterator[Callable[[str], Flask]]:
        """Start the portal with these keys, on the same database."""
        started = []

        def start(keys: str) -> Flask:
            settings = make_settings(database_url=database_url, encryption_keys=keys)
            started.append(create_app(settings, stripe_in_process=simulator.wsgi))
            return started[-1]

        yield start
        for app in started:
            with app.app_context():
                db.engine().dispose()

    def install(self, app: Flask, key: str = DEFAULT_API_KEY) -> None:
        """Install an account."""
        result = app.test_cli_runner().invoke(install_command, ["--api-key", key])
        assert result.exit_code == 0, result.output

    def test_go_on_opening_what_an_older_one_sealed(self, start: Callable[[str], Flask]) -> None:
        self.install(start(self.OLD))

        rotated = start(f"{self.NEW},{self.OLD}")

        [app] = installed(rotated)
        assert post_event(rotated, app.id, app.secrets[0]) == 200

    def test_seal_with_the_first(self, start: Callable[[str], Flask]) -> None:
        self.install(start(f"{self.NEW},{self.OLD}"))

        later = start(self.NEW)

        [app] = installed(later)
        assert post_event(later, app.id, app.secrets[0]) == 200

    def test_that_are_lost_close_the_webhook(self, start: Callable[[str], Flask]) -> None:
        first = start(self.OLD)
        self.install(first)
        [app] = installed(first)

        other = start(self.NEW)

        assert post_event(other, app.id, app.secrets[0]) >= 400
        assert contents(other)["event"] == []

    def test_do_not_open_what_was_moved_from_another_row(
        self, start: Callable[[str], Flask], simulator: Simulator
    ) -> None:
        portal = start(self.OLD)
        self.install(portal)
        add_account(simulator.books, "acct_second", 1)
        add_key(simulator.books, "sk_test_second", account="acct_second")
        self.install(portal, "sk_test_second")
        first, second = installed(portal)

        with portal.app_context(), db.engine().connect() as connection:
            sealed = sa.select(SigningSecret.sealed).where(SigningSecret.app_id == second.id)
            moved = sa.update(SigningSecret).values(sealed=connection.scalar(sealed))
            connection.execute(moved.where(SigningSecret.app_id == first.id))
            connection.commit()

        assert post_event(portal, first.id, second.secrets[0]) >= 400
        assert contents(portal)["event"] == []
