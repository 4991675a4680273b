"""Everything can happen, in any order: at the end the portal holds what Stripe holds.

`stories.py` has the rules. Here Hypothesis makes stories up from them, and two kinds of story are written
out in full.
"""

from itertools import product

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.proof.conftest import MakeWorld
from tests.proof.stories import A_DAY, A_MINUTE, Story, TroubledStory

pytestmark = [pytest.mark.proof, pytest.mark.timeout(3600)]


@pytest.fixture
def story(make_world: MakeWorld) -> type[Story]:
    """Stories without trouble, in worlds of this test's own."""
    return type("OwnStory", (Story,), {"make_world": staticmethod(make_world)})


@pytest.fixture
def troubled_story(make_world: MakeWorld) -> type[TroubledStory]:
    """Stories with trouble, in worlds of this test's own."""
    return type("OwnTroubledStory", (TroubledStory,), {"make_world": staticmethod(make_world)})


@pytest.mark.parametrize("is_slow", [False, True], ids=["quick", "slow"])
@pytest.mark.parametrize("action", ["choose", "detach", "delete"])
def test_a_change_overtakes_a_worker(action: str, *, is_slow: bool, story: type[Story]) -> None:
    """At each of two calls, before or after Stripe reads it; each time it happens to somebody else."""
    told = story()
    told.begin(currency="EUR", card="good")
    for number, (moment, skip) in enumerate(product(("before", "after"), (0, 1))):
        if number:
            told.somebody_comes("EUR")
            told.a_card_is_typed(number, "good", "12/34")
        told.events_come()
        told.a_worker_does_everything_that_is_due()
        told.calls.cancel()
        for first in ("attach", "renew"):
            told.a_change_overtakes_a_worker(number, moment, skip, first, action, is_slow=is_slow)

    told.teardown()


@pytest.mark.parametrize("seconds", [0, 1200], ids=["at once", "late"])
def test_the_only_event_is_lost(seconds: int, troubled_story: type[TroubledStory]) -> None:
    """It is in Stripe's list at once, or only after younger events were seen there."""
    actions = ("attach", "choose", "unset", "detach", "renew", "delete")  # each happens to somebody else
    told = troubled_story()
    told.begin(currency="EUR", card="good")
    for number, _ in enumerate(actions, start=1):
        told.somebody_comes("USD")
        told.a_card_is_typed(number, "good", "12/34")
    told.events_come()
    told.a_worker_does_everything_that_is_due()
    told.time_passes(A_DAY)
    told.a_worker_does_everything_that_is_due()
    told.the_list_of_events_lags_from_now_on(seconds)
    for number, action in enumerate(actions):
        told.somebody_acts_at_the_dashboard(number, action)
    told.events_are_lost(1)
    told.the_list_of_events_lags_from_now_on(0)
    told.time_passes(5)
    told.somebody_acts_at_the_dashboard(len(actions), "attach")
    told.time_passes(15 * A_MINUTE)  # the list is read after that
    told.a_worker_does_everything_that_is_due()

    told.teardown()


SHORT = settings(
    max_examples=12,
    stateful_step_count=25,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.generate],  # a long run shortens what it finds
    suppress_health_check=list(HealthCheck),
)


def test_every_story_ends_well(story: type[Story]) -> None:
    run_state_machine_as_test(story, settings=SHORT)


def test_every_troubled_story_ends_well(troubled_story: type[TroubledStory]) -> None:
    run_state_machine_as_test(troubled_story, settings=SHORT)


@pytest.mark.long
@pytest.mark.timeout(0)
@pytest.mark.parametrize("kind", ["story", "troubled_story"])
def test_every_long_story_ends_well(kind: str, proof_runs: int, request: pytest.FixtureRequest) -> None:
    run_state_machine_as_test(
        request.getfixturevalue(kind),
        settings=settings(
            max_examples=proof_runs,
            stateful_step_count=60,
            deadline=None,
            print_blob=True,
            suppress_health_check=list(HealthCheck),
        ),
    )
