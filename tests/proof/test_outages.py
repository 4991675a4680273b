"""Something that the portal needs is away: nothing acknowledged is lost, and it recovers unaided.

Webhooks don't come, Stripe does not answer, PostgreSQL restarts, or SQLite's disk is full.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from app.core import db
from app.customers import Customer
from app.webhooks import Event
from tests.proof.conftest import MakeWorld
from tests.proof.killable import KillablePortal
from tests.proof.network_people import GaveUp
from tests.support import dashboard, postgres
from tests.support.browser import Page
from tests.support.people import CARDS, Person
from tests.support.stripe_calls import StripeCalls, elsewhere
from tests.support.stripe_postbox import Postbox, event
from tests.support.tokens import program
from tests.support.world import World

pytestmark = [pytest.mark.proof, pytest.mark.timeout(3600)]

PULL_INTERVAL, BACKFILL_INTERVAL = timedelta(seconds=120), timedelta(seconds=900)  # the settings' defaults
TEN_MINUTES = timedelta(minutes=10)
MAX_BACKOFF = timedelta(minutes=30)  # the longest wait for another try after ten minutes of failures
MAX_CALLS = 45  # of the worker, to a Stripe that does not answer, within ten minutes and for two people


def person_with_card(world: World) -> Person:
    """Somebody new who has saved a card."""
    person = world.person()
    person.save_card()
    return person


class TestWebhooksOff:
    def test_what_people_do_is_known_within_one_interval(self, make_world: MakeWorld) -> None:
        with make_world(webhooks="off") as world:
            world.simulator.send = lambda *_: 404
            person_with_card(world)
            world.person()
            declined, challenged, expired = world.person(), world.person(), world.person()
            declined.save_card(CARDS["declined"])
            challenged.save_card(CARDS["challenged"])
            world.simulator.expire_session(expired.session_id)

            world.live_through(PULL_INTERVAL + timedelta(seconds=10))

            assert not world.compare().wrong

    def test_what_is_done_at_the_dashboard_is_known_within_one_interval(self, make_world: MakeWorld) -> None:
        with make_world(webhooks="off") as world:
            world.simulator.send = lambda *_: 404
            actions = ("attach", "unset", "detach", "renew", "age", "delete")
            visitors = [person_with_card(world) for _ in actions]
            with_two = person_with_card(world)
            other = world.simulator.attach_card(with_two.stripe_customer_id)
            world.live_through(timedelta(hours=1))

            for visitor, action in zip(visitors, actions, strict=True):
                dashboard.act(world.simulator, visitor.session_id, action)
            world.simulator.choose_default(with_two.stripe_customer_id, other)
            before = world.compare()
            world.live_through(PULL_INTERVAL + timedelta(seconds=10))

            assert len({words.partition(":")[0] for words in before.wrong}) == len(actions) + 1
            assert not world.compare().wrong

    def test_what_webhooks_should_bring_and_do_not_is_found_anyway(self, make_world: MakeWorld) -> None:
        with make_world() as world:
            visitor = person_with_card(world)
            world.settle()
            world.simulator.send = lambda *_: 500

            dashboard.act(world.simulator, visitor.session_id, "detach")
            world.live_through(BACKFILL_INTERVAL + timedelta(seconds=10))

            assert not world.compare().wrong


class TestStripeAway:
    @pytest.mark.parametrize("outage", ["503", "reset", "timeout"])
    def test_for_ten_minutes(self, outage: str, make_world: MakeWorld) -> None:
        with make_world() as world:
            done, busy, late = person_with_card(world), world.person(), world.visitor("USD")
            world.settle()
            busy.save_card()  # just before
            world.simulator.fault_settings.change({"outage": outage, "hold": True})
            calls, worker_calls = StripeCalls.of(world.simulator), 0

            for _ in range(10):
                calls.clear()
                world.live_through(timedelta(minutes=1))
                worker_calls += len(calls.made)
                assert Page.of(done.return_to_portal()).h1 == "Your payment method is saved"
                assert busy.return_to_portal().status_code == 200
                saved = late.submit_form()
                assert Page.of(late.client.get(saved.location)).h1 == "Your details are saved"
            world.simulator.fault_settings.reset()
            again = late.submit_form()
            world.live_through(MAX_BACKOFF)

            assert again.status_code == 303
            assert worker_calls <= MAX_CALLS
            assert world.compare(), str(world.compare())

    def test_events_come_in_meanwhile(self, make_world: MakeWorld) -> None:
        with make_world() as world:
            world.watch_deliveries()
            person_with_card(world)
            world.simulator.fault_settings.change({"outage": "503"})
            while world.simulator.deliver_due():
                pass
            world.live_through(TEN_MINUTES)
            stored = len(world.acknowledged)
            world.simulator.fault_settings.reset()

            world.live_through(MAX_BACKOFF)

            assert stored >= 3
            assert world.compare(), str(world.compare())


class TestDatabaseRestarted:
    @pytest.fixture
    def restart(self, server: postgres.Server | None) -> postgres.Server:
        """The server of this test, which may be stopped."""
        if server is None or not server.can_be_stopped:
            pytest.skip("needs --database postgresql, and a server of the tests' own")
        return server

    def test_while_it_is_away_nothing_is_acknowledged(
        self, make_world: MakeWorld, restart: postgres.Server
    ) -> None:
        with make_world() as world:
            visitor, late = person_with_card(world), world.visitor("USD")
            caller, postbox = program(world.app), Postbox(world.app, world.simulator)
            with restart.stopped():
                answers = [
                    late.submit_form(),
                    visitor.return_to_portal(),
                    postbox.post(event(id="evt_meanwhile")),
                    caller.post("/api/v1/customers", json={"name": "Ada", "key": "ada"}),
                    world.app.test_client().get("/readyz"),
                ]
                alive = world.app.test_client().get("/healthz")
                world.simulator.deliver_due()
                with pytest.raises(sa.exc.OperationalError):
                    world.work()

            again = late.submit_form()
            world.live_through(MAX_BACKOFF)

            assert [answer.status_code for answer in answers] == [503] * 5
            assert [answer.headers.get("Retry-After") for answer in answers[:4]] == ["5"] * 4
            assert alive.status_code == 200
            assert again.status_code == 303
            assert world.compare(), str(world.compare())

    def test_while_stripe_is_asked(self, make_world: MakeWorld, restart: postgres.Server) -> None:
        """No transaction is open then, so the restart isn't even noticed."""

        def restart_server() -> None:
            with restart.stopped():
                pass

        with make_world() as world:
            visitor, calls = world.visitor("USD"), StripeCalls.of(world.simulator)
            calls.after("*", elsewhere(restart_server))

            answer = visitor.submit_form()
            visitor.save_card()
            calls.before("*", elsewhere(restart_server))
            world.settle()

            assert answer.status_code == 303
            assert world.compare(), str(world.compare())


class TestDiskFull:
    @pytest.fixture(autouse=True)
    def _on_sqlite(self, server: postgres.Server | None) -> None:
        if server is not None:
            pytest.skip("is about SQLite")

    def test_nothing_is_acknowledged_that_is_not_kept(self, make_world: MakeWorld) -> None:
        with make_world() as world:
            visitor, late = person_with_card(world), world.visitor("USD")
            world.settle()
            caller, postbox = program(world.app), Postbox(world.app, world.simulator)
            large = {"id": "in_1", "object": "invoice", "text": "x" * 100_000}
            with full_disk(world):
                signed_up = late.submit_form()
                told = [postbox.post(event(thing=large, id=f"evt_{number}")) for number in range(3)]
                made = [
                    caller.post("/api/v1/customers", json={"name": "x" * 250, "key": f"key-{number}"})
                    for number in range(100)
                ]
                looked = visitor.return_to_portal()
            with world.app.app_context():
                keys = set(db.session().scalars(sa.select(Customer.key)))
                events = set(db.session().scalars(sa.select(Event.id)))

            again = late.submit_form()
            world.live_through(MAX_BACKOFF)

            assert {answer.status_code for answer in told} == {503}
            assert not events & {"evt_0", "evt_1", "evt_2"}
            assert {answer.status_code for answer in made} <= {201, 503}
            assert made[-1].status_code == 503
            assert made[-1].mimetype == "application/problem+json"
            assert {f"key-{n}" for n, answer in enumerate(made) if answer.status_code == 201} <= keys
            assert signed_up.status_code in {303, 503}
            assert looked.status_code in {200, 503}
            assert again.status_code == 303
            assert world.compare(), str(world.compare())

    def test_a_process_that_can_no_longer_write_continues_when_it_can(self, portal: KillablePortal) -> None:
        done, late = portal.person(), portal.person()
        done.sign_up()
        portal.wait_until_agreed()
        usual, late.patience = late.patience, 1
        with portal.full_disk():
            done.save_card()
            for _ in range(3):
                with pytest.raises(GaveUp, match="503"):
                    late.sign_up()
        late.patience = usual

        late.sign_up()
        late.save_card()

        portal.wait_until_agreed()
        assert portal.deaths == 0


@contextmanager
def full_disk(world: World) -> Iterator[None]:
    """SQLite may not take another page, as when the disk is full."""

    def limit(connection: Any, _record: object) -> None:
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count = {pages}")

    with world.app.app_context():
        engine = db.engine()
    engine.dispose()
    sa.event.listen(engine, "connect", limit)
    yield
    sa.event.remove(engine, "connect", limit)
    engine.dispose()
