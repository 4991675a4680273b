"""Everything that can happen, in any order: at the end we hold what Stripe holds.

Hypothesis makes the stories up. Portal and Stripe run in one process; people sign up, save, fail, come back
and give up; somebody works at Stripe's Dashboard; events come late, twice, wrongly signed or never; Stripe
fails or is away; workers die. Then all is healed, time passes, and every row is compared with Stripe's books.
"""

from collections.abc import Callable
from contextlib import ExitStack, suppress
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)

from app import db
from app.checkout import CheckoutSession
from app.errors import AppError
from app.simulator import DEFAULT_API_KEY, accounts
from app.simulator.knobs import FAULTS
from app.webhooks import Event
from tests.proof.conftest import MakeWorld
from tests.proof.people import CARDS, Interruption, Visitor, World
from tests.proof.truth import compare

MOST = 5  # people in one story
ROUTES = (
    "*",
    "POST /v1/customers",
    "POST /v1/customers/*",
    "GET /v1/customers/*",
    "POST /v1/checkout/sessions",
    "GET /v1/checkout/sessions/*",
    "GET /v1/events",
)
who = st.integers(0, MOST - 1)
which = st.integers(0, 4 * MOST)
deeds = st.sampled_from(["expire", "attach", "choose", "detach", "renew", "age", "delete"])
moments = st.sampled_from(["before", "after"])
BANKS = {"EUR": "sepa_debit", "USD": "us_bank_account", "GBP": "bacs_debit"}
A_MINUTE, AN_HOUR, A_DAY = 60, 3600, 24 * 3600


class Story(RuleBasedStateMachine):
    """One story."""

    make_world: MakeWorld

    def __init__(self) -> None:
        super().__init__()
        self.stack = ExitStack()
        self.world: World = self.stack.enter_context(
            type(self).make_world(verify_days=365)  # which would only hide what went wrong
        )

    def visitor(self, number: int) -> Visitor:
        """One of those who are there."""
        return self.world.visitors[number % len(self.world.visitors)]

    def page(self, number: int) -> str | None:
        """One of the pages of Stripe's (cs_…) to which somebody was led."""
        pages = self.world.pages
        return pages[number % len(pages)] if pages else None

    # What people do

    @initialize(currency=st.sampled_from(sorted(BANKS)), card=st.sampled_from(["", *sorted(CARDS)]))
    def somebody_comes_first(self, currency: str, card: str) -> None:
        visitor = self.world.comes(currency)
        visitor.signs_up()
        if card and visitor.page_id:
            self.world.simulator.save_card(visitor.page_id, CARDS[card])

    @precondition(lambda self: len(self.world.visitors) < MOST)
    @rule(currency=st.sampled_from(sorted(BANKS)))
    def somebody_comes(self, currency: str) -> None:
        self.world.comes(currency).signs_up()

    @rule(number=who)
    def the_form_is_sent_again(self, number: int) -> None:
        self.visitor(number).signs_up()

    @rule(number=who)
    def the_form_is_opened_anew(self, number: int) -> None:
        self.visitor(number).starts_over()

    @rule(number=which, card=st.sampled_from(sorted(CARDS)), expiry=st.sampled_from(["12/34", "03/31"]))
    def a_card_is_typed(self, number: int, card: str, expiry: str) -> None:
        if page := self.page(number):
            self.world.simulator.save_card(page, CARDS[card], expiry=expiry)

    @rule(number=which, ok=st.booleans())
    def a_challenge_is_answered(self, number: int, *, ok: bool) -> None:
        if page := self.page(number):
            self.world.simulator.authenticate(page, ok=ok)

    @rule(number=which, verify=st.sampled_from(["now", "later"]))
    def a_bank_account_is_typed(self, number: int, verify: str) -> None:
        if page := self.page(number):
            currency = self.world.simulator.books.checkout_sessions[page]["currency"]
            self.world.simulator.pay_by_bank(page, BANKS[currency.upper()], verify=verify)

    @rule(number=which, ok=st.booleans())
    def deposits_are_verified(self, number: int, *, ok: bool) -> None:
        if page := self.page(number):
            self.world.simulator.verify_microdeposits(page, ok=ok)

    @rule(number=who)
    def somebody_returns(self, number: int) -> None:
        self.visitor(number).returns()

    @rule(number=who)
    def somebody_goes_on(self, number: int) -> None:
        self.visitor(number).goes_on()

    @rule(number=who, reader=who)
    def a_link_is_sent_and_followed(self, number: int, reader: int) -> None:
        if link := self.world.link(number):
            self.visitor(reader).follows(link)

    # What programs do

    @rule(number=st.integers(0, 1), repeats=st.booleans())
    def a_program_has_a_page_opened(self, number: int, *, repeats: bool) -> None:
        while number >= len(self.world.programs):
            self.world.program()
        self.world.programs[number].opens_a_page(repeats=repeats)

    @precondition(lambda self: any(program.pages for program in self.world.programs))
    @rule(number=which, takes_back=st.booleans())
    def a_program_chooses_a_method(self, number: int, *, takes_back: bool) -> None:
        books = self.world.simulator.books
        program = next(program for program in self.world.programs if program.pages)
        customer = books.checkout_sessions[program.pages[-1]]["customer"]
        methods = [
            method["id"] for method in books.payment_methods.values() if method["customer"] == customer
        ]
        chosen = None if takes_back or not methods else methods[number % len(methods)]
        program.chooses(customer, chosen)

    @precondition(lambda self: any(program.pages for program in self.world.programs))
    @rule(number=which, again=st.booleans())
    def a_program_binds_another_stripe_customer(self, number: int, *, again: bool) -> None:
        program = next(program for program in self.world.programs if program.pages)
        page = self.page(number)
        if again and page:  # whom it had, or has, or who is somebody else's
            program.binds(self.world.simulator.books.checkout_sessions[page]["customer"])
        else:
            program.binds(self.world.stripe_customer_of_old())

    @precondition(lambda self: any(program.pages for program in self.world.programs))
    @rule()
    def a_program_lets_go_of_its_stripe_customer(self) -> None:
        next(program for program in self.world.programs if program.pages).unbinds(self.world.app_id())

    @precondition(lambda self: any(program.pages for program in self.world.programs))
    @rule()
    def a_program_deletes_its_customer(self) -> None:
        next(program for program in self.world.programs if program.pages).deletes()

    # What happens at Stripe

    @rule(
        number=which, deed=st.sampled_from(["expire", "attach", "choose", "detach", "renew", "age", "delete"])
    )
    def somebody_works_at_the_dashboard(self, number: int, deed: str) -> None:
        if page := self.page(number):
            self.world.at_the_dashboard(page, deed)

    @rule(status=st.sampled_from(["active", "inactive"]), which=st.integers(0, 3))
    def the_bank_settles_a_mandate(self, status: str, which: int) -> None:
        mandates = list(self.world.simulator.books.mandates)
        if mandates:
            self.world.simulator.settle_mandate(mandates[which % len(mandates)], status)

    @rule(kind=st.sampled_from(FAULTS), route=st.sampled_from(ROUTES), times=st.sampled_from([1, 2, 5]))
    def calls_will_fail(self, kind: str, route: str, times: int) -> None:
        self.world.simulator.faults.add(kind, route, times, seconds=0)

    @rule(outage=st.sampled_from(["", "", "", "", "503", "reset", "timeout"]))
    def stripe_is_away_or_back(self, outage: str) -> None:
        self.world.simulator.knobs.change({"outage": outage})

    @rule(revoked=st.sampled_from([False, False, False, True]))
    def the_key_is_revoked_or_restored(self, *, revoked: bool) -> None:
        accounts.revoke_key(self.world.simulator.books, DEFAULT_API_KEY, revoked=revoked)

    @rule(how=st.sampled_from(["disable", "delete", "move", "roll", "roll slowly"]))
    def the_endpoint_is_tampered_with(self, how: str) -> None:
        self.world.webhooks_break(how)

    @rule()
    def an_operator_repairs(self) -> None:
        with suppress(AppError):  # while Stripe is away or shuts us out, it can't be done
            self.world.repair()

    @rule(number=which)
    def an_operator_checks(self, number: int) -> None:
        self.world.checks(number)

    # What becomes of events

    @rule()
    def events_come(self) -> None:
        self.world.simulator.deliver_due()

    @rule(which=st.integers(0, 9))
    def one_event_comes(self, which: int) -> None:
        waiting = list(self.world.simulator.books.deliveries)
        if waiting:
            self.world.simulator.deliveries.deliver([waiting[which % len(waiting)]])

    @rule(which=st.integers(0, 99))
    def an_event_comes_once_more(self, which: int) -> None:
        events = list(self.world.simulator.books.events)
        self.world.simulator.replay_event(events[which % len(events)])

    @rule(knob=st.sampled_from(["wrong_secret", "stale", "wrong_livemode", "drop_all"]))
    def events_come_wrongly(self, knob: str) -> None:
        self.world.simulator.knobs.change({knob: True})
        self.world.simulator.deliver_due()
        self.world.simulator.knobs.change({knob: False})

    @rule(share=st.sampled_from([0, 0.5, 1]))
    def events_are_lost(self, share: float) -> None:
        self.world.lose_events(share)

    # What workers do

    @rule()
    def a_worker_does_one_thing(self) -> None:
        self.world.turn()

    @rule()
    def a_worker_does_all_that_is_due(self) -> None:
        self.world.work()

    @rule()
    def a_worker_dies(self) -> None:
        self.world.lose_a_worker()

    @rule(seconds=st.sampled_from([0, A_MINUTE, 5 * A_MINUTE]))
    def the_list_of_events_lags_from_now_on(self, seconds: int) -> None:
        self.world.simulator.knobs.change({"event_lag": seconds})

    @rule()
    def we_look_at_the_list_of_events(self) -> None:
        self.world.backfill()

    @rule(seconds=st.sampled_from([5, 40, 3 * A_MINUTE, AN_HOUR, 8 * AN_HOUR, 2 * A_DAY]))
    def time_passes(self, seconds: int) -> None:
        self.world.clock.shift(seconds)

    @rule(when=moments, what=st.sampled_from(["events", "work", "return", "press"]), number=who)
    def something_will_happen_while_stripe_is_asked(self, when: str, what: str, number: int) -> None:
        acts: dict[str, Callable[[], Any]] = {
            "events": self.world.simulator.deliver_due,
            "work": self.world.work,
            "return": self.visitor(number).returns,
            "press": self.visitor(number).signs_up,
        }
        self.world.interruptions.waiting.append(Interruption(when, acts[what]))

    @rule(number=which, when=moments, skip=st.integers(0, 2), first=deeds, second=deeds, slow=st.booleans())
    def a_change_overtakes_a_worker(
        self, number: int, when: str, skip: int, first: str, second: str, *, slow: bool
    ) -> None:
        if page := self.page(number):
            self.world.at_the_dashboard(page, first)
            self.world.simulator.deliver_due()
            overtaking = Interruption(when, lambda: self._overtakes(page, second, slow=slow), skip)
            self.world.interruptions.waiting.append(overtaking)
            self.world.work()

    def _overtakes(self, page: str, deed: str, *, slow: bool) -> None:
        """While a worker asks, something changes, and another worker hears of it."""
        self.world.at_the_dashboard(page, deed)
        self.world.simulator.deliver_due()
        if slow:
            self.world.clock.shift(40)  # longer than a lease lasts
        self.world.work()

    def teardown(self) -> None:
        try:
            self.world.heal()
            with self.world.app.app_context():
                verdict = compare(db.session(), self.world.simulator.books)
                stored = set(db.session().scalars(sa.select(Event.id)))
                known = set(db.session().scalars(sa.select(CheckoutSession.id)))
            assert verdict, str(verdict)
            assert stored >= self.world.acknowledged
            assert not self.world.broken_promises
            assert known >= set(self.world.pages)
        finally:
            self.stack.close()


@pytest.fixture
def tell(make_world: MakeWorld) -> type[Story]:
    """Stories in worlds of this test's own."""
    return type("Told", (Story,), {"make_world": staticmethod(make_world)})


@pytest.mark.parametrize("slow", [False, True], ids=["quick", "slow"])
@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("skip", [0, 1])
@pytest.mark.parametrize("deed", ["choose", "detach", "delete"])
def test_a_change_overtakes_a_worker(
    *, deed: str, when: str, skip: int, slow: bool, tell: type[Story]
) -> None:
    story = tell()
    story.somebody_comes_first(currency="EUR", card="good")
    story.events_come()
    story.a_worker_does_all_that_is_due()
    for first in ("attach", "renew"):
        story.a_change_overtakes_a_worker(number=0, when=when, skip=skip, first=first, second=deed, slow=slow)

    story.teardown()


@pytest.mark.parametrize("seconds", [0, 1200], ids=["at once", "late"])
@pytest.mark.parametrize("deed", ["attach", "choose", "detach", "renew", "delete"])
def test_the_only_event_is_lost(deed: str, seconds: int, tell: type[Story]) -> None:
    """And stands in the list at once, or only after younger ones were seen there."""
    story = tell()
    story.somebody_comes_first(currency="EUR", card="good")
    story.somebody_comes(currency="USD")
    story.a_card_is_typed(number=1, card="good", expiry="12/34")
    story.events_come()
    story.a_worker_does_all_that_is_due()
    story.time_passes(seconds=A_DAY)
    story.a_worker_does_all_that_is_due()
    story.the_list_of_events_lags_from_now_on(seconds=seconds)
    story.somebody_works_at_the_dashboard(number=0, deed=deed)
    story.events_are_lost(share=1)
    story.the_list_of_events_lags_from_now_on(seconds=0)
    story.time_passes(seconds=5)
    story.somebody_works_at_the_dashboard(number=1, deed="attach")
    story.time_passes(seconds=15 * A_MINUTE)  # after which the list is looked at
    story.a_worker_does_all_that_is_due()

    story.teardown()


@pytest.mark.timeout(300)
def test_every_story_ends_well(tell: type[Story]) -> None:
    run_state_machine_as_test(
        tell,
        settings=settings(
            max_examples=12,
            stateful_step_count=25,
            deadline=None,
            derandomize=True,
            database=None,
            phases=[Phase.generate],  # a long run shortens what it finds
            suppress_health_check=list(HealthCheck),
        ),
    )


@pytest.mark.proof
@pytest.mark.timeout(0)
def test_every_long_story_ends_well(tell: type[Story], proof_runs: int) -> None:
    run_state_machine_as_test(
        tell,
        settings=settings(
            max_examples=proof_runs,
            stateful_step_count=60,
            deadline=None,
            print_blob=True,
            suppress_health_check=list(HealthCheck),
        ),
    )
