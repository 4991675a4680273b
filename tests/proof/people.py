"""The portal, Stripe, and people between them, to whom anything may happen at any moment."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import sqlalchemy as sa
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app import apps, db, doctor, links, sync, webhooks
from app.customers import Customer
from app.errors import AppError, Conflict
from app.payers import Payer
from app.simulator import DEFAULT_API_KEY, Simulator, accounts, wallet
from app.webhooks import Event
from tests.proof.truth import Verdict, compare
from tests.support.browser import Page
from tests.support.portal import SignupPage, session_of
from tests.support.tokens import program
from tests.support.transactions import forbid_open_transactions

JSON = dict[str, Any]
ANSWERS = {
    200,
    201,
    303,
    400,
    404,
    409,
    410,
    412,
    422,
    503,
}  # all that anybody is ever to see, whatever fails
CARDS = {
    "good": "4242424242424242",
    "other": "5555555555554444",
    "declined": "4000000000000002",
    "challenged": "4000002500003155",
    "challenged and declined": "4000008400001629",
}


@dataclass
class Interruption:
    """Something that happens before or after Stripe answers a question; so many others go first."""

    when: str
    act: Callable[[], object]
    skip: int = 0


class Interruptions:
    """What is to happen while Stripe is being asked: before it reads the question, or after it answered."""

    def __init__(self, stripe: Callable[..., Any]) -> None:
        self._stripe = forbid_open_transactions(stripe)
        self.waiting: list[Interruption] = []
        self.asked: list[str] = []

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
        """Pass a question on, with what happens meanwhile."""
        self.asked.append(f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']}")
        now = self._due()
        if now and now.when == "before":
            elsewhere(now.act)
        answer = list(self._stripe(environ, start_response))
        if now and now.when == "after":
            elsewhere(now.act)
        return answer

    def _due(self) -> "Interruption | None":
        """The one that befalls this question, if any."""
        if not self.waiting:
            return None
        if self.waiting[0].skip:
            self.waiting[0].skip -= 1
            return None
        return self.waiting.pop(0)


def elsewhere(act: Callable[[], object]) -> None:
    """Do something in a thread of its own, as another process would, and wait for it."""
    with ThreadPoolExecutor(1) as thread:
        thread.submit(act).result()


@dataclass
class Visitor:
    """Somebody with a browser and a sign-up form, and with Stripe's page once the form has led there."""

    name: str
    currency: str
    client: FlaskClient
    form: SignupPage
    pages: list[str] = field(default_factory=list)  # cs_…, where the portal has led, the last one last

    @classmethod
    def comes(cls, app: Flask, name: str, currency: str) -> "Visitor":
        """Open the form."""
        client = app.test_client()
        return cls(name, currency, client, SignupPage(client))

    @property
    def page_id(self) -> str | None:
        """Where the portal has led last."""
        return self.pages[-1] if self.pages else None

    def signs_up(self) -> TestResponse:
        """Press the form's button, for the first time or once more."""
        before = self.form.page
        answer = self.form.submit(key=self.name, subject_keys=[f"{self.name}-1"], currency=self.currency)
        if not self.form.page.all(name="csrf_token"):  # an error page: the browser's "back" leads to the form
            self.form.page = before
        return self._led(answer)

    def starts_over(self) -> TestResponse:
        """Open a new form, and press its button."""
        self.form = SignupPage(self.client)
        return self.signs_up()

    def returns(self) -> TestResponse:
        """Open the page to which Stripe leads back."""
        return self.client.get("/return")

    def goes_on(self) -> TestResponse | None:
        """Press the button of the page to which Stripe's "back" leads, if it has one."""
        answer = self.client.get("/cancelled")
        # There is no such form when all is done already, or when this browser is known no more.
        return self._presses(answer, "/resume")

    def follows(self, link: str) -> TestResponse | None:
        """Open an onboarding link and press its button, if it has one."""
        path = urlsplit(link).path
        return self._presses(self.client.get(path), path)

    def _presses(self, answer: TestResponse, action: str) -> TestResponse | None:
        forms = Page.of(answer).all("form", action=action) if answer.status_code == 200 else []
        if not forms:
            return None
        fields = {element["name"]: element.get("value") for element in forms[0].all("input")}
        return self._led(self.client.post(action, data=fields))

    def _led(self, answer: TestResponse) -> TestResponse:
        assert answer.status_code in ANSWERS, answer.get_data(as_text=True)
        if answer.status_code == 303 and urlsplit(answer.location).path.startswith("/c/pay/"):
            self.pages.append(session_of(answer))
        return answer


@dataclass
class Program:
    """A program that onboards a customer of its own over the JSON API."""

    client: FlaskClient
    name: str
    pages: list[str] = field(default_factory=list)
    calls: int = 0

    def opens_a_page(self, *, repeats: bool) -> int:
        """Have a page opened, as a call of its own or as the last one once more; the status of the answer."""
        self.calls += not repeats
        body = {
            "customer": {"name": self.name, "key": self.name},
            "options": {"successUrl": "https://example.com/", "currency": "USD"},
        }
        headers = {"Idempotency-Key": f"{self.name}-{self.calls}"}
        answer = self.client.post("/api/v1/stripe/checkout/sessions", json=body, headers=headers)
        assert answer.status_code in ANSWERS, answer.get_json()
        if answer.status_code == 201:
            self.pages.append(answer.get_json()["sessionId"])
        return answer.status_code

    def chooses(self, stripe_customer_id: str, method_id: str | None) -> None:
        """Say which method is to be charged."""
        body = {"stripeCustomerId": stripe_customer_id, "stripeDefaultPaymentMethodId": method_id}
        wanted = {name: value for name, value in body.items() if value}
        answer = self.client.put(f"/api/v1/customers/{self.name}/stripe", json=wanted)
        assert answer.status_code in ANSWERS, answer.get_json()

    def binds(self, stripe_customer_id: str) -> None:
        """Say that another Stripe customer stands for the customer."""
        self.chooses(stripe_customer_id, None)

    def unbinds(self, app_id: str) -> None:
        """Say that none does any more; the next page makes a new one."""
        answer = self.client.delete(f"/api/v1/customers/{self.name}/apps/{app_id}")
        assert answer.status_code in {*ANSWERS, 204}, answer.get_json()

    def deletes(self) -> None:
        """Delete the customer; under its key a new one may come."""
        answer = self.client.delete(f"/api/v1/customers/{self.name}")
        assert answer.status_code in {*ANSWERS, 204}, answer.get_json()


class World:
    """A portal and a Stripe in one process, and everybody who uses them."""

    def __init__(
        self,
        app: Flask,
        simulator: Simulator,
        clock: time_machine.Traveller,
        interruptions: Interruptions,
    ) -> None:
        self.app = app
        self.simulator = simulator
        self.clock = clock
        self.interruptions = interruptions
        self.visitors: list[Visitor] = []
        self.programs: list[Program] = []
        self.acknowledged: set[str] = set()  # events that were answered 2xx
        self.is_tampered_with = False
        self.broken_promises: list[str] = []  # of these, those that were not stored by then
        send = simulator.send

        def watched(url: str, body: bytes, headers: dict[str, str]) -> int:
            status = send(url, body, headers)
            if 200 <= status < 300:
                self._promised(json.loads(body)["id"])
            return status

        simulator.send = watched

    def comes(self, currency: str) -> Visitor:
        """Somebody new opens the form."""
        visitor = Visitor.comes(self.app, f"visitor-{len(self.visitors)}", currency)
        self.visitors.append(visitor)
        return visitor

    def _promised(self, event_id: str) -> None:
        self.acknowledged.add(event_id)
        with self.app.app_context():
            if db.session().scalar(sa.select(Event.id).where(Event.id == event_id)) is None:
                self.broken_promises.append(event_id)

    @property
    def pages(self) -> list[str]:
        """All pages of Stripe's to which anybody was ever led."""
        of_visitors = [page for one in self.visitors for page in one.pages]
        return of_visitors + [page for one in self.programs for page in one.pages]

    def program(self) -> Program:
        """A program with a customer of its own."""
        made = Program(program(self.app), f"program-{len(self.programs)}")
        self.programs.append(made)
        return made

    def link(self, number: int) -> str | None:
        """An operator makes a link for one of the customers, if there are any."""
        with self.app.app_context():
            session = db.session()
            db.start_write(session)
            found = session.scalars(sa.select(Customer).where(Customer.deleted_at.is_(None))).all()
            if not found:
                return None
            _, token = links.create(session, found[number % len(found)], actor="test")
            session.commit()
            return links.url(token)

    def app_id(self) -> str:
        """The installed app's id."""
        with self.app.app_context():
            return apps.find(db.session()).id

    def stripe_customer_of_old(self) -> str:
        """A Stripe customer that another program made before there was a portal, with a card; its id."""
        work = self.simulator.work_for("of old")
        with work.books.transaction():
            made = work.keep(work.books.customers, wallet.new_customer(work) | {"name": "Somebody of old"})
            work.emit("customer.created", made)
        self.simulator.attach_card(made["id"], default=True)
        return str(made["id"])

    def checks(self, number: int) -> None:
        """An operator has one of the payers looked at now, as a whole."""
        with self.app.app_context(), suppress(AppError):
            session = db.session()
            found = list(session.scalars(sa.select(Payer.id).order_by(Payer.id)))
            db.end_read(session)
            if found:
                sync.refresh(session, found[number % len(found)], force=True)

    def webhooks_break(self, how: str) -> None:
        """Somebody at the Dashboard does something to our endpoint."""
        self.is_tampered_with = True
        for endpoint in list(self.simulator.books.webhook_endpoints):
            if how == "disable":
                self.simulator.change_endpoint(endpoint, enabled=False)
            elif how == "delete":
                self.simulator.delete_endpoint(endpoint)
            elif how == "move":
                self.simulator.change_endpoint(endpoint, url="http://127.0.0.1:8000/elsewhere")
            else:
                self.simulator.roll_secret(endpoint, overlap=3600 if how == "roll slowly" else 0)

    def repair(self) -> None:
        """An operator presses every button that the doctor offers."""
        with self.app.app_context():
            session = db.session()
            app = apps.find(session)
            for finding in doctor.examine(session, app):
                if finding.repair and finding.state is not doctor.State.GREEN:
                    with suppress(Conflict):  # a worker that died has the list in hand for a minute
                        doctor.repair(session, app, finding.code, actor="test")

    def retry_failed(self) -> None:
        """An operator has everything looked at again that was given up."""
        with self.app.app_context():
            session = db.session()
            webhooks.retry_all_failed(session, actor="test")
            session.commit()

    def at_the_dashboard(self, page_id: str, deed: str) -> None:
        """Somebody does something at Stripe's Dashboard to the customer of a page.

        Where there is no card that it could be done to, one is added.
        """
        simulator = self.simulator
        customer = str(simulator.books.checkout_sessions[page_id]["customer"])
        methods = simulator.books.payment_methods.snapshot()
        own = [method["id"] for method in methods if method["customer"] == customer]
        cards = [method["id"] for method in methods if method["id"] in own and "card" in method]
        is_gone = bool(simulator.books.customers[customer].get("deleted"))
        if deed == "expire":
            simulator.expire_session(page_id)
        elif deed == "delete":
            simulator.delete_customer(customer)
        elif deed == "choose" and own:
            simulator.choose_default(customer, own[0])
        elif deed == "detach" and own:
            simulator.detach_payment_method(own[-1])
        elif deed == "renew" and cards:
            simulator.renew_card(cards[-1])
        elif deed == "age" and cards:
            simulator.age_card(cards[-1])
        elif not is_gone:
            simulator.attach_card(customer, default=not own)

    def lose_events(self, share: float) -> None:
        """Of the events that wait, this share will never come; 0 is only the first one."""
        deliveries = self.simulator.books.deliveries
        waiting = list(deliveries)
        for key in waiting[: max(1, round(share * len(waiting)))]:
            deliveries.pop(key, None)

    def backfill(self) -> None:
        """Look for events that never came, now."""
        with self.app.app_context(), suppress(AppError):
            session = db.session()
            app = apps.find(session)
            db.end_read(session)
            sync.backfill(session, app)

    def work(self) -> int:
        """Let a worker do all that is due now, and what the clock asks for besides."""
        with self.app.app_context():
            turns = sync.drain()
            while sync.tend(db.session()):
                turns += 1 + sync.drain()
            return turns

    def turn(self) -> None:
        """Let a worker do one thing."""
        with self.app.app_context():
            sync.turn()

    def lose_a_worker(self) -> None:
        """A worker takes a lease and dies."""
        with self.app.app_context():
            sync.claim_due(db.session())

    def settle(self) -> None:
        """Deliver all that is due and do all that is due then, until nothing more comes of it."""
        while self.simulator.deliver_due() + self.work():
            continue

    def lives_on(self, span: timedelta) -> None:
        """Time passes, and all that falls due is done."""
        passed, step = timedelta(0), max(timedelta(seconds=5), span / 60)
        while passed < span:
            self.settle()
            self.clock.shift(step)
            passed += step
        self.settle()

    def verdict(self) -> Verdict:
        """How we and Stripe agree at this moment."""
        with self.app.app_context():
            return compare(db.session(), self.simulator.books)

    def heal(self) -> None:
        """Stripe is well again, people finish what they began, and a week passes."""
        self.simulator.knobs.reset()
        self.simulator.faults.clear()
        self.interruptions.waiting.clear()
        accounts.revoke_key(self.simulator.books, DEFAULT_API_KEY, revoked=False)
        self.clock.shift(timedelta(minutes=2))  # until a dead worker's hold on the list of events is over
        if self.is_tampered_with:
            self.repair()
        self.retry_failed()
        for visitor in self.visitors:
            if visitor.page_id is None:
                self._signs_up_at_last(visitor)
        for one in self.programs:
            if not one.pages:
                assert one.opens_a_page(repeats=one.calls > 0) == 201, f"{one.name} can't have a page opened"
        passed, step = timedelta(0), timedelta(seconds=40)
        while passed < timedelta(days=7):
            self.settle()
            self.clock.shift(step)
            passed, step = passed + step, min(step * 2, timedelta(days=1))
        self.lives_on(timedelta(minutes=5))  # an event of somebody unknown is looked at for as long

    def _signs_up_at_last(self, visitor: Visitor) -> None:
        for _ in range(3):  # a form that is old is shown once more; Stripe may still hold an old answer
            if visitor.signs_up().status_code == 303:
                return
            self.clock.shift(timedelta(minutes=1))
        raise AssertionError(f"{visitor.name} can't sign up: {visitor.form.page.text}")
