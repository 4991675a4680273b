"""On PostgreSQL a test gets the connection of an earlier one, and nothing that was done in that."""

from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from tests.support import postgres
from tests.support.lasting import LastingConnections

STATE = """
SELECT current_setting('statement_timeout'), current_user::text,
       (SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()),
       (SELECT count(*) FROM pg_class WHERE relname = 'left_behind'),
       (SELECT count(*) FROM pg_prepared_statements WHERE name = 'left_behind')
"""


@pytest.fixture
def lasting(server: postgres.Server | None) -> Iterator[LastingConnections]:
    """Connections of this test's own."""
    if server is None:
        pytest.skip("only a server has sessions")
    connections = LastingConnections()
    yield connections
    connections.close()


@pytest.fixture
def engines(lasting: LastingConnections, server: postgres.Server) -> Iterator[tuple[sa.Engine, sa.Engine]]:
    """The engine of one test, and that of the next."""
    made = sa.create_engine(server.url), sa.create_engine(server.url)
    for engine in made:
        lasting.lend_to(engine)
    yield made
    for engine in made:
        engine.dispose()


def _pid(engine: sa.Engine) -> int:
    with engine.connect() as connection:
        return int(connection.scalar(sa.text("SELECT pg_backend_pid()")) or 0)


def test_lasts_without_what_was_set_taken_or_made(engines: tuple[sa.Engine, sa.Engine]) -> None:
    first, second = engines
    with second.connect() as connection:
        fresh = connection.execute(sa.text(STATE)).one()
    second.dispose()
    with first.connect() as connection:
        for statement in (
            "SET statement_timeout = '7min'",
            "SET ROLE pg_monitor",
            "SELECT pg_advisory_lock(13)",
            "CREATE TEMPORARY TABLE left_behind (id int)",
            "PREPARE left_behind AS SELECT 1",
        ):
            connection.execute(sa.text(statement))
        connection.commit()
    pid = _pid(first)
    first.dispose()

    assert _pid(second) == pid
    with second.connect() as connection:
        assert connection.execute(sa.text(STATE)).one() == fresh


def test_one_that_waited_for_notices_does_not_last(engines: tuple[sa.Engine, sa.Engine]) -> None:
    first, second = engines
    pid = _pid(first)
    with first.connect() as connection:
        driver = connection.connection.driver_connection
        assert driver is not None
        list(driver.notifies(timeout=0))
    first.dispose()

    assert _pid(second) != pid


def test_one_that_the_server_ended_does_not_last(engines: tuple[sa.Engine, sa.Engine]) -> None:
    first, second = engines
    pid = _pid(first)
    first.dispose()
    with sa.create_engine(first.url, poolclass=sa.NullPool).connect() as connection:
        connection.execute(sa.text("SELECT pg_terminate_backend(:pid, 60000)"), {"pid": pid})

    assert _pid(second) != pid
