"""Something that we need is away for a while: nothing acknowledged is lost, and all goes on by itself."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from app import db
from app.customers import Customer
from app.webhooks import Event
from tests.proof.conftest import MakeWorld
from tests.proof.haunted import Haunted
from tests.proof.people import CARDS, Interruption, Visitor, World
from tests.proof.travellers import GaveUp
from tests.support import postgres
from tests.support.browser import Page
from tests.support.stripe_postbox import Postbox, event
from tests.support.tokens import program

PULL_INTERVAL, BACKFILL_INTERVAL = timedelta(seconds=120), timedelta(seconds=900)  # as they are set at first
TEN_MINUTES = timedelta(minutes=10)
A_WHILE = timedelta(minutes=30)  # the longest wait for another try that ten minutes of failures lead to
MOST_CALLS = 45  # of the worker, to a Stripe that does not answer, within ten minutes and for two people


def led_to_stripe(world: World) -> Visitor:
    """Somebody new, on Stripe's page."""
    visitor = world.comes("USD")
    assert visitor.signs_up().status_code == 303
    assert visitor.page_id
    return visitor


def saved(world: World) -> Visitor:
    """Somebody new, with a card."""
    visitor = led_to_stripe(world)
    world.simulator.save_card(str(visitor.page_id))
    return visitor


class TestWebhooksOff:
    def test_what_people_do_is_known_within_one_interval(self, make_world: MakeWorld) -> None:
        with make_world(webhooks="off") as world:
            world.simulator.send = lambda *_: 404
            saved(world)
            led_to_stripe(world)
            declined, challenged, expired = led_to_stripe(world), led_to_stripe(world), led_to_stripe(world)
            world.simulator.save_card(str(declined.page_id), CARDS["declined"])
            world.simulator.save_card(str(challenged.page_id), CARDS["challenged"])
            world.simulator.expire_session(str(expired.page_id))

            world.lives_on(PULL_INTERVAL + timedelta(seconds=10))

            assert not world.verdict().wrong

    @pytest.mark.parametrize("deed", ["attach", "choose", "detach", "renew", "age", "delete"])
    def test_what_is_done_at_the_dashboard_is_known_within_one_interval(
        self, deed: str, make_world: MakeWorld
    ) -> None:
        with make_world(webhooks="off") as world:
            world.simulator.send = lambda *_: 404
            visitor = saved(world)
            world.lives_on(timedelta(hours=1))

            world.at_the_dashboard(str(visitor.page_id), deed)
            world.lives_on(PULL_INTERVAL + timedelta(seconds=10))

            assert not world.verdict().wrong

    def test_what_webhooks_should_bring_and_do_not_is_found_all_the_same(self, make_world: MakeWorld) -> None:
        with make_world() as world:
            visitor = saved(world)
            world.settle()
            world.simulator.send = lambda *_: 500

            world.at_the_dashboard(str(visitor.page_id), "detach")
            world.lives_on(BACKFILL_INTERVAL + timedelta(seconds=10))

            assert not world.verdict().wrong


class TestStripeAway:
    @pytest.mark.parametrize("outage", ["503", "reset", "timeout"])
    def test_for_ten_minutes(self, outage: str, make_world: MakeWorld) -> None:
        with make_world() as world:
            done, busy, late = saved(world), led_to_stripe(world), world.comes("USD")
            world.settle()
            world.simulator.save_card(str(busy.page_id))  # just before
            world.simulator.knobs.change({"outage": outage, "hold": True})
            calls = 0

            for _ in range(10):
                before = len(world.interruptions.asked)
                world.lives_on(timedelta(minutes=1))
                calls += len(world.interruptions.asked) - before
                assert Page.of(done.returns()).h1 == "Your payment method is saved"
                assert busy.returns().status_code == 200
                assert late.signs_up().status_code == 503
                assert "Nothing was stored" in late.form.page.text
            world.simulator.knobs.reset()
            again = late.signs_up()
            world.lives_on(A_WHILE)

            assert again.status_code == 303
            assert calls <= MOST_CALLS
            assert world.verdict(), str(world.verdict())

    def test_events_come_in_meanwhile(self, make_world: MakeWorld) -> None:
        with make_world() as world:
            saved(world)
            world.simulator.knobs.change({"outage": "503"})
            while world.simulator.deliver_due():
                pass
            world.lives_on(TEN_MINUTES)
            stored = len(world.acknowledged)
            world.simulator.knobs.reset()

            world.lives_on(A_WHILE)

            assert stored >= 3
            assert world.verdict(), str(world.verdict())


class TestDatabaseRestarted:
    @pytest.fixture
    def restart(self, server: postgres.Server | None) -> postgres.Server:
        """The server of this test, which may be stopped."""
        if server is None or not server.can_be_stopped:
            pytest.skip("wants --database postgresql, and a server of the tests' own")
        return server

    def test_while_it_is_away_nothing_is_acknowledged(
        self, make_world: MakeWorld, restart: postgres.Server
    ) -> None:
        with make_world() as world:
            visitor, late = saved(world), world.comes("USD")
            caller, postbox = program(world.app), Postbox(world.app, world.simulator)
            with restart.stopped():
                answers = [
                    late.signs_up(),
                    visitor.returns(),
                    postbox.post(event(id="evt_meanwhile")),
                    caller.post("/api/v1/customers", json={"name": "Ada", "key": "ada"}),
                    world.app.test_client().get("/readyz"),
                ]
                alive = world.app.test_client().get("/healthz")
                world.simulator.deliver_due()
                with pytest.raises(sa.exc.OperationalError):
                    world.work()

            again = late.signs_up()
            world.lives_on(A_WHILE)

            assert [answer.status_code for answer in answers] == [503] * 5
            assert [answer.headers.get("Retry-After") for answer in answers[:4]] == ["5"] * 4
            assert alive.status_code == 200
            assert again.status_code == 303
            assert world.verdict(), str(world.verdict())

    def test_while_stripe_is_asked(self, make_world: MakeWorld, restart: postgres.Server) -> None:
        """No transaction is open then, so the restart isn't even noticed."""

        def again() -> None:
            with restart.stopped():
                pass

        with make_world() as world:
            visitor = world.comes("USD")
            world.interruptions.waiting.append(Interruption("after", again))

            answer = visitor.signs_up()
            world.simulator.save_card(str(visitor.page_id))
            world.interruptions.waiting.append(Interruption("before", again))
            world.settle()

            assert answer.status_code == 303
            assert world.verdict(), str(world.verdict())


class TestDiskFull:
    @pytest.fixture(autouse=True)
    def _on_sqlite(self, server: postgres.Server | None) -> None:
        if server is not None:
            pytest.skip("is about SQLite")

    def test_nothing_is_acknowledged_that_is_not_kept(self, make_world: MakeWorld) -> None:
        with make_world() as world:
            visitor, late = saved(world), world.comes("USD")
            world.settle()
            caller, postbox = program(world.app), Postbox(world.app, world.simulator)
            large = {"id": "in_1", "object": "invoice", "text": "x" * 100_000}
            with full_disk(world):
                signed_up = late.signs_up()
                told = [postbox.post(event(thing=large, id=f"evt_{number}")) for number in range(3)]
                made = [
                    caller.post("/api/v1/customers", json={"name": "x" * 250, "key": f"key-{number}"})
                    for number in range(100)
                ]
                looked = visitor.returns()
            with world.app.app_context():
                keys = set(db.session().scalars(sa.select(Customer.key)))
                events = set(db.session().scalars(sa.select(Event.id)))

            again = late.signs_up()
            world.lives_on(A_WHILE)

            assert {answer.status_code for answer in told} == {503}
            assert not events & {"evt_0", "evt_1", "evt_2"}
            assert {answer.status_code for answer in made} <= {201, 503}
            assert made[-1].status_code == 503
            assert made[-1].mimetype == "application/problem+json"
            assert {f"key-{n}" for n, answer in enumerate(made) if answer.status_code == 201} <= keys
            assert signed_up.status_code in {303, 503}
            assert looked.status_code in {200, 503}
            assert again.status_code == 303
            assert world.verdict(), str(world.verdict())

    @pytest.mark.timeout(300)
    def test_a_process_that_can_write_no_more_goes_on_when_it_can(self, haunted: Haunted) -> None:
        done, late = haunted.comes(), haunted.comes()
        done.signs_up()
        haunted.agrees_at_last()
        usual, late.patience = late.patience, 1
        with haunted.full_disk():
            done.saves()
            for _ in range(3):
                with pytest.raises(GaveUp, match="503"):
                    late.signs_up()
        late.patience = usual

        late.signs_up()
        late.saves()

        haunted.agrees_at_last()
        assert haunted.deaths == 0


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
