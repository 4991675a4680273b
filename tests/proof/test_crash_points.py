"""A process that is killed at any moment loses nothing and doubles nothing.

First everything runs once, and the process notes its crash points: before and after each call to Stripe,
each commit and each answer. Then it runs again for every point and is killed there. People and programs try
again, Stripe delivers again, another process takes over. At the end the portal and Stripe must hold the
same.
"""

import random
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
import requests

from app.payers.reserve import COMPLETE_AFTER
from tests.proof.conftest import MakeKillable
from tests.proof.killable import KillablePortal
from tests.proof.network_people import JSON, NetworkPerson
from tests.proof.portal_process import CrashPoint
from tests.support.people import CARDS
from tests.support.tokens import bearer

SAVED = "Your payment method is saved"
BACKFILL_INTERVAL = timedelta(seconds=1000)  # a little longer than the setting's default
RUNS_IN_ONE_WORLD = 20
MAX_TIMES = 3  # a run dies when it reaches one point for the first, the second … time, at most so often

pytestmark = [pytest.mark.proof, pytest.mark.timeout(3600)]


def onboard_by_form(portal: KillablePortal) -> NetworkPerson:
    """Somebody signs up, is declined, starts again on a new Stripe page, saves a card and returns."""
    person = portal.person()
    person.sign_up()
    person.save_card(CARDS["declined"])
    portal.simulator.expire_session(person.session_id)
    portal.wait_until_agreed()
    before = sessions_at_stripe(portal, person)
    person.resume()
    assert sessions_at_stripe(portal, person) == before + 1
    person.save_card()
    portal.wait_until(lambda: person.return_to_portal() == SAVED, lambda: str(person.headings))
    portal.simulator.attach_card(stripe_customer_of(portal, person), CARDS["other"], default=True)
    portal.wait_until_agreed()
    person.close()
    return person


def onboard_by_api(portal: KillablePortal, headers: dict[str, str]) -> None:
    """A program makes customers and checkout sessions, each under one key until it works; cards are saved."""
    person = portal.person()

    def send_until_done(path: str, body: JSON) -> JSON:
        answers: list[requests.Response] = []
        with_key = headers | {"Idempotency-Key": f"{person.name} {path}"}

        def is_done() -> bool:
            try:
                answers.append(
                    requests.post(f"{person.portal}/api/v1{path}", json=body, headers=with_key, timeout=30)
                )
            except requests.RequestException:
                return False
            return answers[-1].status_code == 201

        portal.wait_until(is_done, lambda: str([answer.text for answer in answers]))
        result: JSON = answers[-1].json()
        return result

    customer = send_until_done("/customers", {"name": person.name, "key": person.name})
    options = {"successUrl": "https://example.com/", "currency": "USD"}
    body = {"customer": {"id": customer["id"]}, "options": options}
    first = send_until_done("/stripe/checkout/sessions", body)["sessionId"]
    body = {"customer": {"name": person.name + "+", "key": person.name + "+"}, "options": options}
    second = send_until_done("/stripe/checkout/sessions?with-customer", body)["sessionId"]
    for session_id in (first, second):
        portal.simulator.save_card(session_id, CARDS["challenged"])
        portal.simulator.authenticate(session_id)
    portal.wait_until_agreed()


def find_lost_events(portal: KillablePortal, person: NetworkPerson, dies_at: CrashPoint | None) -> None:
    """Events of a change get lost; after a while the worker finds them in Stripe's list of events."""
    portal.simulator.fault_settings.change({"drop_all": True})
    customer = stripe_customer_of(portal, person)
    portal.simulator.choose_default(customer, portal.simulator.attach_card(customer))
    portal.simulator.deliver_due()
    portal.clock.shift(BACKFILL_INTERVAL)
    portal.restart(dies_at)
    portal.wait_until_agreed()
    portal.simulator.fault_settings.change({"drop_all": False})


def run_once(portal: KillablePortal, dies_at: CrashPoint | None, headers: dict[str, str]) -> None:
    """Do all of it, with a process that is killed at that point."""
    portal.restart(dies_at)
    person = onboard_by_form(portal)
    onboard_by_api(portal, headers)
    find_lost_events(portal, person, dies_at)


def find_crash_points(portal: KillablePortal, headers: dict[str, str]) -> list[CrashPoint]:
    """Every crash point of one run, for each time that the run reaches it."""
    portal.take_points()
    run_once(portal, None, headers)
    return [
        CrashPoint(label, time)
        for label, number in sorted(portal.take_points().items())
        for time in range(1, min(number, MAX_TIMES) + 1)
    ]


def sessions_at_stripe(portal: KillablePortal, person: NetworkPerson) -> int:
    """How many checkout sessions Stripe has for a person."""
    customer = stripe_customer_of(portal, person)
    store = portal.simulator.store
    return sum(session["customer"] == customer for session in store.checkout_sessions.snapshot())


def stripe_customer_of(portal: KillablePortal, person: NetworkPerson) -> str:
    """The Stripe customer of a person, cus_…."""
    return str(portal.simulator.store.checkout_sessions[person.session_id]["customer"])


def test_dies_at_some_points(portal: KillablePortal) -> None:
    headers = bearer(portal.app)
    points = find_crash_points(portal, headers)
    while_receiving = [point for point in points if "webhook" in point.label]
    while_reading_the_list = [point for point in points if "/v1/events" in point.label]

    for chosen in (points, points, while_receiving, while_reading_the_list):
        run_once(portal, random.choice(chosen), headers)  # noqa: S311 - no secret

    assert portal.deaths >= 2  # a run does not reach every point as often as the one before
    assert len(points) >= 40


def test_somebody_whose_sign_up_was_stored_reaches_stripe_without_coming_back(portal: KillablePortal) -> None:
    portal.restart(CrashPoint("after commit in signup.actions._create"))
    person = portal.person()

    answer = person.send_form()

    portal.wait_until(lambda: portal.deaths > 0, lambda: "it lived on")
    portal.clock.shift(COMPLETE_AFTER * 2)
    portal.restart()
    portal.wait_until(lambda: bool(portal.simulator.store.customers), lambda: "Stripe never heard of them")
    portal.wait_until_agreed()
    assert answer is None
    assert [each["name"] for each in portal.simulator.store.customers.snapshot()] == [f"{person.name} Ltd"]
    person.close()


@pytest.mark.long
@pytest.mark.timeout(0)
def test_dies_at_every_point(portal: KillablePortal, capsys: pytest.CaptureFixture[str]) -> None:
    headers = bearer(portal.app)
    for point in find_crash_points(portal, headers):
        before = portal.deaths
        run_once(portal, point, headers)
        with capsys.disabled():
            print("died" if portal.deaths > before else "lived on", point.label, point.time)  # noqa: T201


def run_under_load(portal: KillablePortal) -> None:
    """Eight people sign up and save a card while the process is killed once or more often."""
    with ThreadPoolExecutor(4) as crowd:
        busy = [crowd.submit(onboard_quickly, portal) for _ in range(8)]
        for _ in range(random.choice([1, 1, 2, 6])):  # noqa: S311 - no secret
            if not all(one.done() for one in busy):
                portal.kill_soon()
        for one in busy:
            one.result()
    portal.wait_until_agreed()


def onboard_quickly(portal: KillablePortal) -> None:
    """Somebody signs up, saves a card and returns."""
    person = portal.person()
    person.sign_up()
    person.save_card()
    person.return_to_portal()
    person.close()


def test_is_killed_at_random_under_load(portal: KillablePortal) -> None:
    for _ in range(2):
        run_under_load(portal)


@pytest.mark.long
@pytest.mark.timeout(0)
def test_is_killed_at_random_very_often(
    make_killable: MakeKillable, proof_runs: int, capsys: pytest.CaptureFixture[str]
) -> None:
    done = deaths = 0
    while done < proof_runs:
        with make_killable() as portal:  # a new world now and then: a full store takes long to compare
            for _ in range(min(RUNS_IN_ONE_WORLD, proof_runs - done)):
                run_under_load(portal)
                done += 1
            deaths += portal.deaths
        with capsys.disabled():
            print(f"{done} runs, killed {deaths} times")  # noqa: T201
