"""Who takes part in a run of chaos, and what they do."""

import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial

from tests.proof.chaos_report import Report
from tests.proof.network_people import GaveUp, NetworkPerson
from tests.proof.network_staff import NetworkOperator, NetworkProgram
from tests.support.people import CARDS

_random = random.SystemRandom()


@dataclass
class Crowd:
    """Everybody who takes part."""

    portal: str
    patience: float
    program: NetworkProgram
    operator: NetworkOperator
    people: list[NetworkPerson] = field(default_factory=list)  # who go on until they are at Stripe

    def visitor(self, name: str) -> NetworkPerson:
        """Somebody new."""
        return NetworkPerson(self.portal, name, self.patience)


def let_everybody_act(crowd: Crowd, report: Report, *, people: int, at_once: int) -> None:
    """Let people, programs and an operator act, some of them at the same time.

    For each sixth person a program acts, too. Another sixth sends the form once and never comes back.
    """
    crowd.people = [crowd.visitor(f"person-{number}") for number in range(people)]
    others = range(people // 6)
    leavers = [crowd.visitor(f"leaver-{number}") for number in others]
    acts = [
        *(partial(_onboard, person, crowd) for person in crowd.people),
        *(partial(_send_form_and_leave, person) for person in leavers),
        *(partial(_onboard_by_program, f"program-{number}", crowd) for number in others),
    ]
    _random.shuffle(acts)
    with ThreadPoolExecutor(at_once) as threads:
        report.gave_up += [problem for problem in threads.map(_act, acts) if problem]
    report.numbers["defaults chosen by programs"] = len(crowd.program.chosen)
    report.numbers["customers edited"] = len(crowd.operator.edited)
    report.numbers["people who left"] = len(leavers)


def _act(act: Callable[[], None]) -> str | None:
    try:
        act()
    except GaveUp as problem:
        return str(problem)
    return None


def _onboard(person: NetworkPerson, crowd: Crowd) -> None:
    """Somebody signs up, mostly saves a card in one way or another, and may return or be edited."""
    try:
        person.sign_up()
        if _random.random() < 0.3:
            person.save_card(CARDS["declined"])
        if _random.random() < 0.2:
            person.resume()
        if _random.random() < 0.3:
            crowd.operator.edit(crowd.program.find(person.name))
        if _random.random() < 0.9:
            person.save_card(_random.choice([CARDS["good"], CARDS["good"], CARDS["challenged"]]))
        if _random.random() < 0.7:
            person.return_to_portal()
    finally:
        person.close()


def _send_form_and_leave(person: NetworkPerson) -> None:
    person.send_form()
    person.close()


def _onboard_by_program(name: str, crowd: Crowd) -> None:
    customer_id = crowd.program.onboard(name)
    if _random.random() < 0.5:
        crowd.operator.edit(customer_id)
