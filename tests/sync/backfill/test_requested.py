"""An operator, a command or the worker can ask for a backfill at any time. It is the only source of events
where Stripe cannot reach the portal."""

from datetime import timedelta

import pytest
import sqlalchemy as sa
import time_machine
from click.testing import Result
from flask import Flask

from app import apps, sync
from app.apps import App
from app.core import db
from app.core.config import Settings
from app.core.db import utcnow
from app.payers import PaymentStatus
from app.simulator import DEFAULT_API_KEY, add_account, add_key, revoke_key
from app.sync import Backfill
from app.sync.cli import command
from app.webhooks import Event
from tests.conftest import PORTAL, make_settings
from tests.support.people import Person
from tests.support.rows import Rows
from tests.support.stripe_calls import StripeCalls
from tests.support.sync_backfill import INTERVAL, LIST, is_priority, looks, many, row
from tests.support.truth import assert_agrees
from tests.support.world import World

SECOND_KEY = "sk_test_of_the_second"


def add_another(app: Flask, world: World) -> None:
    """Install a second account."""
    add_account(world.simulator.store, "acct_second", 1)
    add_key(world.simulator.store, SECOND_KEY, account="acct_second")
    with app.app_context():
        session = db.session()
        apps.install(session, SECOND_KEY, public_url=PORTAL, actor="test", name="Second")
        session.commit()


class TestAsked:
    """By an operator."""

    def test_looks_back_as_far_as_it_is_told(
        self, world: World, person: Person, rows: Rows, clock: time_machine.Traveller
    ) -> None:
        person.save_card()
        world.run_maintenance()
        clock.shift(timedelta(days=3))
        other = world.person()
        other.save_card()
        world.run_maintenance()
        cursor = row(rows).cursor
        with world.app.app_context():
            db.session().execute(sa.delete(Event))
            db.session().commit()

        recent = looks(world.app, since=utcnow() - timedelta(days=1))
        all_of_it = looks(world.app, since=utcnow() - timedelta(days=5))

        assert 0 < recent.found < all_of_it.listed
        assert recent.found + all_of_it.found == all_of_it.listed
        assert row(rows).cursor == cursor

    def test_a_shorter_look_skips_nothing_for_the_next_one(
        self, world: World, person: Person, rows: Rows, clock: time_machine.Traveller
    ) -> None:
        person.save_card()
        earlier = {found["id"] for found in world.simulator.store.events.snapshot() if is_priority(found)}
        clock.shift(timedelta(hours=2))
        world.person().save_card()

        looks(world.app, since=utcnow() - timedelta(hours=1))
        skipped = earlier - {found.id for found in rows(Event)}
        clock.shift(INTERVAL + 1)
        world.run_maintenance()

        assert skipped == earlier
        assert earlier <= {found.id for found in rows(Event)}

    def test_only_counts_when_it_is_told_to(self, world: World, rows: Rows) -> None:
        many(world, 130)

        seen = looks(world.app, dry_run=True)

        assert seen.found == seen.listed > 100
        assert rows(Event) == []
        assert rows(Backfill) == []

    def test_counts_what_it_would_find_after_the_last_look(
        self, world: World, person: Person, clock: time_machine.Traveller
    ) -> None:
        person.save_card()
        world.run_maintenance()
        world.attach_card(person)

        assert looks(world.app, dry_run=True).found == 1

    def test_counts_what_only_another_app_has_received(
        self, world: World, person: Person, rows: Rows
    ) -> None:
        person.save_card()
        world.run_maintenance()
        [first] = rows(App)
        add_another(world.app, world)
        with world.app.app_context():
            session = db.session()
            session.execute(sa.update(Event).values(app_id=rows(App)[-1].id))
            session.commit()
            app = session.get_one(App, first.id)
            db.end_read(session)

            seen = sync.backfill(session, app, since=utcnow() - timedelta(days=1), dry_run=True)

        assert seen.found == seen.listed > 0


class TestCommand:
    """`gangway backfill`."""

    @staticmethod
    def run(app: Flask, *options: str) -> Result:
        return app.test_cli_runner().invoke(command, options)

    def test_says_what_it_found(self, app: Flask, person: Person, rows: Rows) -> None:
        person.save_card()

        answer = self.run(app)

        assert answer.exit_code == 0
        assert f"{len(rows(Event))} events listed, {len(rows(Event))} new ones stored." in answer.output

    def test_says_what_it_would_find(self, app: Flask, person: Person, rows: Rows) -> None:
        person.save_card()

        answer = self.run(app, "--dry-run", "--since", "2020-01-01")

        assert "new ones would be stored." in answer.output
        assert rows(Event) == []

    @pytest.mark.parametrize("options", [[], ["--dry-run"]])
    def test_continues_with_the_next_app_when_one_fails(
        self, app: Flask, world: World, person: Person, options: list[str]
    ) -> None:
        add_another(app, world)
        revoke_key(world.simulator.store, DEFAULT_API_KEY)

        answer = self.run(app, *options)

        assert answer.exit_code == 1
        assert answer.stderr.endswith("Stripe rejected the API key.\n")
        assert answer.stdout.startswith("Second (")
        assert answer.stdout.count("events listed") == 1

    def test_continues_with_the_next_app_when_it_has_lost_a_list_to_another(
        self, app: Flask, world: World, calls: StripeCalls
    ) -> None:
        add_another(app, world)

        def another_takes_over() -> None:
            with app.app_context():
                db.session().execute(sa.update(Backfill).values(lease="another"))
                db.session().commit()

        calls.after(LIST, another_takes_over)
        answer = self.run(app)

        assert answer.exit_code == 1
        assert answer.stderr.endswith("Another worker has taken over this backfill.\n")
        assert answer.stdout.startswith("Second (")

    def test_refuses_what_is_no_time(self, app: Flask) -> None:
        answer = self.run(app, "--since", "yesterday")

        assert answer.exit_code == 2
        assert "not a time in ISO 8601" in answer.output


class TestWithoutWebhooks:
    """Where Stripe can't reach the portal, its list is the only source."""

    @pytest.fixture
    def settings(self, database_url: str) -> Settings:
        return make_settings(database_url=database_url, webhooks="off", pull_interval=60)

    def test_the_whole_way_goes_within_a_pull_interval(
        self, world: World, clock: time_machine.Traveller
    ) -> None:
        person = world.person()
        world.run_maintenance()
        person.save_card()

        clock.shift(61)
        world.run_maintenance()
        world.work()
        saved = person.status
        world.simulator.detach_payment_method(str(person.stripe_default))
        clock.shift(61)
        world.run_maintenance()
        world.work()

        assert (saved, person.status) == (PaymentStatus.SAVED, PaymentStatus.REMOVED)
        assert_agrees(person)


@pytest.mark.parametrize(
    ("said", "is_pulling"),
    [
        ({}, False),  # a simulator reaches everything
        ({"webhooks": "off"}, True),
        ({"stripe_api_base": "https://api.stripe.com"}, True),
        ({"stripe_api_base": "https://api.stripe.com", "public_url": "https://pay.example.com"}, False),
    ],
)
def test_is_the_only_source_where_stripe_cant_reach_us(said: dict[str, str], is_pulling: bool) -> None:  # noqa: FBT001
    assert make_settings(**said).is_pulling is is_pulling


def test_leaves_an_uninstalled_app_alone(world: World, calls: StripeCalls, rows: Rows) -> None:
    with world.app.app_context():
        session = db.session()
        apps.uninstall(session, session.scalars(sa.select(App.id)).one(), actor="test")
        session.commit()
    calls.clear()

    world.run_maintenance()

    assert calls.made == []
