"""No database transaction is open while Stripe is asked, as PostgreSQL itself sees it."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import sqlalchemy as sa

from app.payers import PaymentStatus
from app.simulator import Simulator
from tests.support.people import Person
from tests.support.world import World

OPEN = sa.text(
    "SELECT state, query FROM pg_stat_activity"
    " WHERE datname = current_database() AND pid <> pg_backend_pid() AND xact_start IS NOT NULL"
)


@pytest.fixture
def seen(database_url: str, simulator: Simulator) -> Iterator[list[list[Any]]]:
    """For each call that reached Stripe, the transactions that were open at that moment."""
    if not database_url.startswith("postgresql"):
        pytest.skip("only PostgreSQL can be asked")
    engine = sa.create_engine(database_url, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
    found: list[list[Any]] = []
    inside = simulator.wsgi.wsgi_app

    def watching(environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
        with engine.connect() as connection:
            found.append([tuple(row) for row in connection.execute(OPEN)])
        return inside(environ, start_response)

    simulator.wsgi.wsgi_app = watching  # type: ignore[method-assign]
    yield found
    engine.dispose()


def test_is_open_during_no_call_of_a_whole_story(seen: list[list[Any]], world: World) -> None:
    person = world.person()
    person.save_card("4000000000000002")
    person.return_to_portal()
    world.simulator.expire_session(person.session_id)
    world.settle()
    person.resume()
    person.save_card()
    world.settle()
    world.simulator.detach_payment_method(str(person.stripe_default))
    world.settle()

    assert person.status == PaymentStatus.REMOVED
    assert len(seen) > 8
    assert not any(seen)


def test_is_open_during_no_call_while_several_work(seen: list[list[Any]], world: World) -> None:
    """The others' short transactions are seen now and then; none of them waits for Stripe."""
    people: list[Person] = [world.person() for _ in range(5)]
    for person in people:
        person.save_card()

    world.settle()

    assert not any(state.startswith("idle in transaction") for open_ones in seen for state, _ in open_ones)
