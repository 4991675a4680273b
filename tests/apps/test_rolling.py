"""Rolling the signing secret: nothing is lost meanwhile, and it can be killed anywhere and run again."""

import json
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from itertools import count

import pytest
import sqlalchemy as sa
import time_machine
from click.testing import Result
from flask import Flask

from app import apps
from app.apps.cli import roll_secret_command
from app.apps.models import SigningSecret
from app.audit import Entry
from app.core import db
from app.core.config import Settings
from app.simulator import DEFAULT_ACCOUNT, DEFAULT_API_KEY, Simulator, revoke_key, serve
from app.webhooks import Event
from tests.support.database_contents import contents
from tests.support.installed_apps import Installed, endpoints, installed
from tests.support.killed import Rolls, killed_at
from tests.support.rows import Rows
from tests.support.stripe_calls import StripeCalls
from tests.support.stripe_postbox import event, signed

Roll = Callable[[], Result]


@pytest.fixture
def roll(app: Flask) -> Roll:
    """Run `gangway stripe roll-secret`."""

    def run() -> Result:
        return app.test_cli_runner().invoke(roll_secret_command, [])

    return run


def only(app: Flask) -> Installed:
    """The installed app."""
    [found] = installed(app)
    return found


def taken(app: Flask, secret: str, name: str = "evt_1") -> bool:
    """Does the portal take an event that is signed with this secret?"""
    body = json.dumps(event(id=name)).encode()
    path = f"/api/v1/apps/{only(app).id}/stripe/webhook"
    headers = {"Stripe-Signature": signed(secret, body)}
    return app.test_client().post(path, data=body, headers=headers).status_code == 200


def tidy(app: Flask) -> None:
    """What the worker does now and then."""
    with app.app_context():
        apps.purge(db.session())


def test_says_what_happened(app: Flask, roll: Roll) -> None:
    result = roll()

    assert result.exit_code == 0, result.output
    assert result.output.splitlines() == [
        f"Stripe signs with a new secret, through {only(app).endpoint}.",
        "The former secret is accepted for 24 hours. Then its endpoint is removed.",
    ]


def test_makes_an_endpoint_like_the_former_one(app: Flask, roll: Roll, simulator: Simulator) -> None:
    roll()

    new, old = simulator.store.webhook_endpoints.newest(DEFAULT_ACCOUNT)
    same = ("url", "enabled_events", "api_version", "status", "metadata", "description")
    assert {name: new[name] for name in same} == {name: old[name] for name in same}


def test_accepts_both_secrets_meanwhile(app: Flask, roll: Roll) -> None:
    [old] = only(app).secrets

    roll()

    new, still = only(app).secrets
    assert still == old
    assert taken(app, old, "evt_old")
    assert taken(app, new, "evt_new")


def test_keeps_an_event_once_that_both_endpoints_send(
    app: Flask, roll: Roll, simulator: Simulator, rows: Rows
) -> None:
    roll()

    customer = {"id": "cus_1", "object": "customer", "metadata": {}}
    with simulator.store.transaction():
        simulator.work_for("nobody").emit("customer.updated", customer, {})
    deliveries = simulator.deliver_due()

    assert deliveries == 2
    assert len(rows(Event)) == 1


def test_ends_after_a_day(
    app: Flask, roll: Roll, simulator: Simulator, clock: time_machine.Traveller, rows: Rows
) -> None:
    [old] = only(app).secrets
    roll()
    clock.shift(timedelta(hours=23))
    tidy(app)
    early = endpoints(simulator, DEFAULT_ACCOUNT)
    clock.shift(timedelta(hours=2))

    tidy(app)

    now = only(app)
    assert len(early) == 2
    assert endpoints(simulator, DEFAULT_ACCOUNT) == [now.endpoint]
    assert len(now.secrets) == 1
    assert not taken(app, old)
    assert taken(app, now.secrets[0])
    assert [row.sealed for row in rows(SigningSecret) if row.retired_at] == [""]
    assert [entry.actor for entry in rows(Entry) if entry.kind == "app.secret_retired"] == ["worker"]


def test_accepts_the_former_secret_no_longer_than_that_though_stripe_is_away(
    app: Flask, roll: Roll, simulator: Simulator, clock: time_machine.Traveller
) -> None:
    [old] = only(app).secrets
    roll()
    clock.shift(timedelta(hours=25))
    simulator.fault_settings.change({"outage": "503"})

    tidy(app)
    refused = not taken(app, old)
    simulator.fault_settings.change({"outage": ""})
    tidy(app)

    assert refused
    assert endpoints(simulator, DEFAULT_ACCOUNT) == [only(app).endpoint]


def test_waits_with_the_end_for_a_key_that_works(
    app: Flask, roll: Roll, simulator: Simulator, clock: time_machine.Traveller
) -> None:
    roll()
    revoke_key(simulator.store, DEFAULT_API_KEY)
    clock.shift(timedelta(hours=25))

    tidy(app)

    assert len(endpoints(simulator, DEFAULT_ACCOUNT)) == 2


def test_forgives_that_somebody_else_removed_the_former_endpoint(
    app: Flask, roll: Roll, simulator: Simulator, clock: time_machine.Traveller
) -> None:
    former = only(app).endpoint
    roll()
    simulator.delete_endpoint(former)
    clock.shift(timedelta(hours=25))

    tidy(app)

    assert len(only(app).secrets) == 1


def test_ended_by_two_at_once_is_ended_once(
    app: Flask,
    roll: Roll,
    simulator: Simulator,
    clock: time_machine.Traveller,
    calls: StripeCalls,
    rows: Rows,
) -> None:
    roll()
    clock.shift(timedelta(hours=25))
    calls.before("DELETE *", lambda: tidy(app))

    tidy(app)

    assert len(only(app).secrets) == 1
    assert len([entry for entry in rows(Entry) if entry.kind == "app.secret_retired"]) == 1


def test_ends_for_a_secret_whose_endpoint_nobody_knows(
    app: Flask, roll: Roll, simulator: Simulator, clock: time_machine.Traveller
) -> None:
    roll()
    with app.app_context():
        session = db.session()
        former = sa.update(SigningSecret).where(SigningSecret.retire_at.is_not(None))
        session.execute(former.values(endpoint_id=None))
        session.commit()
    clock.shift(timedelta(hours=25))

    tidy(app)

    assert len(only(app).secrets) == 1
    assert len(endpoints(simulator, DEFAULT_ACCOUNT)) == 2


def test_can_be_rolled_again_within_the_overlap(
    app: Flask, roll: Roll, simulator: Simulator, clock: time_machine.Traveller
) -> None:
    roll()
    clock.shift(timedelta(hours=12))
    roll()
    three = len(only(app).secrets)
    clock.shift(timedelta(hours=13))
    tidy(app)
    two = len(only(app).secrets)
    clock.shift(timedelta(hours=12))

    tidy(app)

    assert (three, two, len(only(app).secrets)) == (3, 2, 1)
    assert endpoints(simulator, DEFAULT_ACCOUNT) == [only(app).endpoint]


def test_rolled_twice_at_once_is_rolled_once(app: Flask, simulator: Simulator) -> None:
    found, together = only(app), threading.Barrier(2)

    def run() -> None:
        together.wait()
        with app.app_context():
            session = db.session()
            apps.roll_secret(
                session,
                found.id,
                public_url="http://127.0.0.1:8000",
                actor="test",
                endpoint_id=found.endpoint,
            )
            session.commit()

    with ThreadPoolExecutor(2) as pool:
        for future in [pool.submit(run), pool.submit(run)]:
            future.result()

    now = only(app)
    assert sorted(endpoints(simulator, DEFAULT_ACCOUNT)) == sorted([found.endpoint, now.endpoint])
    assert len(now.secrets) == 2


def test_overtaken_while_it_asks_leaves_what_the_other_made(
    app: Flask, roll: Roll, simulator: Simulator, calls: StripeCalls, rows: Rows
) -> None:
    calls.after("POST /v1/webhook_endpoints", roll)

    roll()

    assert len(endpoints(simulator, DEFAULT_ACCOUNT)) == 2
    assert len(only(app).secrets) == 2
    assert [row.retire_at is None for row in rows(SigningSecret)] == [False, True]
    assert [entry.kind for entry in rows(Entry)].count("app.secret_rolled") == 1


def test_makes_another_when_the_one_of_a_lost_answer_was_deleted_since(
    app: Flask, roll: Roll, simulator: Simulator
) -> None:
    before = only(app)
    simulator.faults.add("reset_after", "POST /v1/webhook_endpoints", times=10)
    roll()
    simulator.faults.clear()
    lost = endpoints(simulator, DEFAULT_ACCOUNT)[0]
    simulator.delete_endpoint(lost)

    result = roll()

    now = only(app)
    assert result.exit_code == 0, result.output
    assert endpoints(simulator, DEFAULT_ACCOUNT) == [now.endpoint, before.endpoint]
    assert now.endpoint != lost
    assert taken(app, simulator.store.notes[now.endpoint]["secret"])


def test_gives_up_when_stripe_still_lists_endpoints_that_are_gone(
    app: Flask, roll: Roll, simulator: Simulator, calls: StripeCalls
) -> None:
    before = only(app)

    def vanish() -> None:
        for endpoint in endpoints(simulator, DEFAULT_ACCOUNT):
            if endpoint != before.endpoint:
                simulator.delete_endpoint(endpoint)
        calls.after("POST /v1/webhook_endpoints", vanish)

    vanish()
    result = roll()

    assert str(result.exception) == "Stripe still lists webhook endpoints that were deleted."
    assert only(app) == before


def test_has_nothing_to_do_with_an_app_that_is_uninstalled(app: Flask, roll: Roll) -> None:
    with app.app_context():
        session = db.session()
        session.execute(sa.update(apps.App).values(is_default=False))
        session.commit()

    result = roll()

    assert result.exit_code != 0
    assert str(result.exception) == "No installed Stripe app is the default."


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

    def test_while_it_rolls(self, app: Flask, roll: Roll, simulator: Simulator, elsewhere: Settings) -> None:
        boundaries = 0
        for boundary in count(1):
            before = only(app)
            was_killed = killed_at(boundary, elsewhere, Rolls(before.id, before.endpoint))
            if only(app).endpoint == before.endpoint:
                roll()
            self.check(app, simulator, before)
            if not was_killed:
                break
            boundaries = boundary

        assert boundaries >= 5
        assert len(contents(app)["signing_secret"]) == boundaries + 2

    def check(self, app: Flask, simulator: Simulator, before: Installed) -> None:
        """One endpoint more, and each of them has a secret that is known."""
        now = only(app)
        there = endpoints(simulator, DEFAULT_ACCOUNT)
        assert now.endpoint != before.endpoint
        assert len(there) == len(now.secrets)
        for name in there:
            assert taken(app, simulator.store.notes[name]["secret"], f"evt_{name}")
        if len(there) > 8:
            with app.app_context():
                apps.end_overlap(db.session(), now.id, actor="test")
