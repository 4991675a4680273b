"""Fixtures of the proofs: worlds that begin empty, one after another, each with a new database."""

import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa
import time_machine

from app import apps, create_app
from app.core import db
from app.simulator import DEFAULT_API_KEY, Simulator, serve
from app.web import logging
from tests.conftest import PORTAL, STRIPE, make_settings
from tests.proof.killable import KillablePortal
from tests.support import postgres
from tests.support.applications import Applications
from tests.support.deliveries import into
from tests.support.installation import Installations
from tests.support.processes import free_port
from tests.support.world import World

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

MakeDatabase = Callable[[], AbstractContextManager[str]]
MakeWorld = Callable[..., AbstractContextManager[World]]
MakeKillable = Callable[[], AbstractContextManager[KillablePortal]]
START = datetime(2031, 3, 10, 12, tzinfo=UTC)


@pytest.fixture
def proof_runs(request: pytest.FixtureRequest) -> int:
    """How many runs a long proof makes."""
    return int(request.config.getoption("--proof-runs"))


@pytest.fixture
def make_database(server: postgres.Server | None, migrated: str, tmp_path: Path) -> MakeDatabase:
    """Make a database with empty tables, any number of times."""

    @contextmanager
    def make() -> Iterator[str]:
        if server is None:
            shutil.copy(migrated.removeprefix("sqlite:///"), tmp_path / "world.db")
            yield f"sqlite:///{tmp_path / 'world.db'}"
            for file in tmp_path.glob("world.db*"):
                file.unlink()
            return
        url = server.create_database(template=migrated)
        yield url
        server.drop_database(url)

    return make


class StripeOfTheWorld:
    """Answers the calls of all worlds, one after another, each from its own simulator."""

    simulator: Simulator

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        return self.simulator.wsgi(environ, start_response)


@pytest.fixture(scope="session")
def stripe() -> StripeOfTheWorld:
    """Where the applications of the worlds find Stripe."""
    return StripeOfTheWorld()


@pytest.fixture(scope="session")
def portals(stripe: StripeOfTheWorld, migrated_engine: sa.Engine) -> Applications:
    """The applications of the worlds, which they take in turns."""
    return Applications(stripe, like=migrated_engine)


@pytest.fixture
def make_world(
    make_database: MakeDatabase,
    stripe: StripeOfTheWorld,
    portals: Applications,
    installations: Installations,
) -> MakeWorld:
    """Make a portal with an app installed, and a simulated Stripe, in this process, at one time of day.

    `ticks` says whether time goes on.
    """

    @contextmanager
    def make(*, ticks: bool = True, **settings: Any) -> Iterator[World]:
        with make_database() as url, time_machine.travel(START, tick=ticks) as clock:
            stripe.simulator = simulator = Simulator(public_url=STRIPE, retry_schedule=(1, 60, 3600))
            made = make_settings(database_url=url, rate_limit_return="100000 per minute", **settings)
            logging.configure(made)
            app = portals.take(made)
            installations.make(app, simulator, public_url=PORTAL)
            simulator.send = into(app)
            yield World(app, simulator, clock)
            with app.app_context():
                db.engine().dispose()
            simulator.close()

    return make


@pytest.fixture
def make_killable(make_database: MakeDatabase, tmp_path: Path) -> MakeKillable:
    """Make a portal at a free port that can be killed, and a simulated Stripe that it calls over HTTP."""

    @contextmanager
    def make() -> Iterator[KillablePortal]:
        with make_database() as url, time_machine.travel(datetime.now(UTC), tick=True) as clock:
            simulator = Simulator(retry_schedule=(0.2, 0.5, 1, 2, 4, 8))
            server = serve(simulator, "127.0.0.1", 0)
            simulator.public_url = server.url
            port = free_port()
            settings = make_settings(
                database_url=url,
                public_url=f"http://127.0.0.1:{port}",
                stripe_api_base=server.url,
                rate_limit_signup="100000 per minute",
                rate_limit_return="100000 per minute",
            )
            simulator.start()
            app = create_app(settings)
            with app.app_context():
                apps.install(db.session(), DEFAULT_API_KEY, public_url=settings.public_url, actor="test")
                db.session().commit()
            portal = KillablePortal(app, settings, simulator, clock, port, tmp_path)
            try:
                yield portal
            finally:
                portal.close()
                simulator.close()
                server.close()
                with app.app_context():
                    db.engine().dispose()

    return make


@pytest.fixture
def portal(make_killable: MakeKillable) -> Iterator[KillablePortal]:
    """A portal that can be killed."""
    with make_killable() as made:
        yield made
