"""One world for every test: a portal and a simulated Stripe in this process, people, events and time.

Nothing happens unless a test asks for it. Events wait for their delivery, due work waits for the worker, and
time waits until a test passes it. `settle` does both until nothing is left to do; `compare` says where the
portal and Stripe differ.
"""

import json
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from typing import Any

import sqlalchemy as sa
import time_machine
from flask import Flask

from app import apps, doctor, sync, webhooks
from app.core import db
from app.core.errors import AppError, Conflict
from app.customers import Customer
from app.onboarding import links
from app.payers import Payer
from app.simulator import DEFAULT_API_KEY, Simulator, revoke_key
from app.webhooks import Event
from tests.support import dashboard, truth
from tests.support.people import Person, Program
from tests.support.truth import Verdict


class World:
    """A portal with an installed app, its Stripe account, and everybody who uses them."""

    def __init__(self, app: Flask, simulator: Simulator, clock: time_machine.Traveller) -> None:
        self.app = app
        self.simulator = simulator
        self.clock = clock
        self.people: list[Person] = []
        self.programs: list[Program] = []
        self.acknowledged: set[str] = set()  # ids of the events that the portal answered with 2xx
        self.broken_promises: list[str] = []  # those of them that were not in the database at that moment
        self.answers_to_lose = 0  # of the portal to Stripe, while deliveries are watched
        self.are_webhooks_damaged = False

    # Who is there

    def person(self) -> Person:
        """Somebody new who has signed up and is on Stripe's page."""
        person = Person.sign_up(self.app, self.simulator, f"person-{len(self.people) + 1}")
        self.people.append(person)
        return person

    def visitor(self, currency: str) -> Person:
        """Somebody new who has only opened the sign-up form."""
        name = f"person-{len(self.people) + 1}"
        self.people.append(Person.open_form(self.app, self.simulator, name, currency))
        return self.people[-1]

    def program(self) -> Program:
        """A new program with a new customer."""
        self.programs.append(Program.with_token(self.app, f"program-{len(self.programs)}"))
        return self.programs[-1]

    @property
    def session_ids(self) -> list[str]:
        """Every checkout session that anybody was led to."""
        of_people = [session_id for person in self.people for session_id in person.session_ids]
        return of_people + [session_id for one in self.programs for session_id in one.session_ids]

    # What the worker does

    def work(self) -> int:
        """Let the worker do everything that is due now; the number of its turns."""
        with self.app.app_context():
            return sync.run_until_idle()

    def run_maintenance(self) -> int:
        """Let the worker do what its timers ask for, such as backfill; the number of steps."""
        steps = 0
        with self.app.app_context():
            while sync.run_maintenance(db.session()):
                steps += 1
        return steps

    def work_and_maintain(self) -> int:
        """Let the worker do what is due, what its timers ask for, and what comes of that."""
        turns = self.work()
        while steps := self.run_maintenance():
            turns += steps + self.work()
        return turns

    def work_once(self) -> None:
        """Let the worker do one thing."""
        with self.app.app_context():
            sync.run_once()

    def lose_a_worker(self) -> None:
        """A worker takes a lease and dies."""
        with self.app.app_context():
            sync.claim_due(db.session(), most=1)

    def backfill(self) -> None:
        """Look for lost events in Stripe's list now."""
        with self.app.app_context(), suppress(AppError):
            session = db.session()
            app = apps.find(session)
            db.end_read(session)
            sync.backfill(session, app)

    # How events travel, and how time passes

    def settle(self) -> None:
        """Deliver every event that is due and do everything that is due then, until nothing is left."""
        while self.simulator.deliver_due() + self.work():
            continue

    def live_through(self, span: timedelta) -> None:
        """Let time pass in small steps. Do everything that falls due, also what timers ask for."""
        passed, step = timedelta(0), max(timedelta(seconds=5), span / 20)
        while passed < span:
            self._settle_and_maintain()
            self.clock.shift(step)
            passed += step
        self._settle_and_maintain()

    def lose_events(self, keep: Callable[[str], bool] = lambda _type: False) -> None:
        """Lose all events that wait now. `keep` says for an event's type that those stay."""
        store = self.simulator.store
        for delivery in store.deliveries.snapshot():
            if not keep(store.events[delivery["event"]]["type"]):
                store.deliveries.pop(delivery["id"], None)

    def lose_some_events(self, share: float) -> None:
        """Lose this share of the events that wait now, the oldest first; at least one."""
        deliveries = self.simulator.store.deliveries
        waiting = list(deliveries)
        for key in waiting[: max(1, round(share * len(waiting)))]:
            deliveries.pop(key, None)

    def watch_deliveries(self) -> None:
        """Note the events that the portal acknowledges from now on, and whether they are stored by then."""
        send = self.simulator.send

        def watched_send(url: str, body: bytes, headers: dict[str, str]) -> int:
            status = send(url, body, headers)
            if 200 <= status < 300:
                self._note_acknowledgement(json.loads(body)["id"])
            if self.answers_to_lose:
                self.answers_to_lose -= 1
                return 0
            return status

        self.simulator.send = watched_send

    def _note_acknowledgement(self, event_id: str) -> None:
        self.acknowledged.add(event_id)
        with self.app.app_context():
            if db.session().scalar(sa.select(Event.id).where(Event.id == event_id)) is None:
                self.broken_promises.append(event_id)

    def _settle_and_maintain(self) -> None:
        while self.simulator.deliver_due() + self.work_and_maintain():
            continue

    # What happens at Stripe without the portal

    def stripe(self, method: str, path: str, **params: str) -> Any:
        """Call Stripe's API as another program with our key would."""
        return dashboard.request(self.simulator, method, path, **params)

    def attach_card(self, person: Person, card: str = "pm_card_mastercard") -> str:
        """Attach one more card to a person's Stripe customer; its id."""
        path = f"/v1/payment_methods/{card}/attach"
        return str(self.stripe("POST", path, customer=person.stripe_customer_id)["id"])

    def choose_default(self, person: Person, method_id: str) -> None:
        """Make a method the default of a person's Stripe customer; "" for none."""
        choice = {"invoice_settings[default_payment_method]": method_id}
        self.stripe("POST", f"/v1/customers/{person.stripe_customer_id}", **choice)

    def damage_webhooks(self, damage: str) -> None:
        """Do one of `dashboard.DAMAGES` to our webhook endpoint."""
        self.are_webhooks_damaged = True
        dashboard.damage_webhooks(self.simulator, damage)

    # What operators do

    def app_id(self) -> str:
        """The id of the installed app."""
        with self.app.app_context():
            return apps.find(db.session()).id

    def make_link(self, number: int) -> str | None:
        """Make an onboarding link for one of the customers, if there are any."""
        with self.app.app_context():
            session = db.session()
            db.start_write(session)
            found = session.scalars(sa.select(Customer).where(Customer.deleted_at.is_(None))).all()
            if not found:
                return None
            _, token = links.create(session, found[number % len(found)], actor="test")
            session.commit()
            return links.url(token)

    def check_payer(self, number: int) -> None:
        """Press "check with Stripe now" for one of the payers, if there are any."""
        with self.app.app_context(), suppress(AppError):
            session = db.session()
            found = list(session.scalars(sa.select(Payer.id).order_by(Payer.id)))
            db.end_read(session)
            if found:
                sync.refresh(session, found[number % len(found)], force=True)

    def repair(self) -> None:
        """Press every button that the doctor offers."""
        with self.app.app_context():
            session = db.session()
            app = apps.find(session)
            for finding in doctor.examine(session, app):
                if finding.repair and finding.state is not doctor.State.GREEN:
                    with suppress(Conflict):  # a dead worker may still hold the list of events for a minute
                        doctor.repair(session, app, finding.code, actor="test")

    def retry_failed(self) -> None:
        """Press "retry" for every event that the worker gave up."""
        with self.app.app_context():
            session = db.session()
            webhooks.retry_all_failed(session, actor="test")
            session.commit()

    # How it ends

    def compare(self) -> Verdict:
        """Compare everything that the portal holds with everything that Stripe holds, now."""
        with self.app.app_context():
            return truth.compare(db.session(), self.simulator.store)

    def heal(self) -> None:
        """End all trouble, let everybody finish what they began, and let a week pass."""
        self.simulator.fault_settings.reset()
        self.simulator.faults.clear()
        self.answers_to_lose = 0
        revoke_key(self.simulator.store, DEFAULT_API_KEY, revoked=False)
        self.clock.shift(timedelta(minutes=2))  # a dead worker's hold on the list of events is over then
        if self.are_webhooks_damaged:
            self.repair()
        self.retry_failed()
        for person in self.people:
            if not person.session_ids:
                self._sign_up_at_last(person)
        for one in self.programs:
            if not one.session_ids:
                assert one.open_session(repeats=one.calls > 0) == 201, f"{one.name} can't open a session"
        passed, step = timedelta(0), timedelta(seconds=40)
        while passed < timedelta(days=7):
            self._settle_and_maintain()
            self.clock.shift(step)
            passed, step = passed + step, min(step * 2, timedelta(days=1))
        for _ in range(5):  # an event about an unknown customer waits that long
            self._settle_and_maintain()
            self.clock.shift(timedelta(minutes=1))
        self._settle_and_maintain()

    def _sign_up_at_last(self, person: Person) -> None:
        for _ in range(3):  # an old form is shown again; Stripe may still repeat an old error
            if person.submit_form().status_code == 303:
                return
            self.clock.shift(timedelta(minutes=1))
        raise AssertionError(f"{person.name} can't sign up: {person.form.page.text}")
