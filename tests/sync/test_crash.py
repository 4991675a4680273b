"""A process killed between any two steps loses nothing and doubles nothing.

Each test goes through the boundaries of an action one by one: a process of its own does it for somebody new
and is killed there; then the person, Stripe or another worker does what they would do, and all must be right.
"""

from collections.abc import Callable, Iterator
from itertools import count

import pytest
import time_machine
from flask import Flask

from app.config import Settings
from app.customers import Customer
from app.gateway import EVENTS
from app.payers import Payer, PaymentStatus
from app.simulator import Simulator
from app.simulator.server import serve
from app.sync.leases import LEASE
from app.webhooks import Event
from tests.support.browser import Page
from tests.support.killed import Opens, Posts, Tends, Works, killed_at
from tests.support.portal import SignupPage, session_of
from tests.support.rows import Rows
from tests.support.sync_people import Person, World
from tests.support.sync_truth import assert_equal_to_stripe

DECLINED = "4000000000000002"
OVER = LEASE.total_seconds() + 1

pytestmark = pytest.mark.timeout(300)  # dozens of processes, on machines that may be busy


@pytest.fixture
def elsewhere(app: Flask, settings: Settings, simulator: Simulator) -> Iterator[Settings]:
    """The settings of a process of its own: the same database and, over HTTP, the same Stripe."""
    server = serve(simulator, "127.0.0.1", 0)
    yield settings.model_copy(update={"stripe_api_base": server.url})
    server.close()


def cookie_of(person: Person) -> str:
    """What the browser would send."""
    cookie = person.client.get_cookie("gangway")
    assert cookie is not None
    return cookie.value


def each_boundary(attempt: Callable[[int], bool]) -> int:
    """Try with every boundary until none is left to be killed at; how many there were."""
    return next(boundary - 1 for boundary in count(1) if not attempt(boundary))


def test_while_somebody_signs_up(app: Flask, world: World, elsewhere: Settings, rows: Rows) -> None:
    def attempt(boundary: int) -> bool:
        client = app.test_client()
        page = SignupPage(client)
        fields = page.fields(name=f"Nr {boundary}", key=f"nr-{boundary}", subject_keys=[f"nr-{boundary}-1"])
        cookie = client.get_cookie("gangway")
        assert cookie is not None

        was_killed = killed_at(boundary, elsewhere, Posts("/signup", fields, cookie=cookie.value))
        person = Person(app, world.simulator, client, session_of(page.send(fields)))
        person.saves()
        world.settle()

        customers = [customer for customer in rows(Customer) if customer.key == f"nr-{boundary}"]
        assert len(customers) == 1, boundary
        recorded = [payer for payer in rows(Payer) if payer.customer_id == customers[0].id]
        assert [payer.stripe_customer_id for payer in recorded] == [person.stripe_id], boundary
        at_stripe = [
            customer
            for customer in world.simulator.books.customers.snapshot()
            if customer["metadata"]["om_customer_id"] == customers[0].id
        ]
        assert len(at_stripe) == 1, boundary
        assert person.status == PaymentStatus.SAVED, boundary
        assert_equal_to_stripe(person)
        return was_killed

    assert each_boundary(attempt) >= 8
    assert {found.state for found in rows(Event)} <= {"done", "ignored"}


def test_while_an_event_is_received(world: World, elsewhere: Settings, rows: Rows) -> None:
    def attempt(boundary: int) -> bool:
        person = world.person()
        world.lose_events()
        person.saves()
        world.lose_events(lambda kind: kind == "setup_intent.succeeded")
        was_killed = False

        def send(url: str, body: bytes, headers: dict[str, str]) -> int:
            nonlocal was_killed
            path = url.removeprefix("http://127.0.0.1:8000")
            was_killed = killed_at(boundary, elsewhere, Posts(path, body, headers))
            return 0 if was_killed else 200

        usual, world.simulator.send = world.simulator.send, send
        world.simulator.deliver_due()
        world.simulator.send = usual
        world.settle()

        mine = [found for found in rows(Event) if found.payer_id == person.payer.id]
        assert [found.state for found in mine if found.type == "setup_intent.succeeded"] == ["done"], boundary
        assert_equal_to_stripe(person)
        return was_killed

    assert each_boundary(attempt) >= 4


def test_after_an_event_was_answered(
    world: World, elsewhere: Settings, rows: Rows, clock: time_machine.Traveller
) -> None:
    """Killed at the last boundary of all, when the event is stored: no other delivery is needed."""
    person = world.person()
    person.saves()
    world.simulator.deliver_due()
    world.lose_events()
    stored = {found.id for found in rows(Event)}

    def attempt(boundary: int) -> bool:
        was_killed = killed_at(boundary, elsewhere, Works())
        if was_killed and boundary == 1:
            assert {found.id for found in rows(Event) if found.state == "new"} == stored
        return was_killed

    each_boundary(attempt)
    clock.shift(OVER)
    world.settle()

    assert stored <= {found.id for found in rows(Event)}
    assert {found.state for found in rows(Event)} == {"done"}
    assert_equal_to_stripe(person)


@pytest.mark.parametrize("number", ["4242424242424242", DECLINED])
def test_while_the_worker_converges(
    number: str, world: World, elsewhere: Settings, rows: Rows, clock: time_machine.Traveller
) -> None:
    def attempt(boundary: int) -> bool:
        person = world.person()
        person.saves(number)
        world.simulator.deliver_due()
        if number == DECLINED:  # which is looked at some seconds after the event was sorted
            world.work()
            clock.shift(6)

        was_killed = killed_at(boundary, elsewhere, Works())
        clock.shift(OVER)
        world.settle()

        mine = [found for found in rows(Event) if found.payer_id == person.payer.id]
        assert {found.state for found in mine} == {"done"}, boundary
        assert person.payer.lease is None, boundary
        assert_equal_to_stripe(person)
        if number == DECLINED:  # or the next process would look after this one as well, and the next …
            person.saves()
            world.simulator.deliver_due()
            world.settle()
        return was_killed

    assert each_boundary(attempt) >= 8


def test_while_the_event_list_is_walked_through(
    world: World, elsewhere: Settings, rows: Rows, clock: time_machine.Traveller
) -> None:
    world.simulator.knobs.drop_all = True

    def attempt(boundary: int) -> bool:
        person = world.person()
        person.saves()
        events = world.simulator.books.events.snapshot()

        clock.shift(1000)  # it is time for another look
        was_killed = killed_at(boundary, elsewhere, Tends())
        clock.shift(1000)
        listed = {found["id"] for found in events if found["type"] in EVENTS}
        world.tend()
        world.work()

        assert {found.id for found in rows(Event)} == listed, boundary
        assert {found.state for found in rows(Event)} == {"done"}, boundary
        assert_equal_to_stripe(person)
        return was_killed

    assert each_boundary(attempt) >= 8


def test_while_somebody_returns(world: World, elsewhere: Settings, clock: time_machine.Traveller) -> None:
    def attempt(boundary: int) -> bool:
        person = world.person()
        person.saves()
        world.lose_events()

        was_killed = killed_at(boundary, elsewhere, Opens("/return", cookie_of(person)))
        clock.shift(OVER)
        answer = person.returns()

        assert "4242" in answer.get_data(as_text=True), boundary
        assert person.payer.lease is None, boundary
        assert_equal_to_stripe(person)
        return was_killed

    assert each_boundary(attempt) >= 8


def test_while_somebody_goes_on_with_a_new_page(
    world: World, elsewhere: Settings, clock: time_machine.Traveller
) -> None:
    def attempt(boundary: int) -> bool:
        person = world.person()
        world.simulator.expire_session(person.page_id)
        world.settle()
        fields = resume_fields(person)

        was_killed = killed_at(boundary, elsewhere, Posts("/resume", fields, cookie=cookie_of(person)))
        clock.shift(OVER)
        person.page_id = session_of(person.client.post("/resume", data=fields))
        person.saves()
        world.settle()

        assert len(person.pages) == 2, boundary
        at_stripe = [
            page
            for page in world.simulator.books.checkout_sessions.snapshot()
            if page["customer"] == person.stripe_id
        ]
        assert len(at_stripe) == 2, boundary
        assert_equal_to_stripe(person)
        return was_killed

    assert each_boundary(attempt) >= 6


def resume_fields(person: Person) -> dict[str, str]:
    """The hidden fields of the button that leads on."""
    form = Page.of(person.client.get("/cancelled")).one("form", action="/resume")
    return {element["name"]: str(element.get("value")) for element in form.all("input")}
