"""A process killed at any labelled point, or at random under load, loses nothing and doubles nothing."""

import random
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from tests.proof.conftest import Haunt
from tests.proof.haunted import Haunted
from tests.proof.mortal import Doom
from tests.proof.travellers import JSON, Traveller
from tests.support.tokens import bearer

DECLINED = "4000000000000002"
CHALLENGED = "4000002500003155"
SAVED = "Your payment method is saved"
IN_ONE_WORLD = 20  # runs
AT_MOST = 3  # times that a run dies at the first, the second … coming to one point

pytestmark = pytest.mark.timeout(300)


def onboarding(haunted: Haunted) -> None:
    """Somebody signs up, is declined, saves, returns; then another card is chosen at the Dashboard."""
    person = haunted.comes()
    person.signs_up()
    person.saves(DECLINED)
    person.goes_on()
    person.saves()
    haunted.until(lambda: person.returns() == SAVED, lambda: str(person.said))
    customer = haunted.simulator.books.checkout_sessions[person.page_id]["customer"]
    haunted.simulator.attach_card(customer, "5555555555554444", default=True)
    haunted.agrees_at_last()
    person.closes()


def by_program(haunted: Haunted, headers: dict[str, str]) -> None:
    """A program makes customers and has pages opened, however often it must ask; somebody saves."""
    person = haunted.comes()

    def done_at_last(path: str, body: JSON) -> JSON:
        """Send the same request, under one key, until it is answered well."""
        answers: list[requests.Response] = []
        once = headers | {"Idempotency-Key": f"{person.name} {path}"}

        def is_done() -> bool:
            try:
                answers.append(
                    requests.post(f"{person.portal}/api/v1{path}", json=body, headers=once, timeout=30)
                )
            except requests.RequestException:
                return False
            return answers[-1].status_code == 201

        haunted.until(is_done, lambda: str([answer.text for answer in answers]))
        told: JSON = answers[-1].json()
        return told

    made = done_at_last("/customers", {"name": person.name, "key": person.name})
    options = {"successUrl": "https://example.com/", "currency": "USD"}
    page = {"customer": {"id": made["id"]}, "options": options}
    page_id = done_at_last("/stripe/checkout/sessions", page)["sessionId"]
    whole = {"customer": {"name": person.name + "+", "key": person.name + "+"}, "options": options}
    other_id = done_at_last("/stripe/checkout/sessions?whole", whole)["sessionId"]
    for opened in (page_id, other_id):
        haunted.simulator.save_card(opened, CHALLENGED)
        haunted.simulator.authenticate(opened)
    haunted.agrees_at_last()


def live_through(haunted: Haunted, doom: Doom | None, headers: dict[str, str]) -> None:
    """One life, which ends at that point, and the next one, in which all is well."""
    haunted.restart(doom)
    onboarding(haunted)
    by_program(haunted, headers)


def every_doom(haunted: Haunted, headers: dict[str, str]) -> list[Doom]:
    """All points that a life comes to, as often as it comes to them."""
    haunted.dooms()
    live_through(haunted, None, headers)
    return [
        Doom(label, time)
        for label, number in sorted(haunted.dooms().items())
        for time in range(1, min(number, AT_MOST) + 1)
    ]


def test_dies_at_some_points(haunted: Haunted) -> None:
    headers = bearer(haunted.app)
    dooms = every_doom(haunted, headers)

    for doom in random.sample(dooms, 4):
        live_through(haunted, doom, headers)

    assert haunted.deaths >= 2  # not every life comes to every point as often as the one before
    assert len(dooms) >= 40


@pytest.mark.proof
@pytest.mark.timeout(0)
def test_dies_at_every_point(haunted: Haunted, capsys: pytest.CaptureFixture[str]) -> None:
    headers = bearer(haunted.app)
    for doom in every_doom(haunted, headers):
        before = haunted.deaths
        live_through(haunted, doom, headers)
        with capsys.disabled():
            print("died" if haunted.deaths > before else "lived on", doom.label, doom.time)  # noqa: T201


def killed_under_load(haunted: Haunted) -> None:
    """Eight people sign up and save while it is killed, once or more often; then all agrees."""
    with ThreadPoolExecutor(4) as crowd:
        busy = [crowd.submit(hurry, haunted) for _ in range(8)]
        for _ in range(random.choice([1, 1, 2, 6])):  # noqa: S311 - no secret
            if not all(one.done() for one in busy):
                haunted.kill_soon()
        for one in busy:
            one.result()
    haunted.agrees_at_last()


def test_is_killed_at_random_under_load(haunted: Haunted) -> None:
    for _ in range(2):
        killed_under_load(haunted)


@pytest.mark.proof
@pytest.mark.timeout(0)
def test_is_killed_at_random_very_often(
    haunt: Haunt, proof_runs: int, capsys: pytest.CaptureFixture[str]
) -> None:
    done = deaths = 0
    while done < proof_runs:
        with haunt() as haunted:  # in full books, it is the judge who takes the time
            for _ in range(min(IN_ONE_WORLD, proof_runs - done)):
                killed_under_load(haunted)
                done += 1
        deaths += haunted.deaths
        with capsys.disabled():
            print(f"{done} runs, killed {deaths} times")  # noqa: T201


def hurry(haunted: Haunted) -> Traveller:
    """Somebody signs up and saves."""
    person = haunted.comes()
    person.signs_up()
    person.saves()
    person.returns()
    person.closes()
    return person
