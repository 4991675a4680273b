"""`gangway stripe install` refuses a key that is wrong, lacks permissions or is installed already. It then
stores nothing, and says why."""

import pytest
from flask import Flask
from werkzeug.test import Client

from app import create_app
from app.apps.cli import install_command
from app.core import db
from app.core.config import Settings
from app.simulator import DEFAULT_ACCOUNT, DEFAULT_API_KEY, Simulator, add_key, revoke_key
from tests.support.cases import for_each
from tests.support.database_contents import contents
from tests.support.install import RIGHTS, SECOND_KEY, refused
from tests.support.installed_apps import Install, endpoints, installed
from tests.support.stripe_calls import StripeCalls
from tests.support.stripe_scripted import Answer, Scripted


@pytest.mark.parametrize("lacking", sorted(RIGHTS))
def test_names_the_right_that_a_restricted_key_lacks(
    lacking: str, bare_app: Flask, install: Install, simulator: Simulator
) -> None:
    add_key(simulator.store, "rk_test_lacking", permissions=RIGHTS - {lacking})

    sentence = refused(install("rk_test_lacking"))

    assert f"Having the '{lacking}' permission would allow this request to continue." in sentence
    assert installed(bare_app) == []
    assert endpoints(simulator, DEFAULT_ACCOUNT) == []


def test_does_not_call_a_restricted_key_wrong_that_may_not_read_the_account(
    bare_app: Flask, install: Install, simulator: Simulator
) -> None:
    add_key(simulator.store, "rk_test_no_account", permissions={"rak_webhook_write"})

    sentence = refused(install("rk_test_no_account"))

    assert sentence.startswith(
        "Stripe knows this restricted key, but it has no permission to read the account"
    )
    assert installed(bare_app) == []


def test_refuses_a_key_that_stripe_does_not_know(bare_app: Flask, install: Install) -> None:
    sentence = refused(install("sk_test_unknown"))

    assert sentence == "Stripe does not know this API key. Copy it again from the Dashboard."
    assert installed(bare_app) == []


def test_refuses_a_key_that_was_revoked(bare_app: Flask, install: Install, simulator: Simulator) -> None:
    revoke_key(simulator.store, DEFAULT_API_KEY)

    sentence = refused(install())

    assert sentence == "Stripe does not know this API key. Copy it again from the Dashboard."
    assert installed(bare_app) == []


@for_each(
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

    assert sentence.startswith("This is not a secret Stripe key")
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
    add_key(simulator.store, SECOND_KEY)
    before = contents(bare_app)

    sentence = refused(install(SECOND_KEY))

    assert sentence == f"Stripe account {DEFAULT_ACCOUNT} is already installed in test mode."
    assert contents(bare_app) == before
    assert len(endpoints(simulator, DEFAULT_ACCOUNT)) == 1


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
