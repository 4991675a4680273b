"""The rules from which Hypothesis makes up stories: everything that people, Stripe and the network may do.

In a `Story`, people act in any order, somebody works at Stripe's Dashboard, events come late, twice and in
any order, and things happen while a call to Stripe is on its way. A few minutes after its end the portal
and Stripe must hold the same. In a `TroubledStory`, Stripe also fails or is away, events get lost, the
endpoint is damaged and workers die. At its end the trouble stops and a week passes; then they must hold the
same.
"""

from collections.abc import Callable
from contextlib import ExitStack, suppress
from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from app.checkout import CheckoutSession
from app.core import db
from app.core.errors import AppError
from app.simulator import DEFAULT_API_KEY, FAULTS, revoke_key
from app.webhooks import Event
from tests.proof.conftest import MakeWorld
from tests.support import dashboard
from tests.support.people import CARDS, Person
from tests.support.stripe_calls import StripeCalls, elsewhere
from tests.support.world import World

MAX_PEOPLE = 5  # in one story
ROUTES = (
    "*",
    "POST /v1/customers",
    "POST /v1/customers/*",
    "GET /v1/customers/*",
    "POST /v1/checkout/sessions",
    "GET /v1/checkout/sessions/*",
    "GET /v1/events",
)
BANKS = {"EUR": "sepa_debit", "USD": "us_bank_account", "GBP": "bacs_debit"}
A_MINUTE, AN_HOUR, A_DAY = 60, 3600, 24 * 3600
a_person = st.integers(0, MAX_PEOPLE - 1)
a_number = st.integers(0, 4 * MAX_PEOPLE)
a_currency = st.sampled_from(sorted(BANKS))
an_action = st.sampled_from(dashboard.ACTIONS)
a_moment = st.sampled_from(["before", "after"])


class Story(RuleBasedStateMachine):
    """People, programs, Stripe's Dashboard and unreliable deliveries, in any order."""

    make_world: MakeWorld  # set in a subclass, by the fixture that makes the stories
    world: World
    calls: StripeCalls

    def __init__(self) -> None:
        super().__init__()
        self.stack = ExitStack()

    def person(self, number: int) -> Person:
        """One of the people."""
        return self.world.people[number % len(self.world.people)]

    def session_id(self, number: int) -> str | None:
        """One of the checkout sessions (cs_…) that somebody was led to."""
        found = self.world.session_ids
        return found[number % len(found)] if found else None

    # What people do

    @initialize(
        currency=a_currency, card=st.sampled_from(["", *sorted(CARDS)]), ticks=st.sampled_from([True, False])
    )
    def begin(self, *, currency: str, card: str, ticks: bool = True) -> None:
        """Make the world, and let the first person sign up. A daily check would only hide what went wrong."""
        self.world = self.stack.enter_context(type(self).make_world(verify_days=365, ticks=ticks))
        self.world.watch_deliveries()
        self.calls = StripeCalls.of(self.world.simulator)
        person = self.world.visitor(currency)
        person.submit_form()
        if card and person.session_id:
            person.save_card(CARDS[card])

    @precondition(lambda self: len(self.world.people) < MAX_PEOPLE)
    @rule(currency=a_currency)
    def somebody_comes(self, currency: str) -> None:
        self.world.visitor(currency).submit_form()

    @rule(number=a_person)
    def the_form_is_sent_again(self, number: int) -> None:
        self.person(number).submit_form()

    @rule(number=a_person)
    def a_new_form_is_sent(self, number: int) -> None:
        self.person(number).submit_new_form()

    @rule(number=a_number, card=st.sampled_from(sorted(CARDS)), expiry=st.sampled_from(["12/34", "03/31"]))
    def a_card_is_typed(self, number: int, card: str, expiry: str) -> None:
        if session_id := self.session_id(number):
            self.world.simulator.save_card(session_id, CARDS[card], expiry=expiry)

    @rule(number=a_number, ok=st.booleans())
    def a_challenge_is_answered(self, number: int, *, ok: bool) -> None:
        if session_id := self.session_id(number):
            self.world.simulator.authenticate(session_id, ok=ok)

    @rule(number=a_number, verify=st.sampled_from(["now", "later"]))
    def a_bank_account_is_typed(self, number: int, verify: str) -> None:
        if session_id := self.session_id(number):
            currency = self.world.simulator.store.checkout_sessions[session_id]["currency"]
            self.world.simulator.pay_by_bank(session_id, BANKS[currency.upper()], verify=verify)

    @rule(number=a_number, ok=st.booleans())
    def deposits_are_verified(self, number: int, *, ok: bool) -> None:
        if session_id := self.session_id(number):
            self.world.simulator.verify_microdeposits(session_id, ok=ok)

    @rule(number=a_person)
    def somebody_returns(self, number: int) -> None:
        self.person(number).return_to_portal()

    @rule(number=a_person)
    def somebody_resumes(self, number: int) -> None:
        self.person(number).resume()

    @rule(number=a_person, reader=a_person)
    def a_link_is_sent_and_followed(self, number: int, reader: int) -> None:
        if link := self.world.make_link(number):
            self.person(reader).follow(link)

    @rule(number=a_number)
    def an_operator_checks(self, number: int) -> None:
        self.world.check_payer(number)

    # What programs do

    @rule(number=st.integers(0, 1), repeats=st.booleans())
    def a_program_opens_a_session(self, number: int, *, repeats: bool) -> None:
        while number >= len(self.world.programs):
            self.world.program()
        self.world.programs[number].open_session(repeats=repeats)

    @precondition(lambda self: any(program.session_ids for program in self.world.programs))
    @rule(number=a_number, without_method=st.booleans())
    def a_program_chooses_a_default(self, number: int, *, without_method: bool) -> None:
        store = self.world.simulator.store
        program = next(program for program in self.world.programs if program.session_ids)
        customer = store.checkout_sessions[program.session_ids[-1]]["customer"]
        methods = [
            method["id"] for method in store.payment_methods.values() if method["customer"] == customer
        ]
        chosen = None if without_method or not methods else methods[number % len(methods)]
        program.choose_default(customer, chosen)

    @precondition(lambda self: any(program.session_ids for program in self.world.programs))
    @rule(number=a_number, known=st.booleans())
    def a_program_binds_another_stripe_customer(self, number: int, *, known: bool) -> None:
        program = next(program for program in self.world.programs if program.session_ids)
        session_id = self.session_id(number)
        if known and session_id:  # its own one, a former one, or somebody else's
            program.bind(self.world.simulator.store.checkout_sessions[session_id]["customer"])
        else:
            program.bind(dashboard.make_customer(self.world.simulator))

    @precondition(lambda self: any(program.session_ids for program in self.world.programs))
    @rule()
    def a_program_unbinds_its_stripe_customer(self) -> None:
        program = next(program for program in self.world.programs if program.session_ids)
        program.unbind(self.world.app_id())

    @precondition(lambda self: any(program.session_ids for program in self.world.programs))
    @rule()
    def a_program_deletes_its_customer(self) -> None:
        next(program for program in self.world.programs if program.session_ids).delete_customer()

    # What happens at Stripe

    @rule(number=a_number, action=an_action)
    def somebody_acts_at_the_dashboard(self, number: int, action: str) -> None:
        if session_id := self.session_id(number):
            dashboard.act(self.world.simulator, session_id, action)

    @rule(status=st.sampled_from(["active", "inactive"]), number=st.integers(0, 3))
    def the_bank_settles_a_mandate(self, status: str, number: int) -> None:
        mandates = list(self.world.simulator.store.mandates)
        if mandates:
            self.world.simulator.settle_mandate(mandates[number % len(mandates)], status)

    # How events travel, and what the worker and time do

    @rule(copies=st.integers(1, 3), shuffle=st.booleans())
    def deliveries_are_doubled_and_shuffled_from_now_on(self, copies: int, *, shuffle: bool) -> None:
        self.world.simulator.fault_settings.change({"duplicate": copies, "shuffle": shuffle})

    @rule(number=st.integers(1, 3))
    def the_next_answers_to_stripe_get_lost(self, number: int) -> None:
        self.world.answers_to_lose = number

    @rule()
    def events_come(self) -> None:
        self.world.simulator.deliver_due()

    @rule(number=st.integers(0, 9))
    def one_event_comes(self, number: int) -> None:
        waiting = list(self.world.simulator.store.deliveries)
        if waiting:
            self.world.simulator.deliveries.deliver([waiting[number % len(waiting)]])

    @rule(number=st.integers(0, 99))
    def an_event_comes_again(self, number: int) -> None:
        events = list(self.world.simulator.store.events)
        self.world.simulator.replay_event(events[number % len(events)])

    @rule()
    def a_worker_does_one_thing(self) -> None:
        self.world.work_once()

    @rule()
    def a_worker_does_everything_that_is_due(self) -> None:
        self.world.work_and_maintain()

    @rule(seconds=st.sampled_from([1, 5, 40, 90, 3 * A_MINUTE, AN_HOUR, 8 * AN_HOUR, 2 * A_DAY]))
    def time_passes(self, seconds: int) -> None:
        self.world.clock.shift(seconds)

    # What happens while the portal waits for an answer of Stripe

    @rule(moment=a_moment, what=st.sampled_from(["events", "work", "return", "submit"]), number=a_person)
    def something_will_happen_during_a_call(self, moment: str, what: str, number: int) -> None:
        actions: dict[str, Callable[[], Any]] = {
            "events": self.world.simulator.deliver_due,
            "work": self.world.work_and_maintain,
            "return": self.person(number).return_to_portal,
            "submit": self.person(number).submit_form,
        }
        self._plan(moment, actions[what])

    @rule(
        number=a_number,
        moment=a_moment,
        skip=st.integers(0, 2),
        first=an_action,
        second=an_action,
        is_slow=st.booleans(),
    )
    def a_change_overtakes_a_worker(
        self, number: int, moment: str, skip: int, first: str, second: str, *, is_slow: bool
    ) -> None:
        """While a worker calls Stripe, something changes there and another worker hears of it."""
        if session_id := self.session_id(number):
            dashboard.act(self.world.simulator, session_id, first)
            self.world.simulator.deliver_due()
            self._plan(moment, lambda: self._overtake(session_id, second, is_slow=is_slow), skip)
            self.world.work_and_maintain()

    def _overtake(self, session_id: str, action: str, *, is_slow: bool) -> None:
        dashboard.act(self.world.simulator, session_id, action)
        self.world.simulator.deliver_due()
        if is_slow:
            self.world.clock.shift(40)  # longer than a lease lasts
        self.world.work_and_maintain()

    def _plan(self, moment: str, action: Callable[[], object], skip: int = 0) -> None:
        plan = self.calls.before if moment == "before" else self.calls.after
        plan("*", elsewhere(action), skip=skip)

    # How a story ends

    def teardown(self) -> None:
        """Let the story end, and compare the portal with Stripe."""
        try:
            if hasattr(self, "world"):
                self.calls.cancel()
                self.end()
                self._check()
        finally:
            self.stack.close()

    def end(self) -> None:
        """Every event comes at last, and a few minutes pass."""
        self.world.simulator.fault_settings.reset()
        self.world.answers_to_lose = 0
        for event_id in list(self.world.simulator.store.events):
            self.world.simulator.replay_event(event_id)
        self.world.live_through(timedelta(minutes=6))

    def _check(self) -> None:
        verdict = self.world.compare()
        with self.world.app.app_context():
            stored = set(db.session().scalars(sa.select(Event.id)))
            known = set(db.session().scalars(sa.select(CheckoutSession.stripe_session_id)))
        assert verdict, str(verdict)
        assert stored >= self.world.acknowledged
        assert not self.world.broken_promises
        assert known >= set(self.world.session_ids)


class TroubledStory(Story):
    """The same, and Stripe, the network, the endpoint and the workers fail as well."""

    @rule(kind=st.sampled_from(FAULTS), route=st.sampled_from(ROUTES), times=st.sampled_from([1, 2, 5]))
    def calls_will_fail(self, kind: str, route: str, times: int) -> None:
        self.world.simulator.faults.add(kind, route, times, seconds=0)

    @rule(outage=st.sampled_from(["", "", "", "", "503", "reset", "timeout"]))
    def stripe_is_away_or_back(self, outage: str) -> None:
        self.world.simulator.fault_settings.change({"outage": outage})

    @rule(revoked=st.sampled_from([False, False, False, True]))
    def the_key_is_revoked_or_restored(self, *, revoked: bool) -> None:
        revoke_key(self.world.simulator.store, DEFAULT_API_KEY, revoked=revoked)

    @rule(damage=st.sampled_from(dashboard.DAMAGES))
    def the_endpoint_is_damaged(self, damage: str) -> None:
        self.world.damage_webhooks(damage)

    @rule()
    def an_operator_repairs(self) -> None:
        with suppress(AppError):  # impossible while Stripe is away or refuses the key
            self.world.repair()

    @rule(setting=st.sampled_from(["wrong_secret", "stale", "wrong_livemode", "drop_all"]))
    def events_come_wrongly(self, setting: str) -> None:
        self.world.simulator.fault_settings.change({setting: True})
        self.world.simulator.deliver_due()
        self.world.simulator.fault_settings.change({setting: False})

    @rule(share=st.sampled_from([0, 0.5, 1]))
    def events_are_lost(self, share: float) -> None:
        self.world.lose_some_events(share)

    @rule()
    def a_worker_dies(self) -> None:
        self.world.lose_a_worker()

    @rule(seconds=st.sampled_from([0, A_MINUTE, 5 * A_MINUTE]))
    def the_list_of_events_lags_from_now_on(self, seconds: int) -> None:
        self.world.simulator.fault_settings.change({"event_lag": seconds})

    @rule()
    def the_list_of_events_is_read(self) -> None:
        self.world.backfill()

    def end(self) -> None:
        """The trouble ends, everybody finishes, and a week passes."""
        self.world.heal()
