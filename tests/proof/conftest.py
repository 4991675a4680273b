"""Worlds to be tormented, one after another, each with a database of its own."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
import time_machine

from app import apps, create_app, db
from app.simulator import DEFAULT_API_KEY, Simulator
from app.simulator.server import serve
from app.web import logging
from tests.conftest import PORTAL, STRIPE, make_settings
from tests.proof.haunted import Haunted
from tests.proof.people import Interruptions, World
from tests.support import engines, postgres
from tests.support.deliveries import into
from tests.support.processes import free_port

MakeDatabase = Callable[[], AbstractContextManager[str]]
MakeWorld = Callable[..., AbstractContextManager[World]]
Haunt = Callable[[], AbstractContextManager[Haunted]]
BEGINNING = datetime(2031, 3, 10, 12, tzinfo=UTC)


@pytest.fixture
def proof_runs(request: pytest.FixtureRequest) -> int:
    """How many runs a long proof makes."""
    return int(request.config.getoption("--proof-runs"))


@pytest.fixture
def make_database(server: postgres.Server | None, migrated: str, tmp_path: Path) -> MakeDatabase:
    """Make a database with all tables, as often as wanted."""

    @contextmanager
    def made() -> Iterator[str]:
        if server is None:
            shutil.copy(migrated.removeprefix("sqlite:///"), tmp_path / "world.db")
            yield f"sqlite:///{tmp_path / 'world.db'}"
            for file in tmp_path.glob("world.db*"):
                file.unlink()
            return
        url = server.create_database(template=migrated)
        yield url
        server.drop_database(url)

    return made


@pytest.fixture
def make_world(make_database: MakeDatabase, migrated_engine: sa.Engine, unlogged: None) -> MakeWorld:
    """Make a portal with an app installed, and a Stripe, in this process and at one time of day."""

    @contextmanager
    def made(**overrides: Any) -> Iterator[World]:
        with make_database() as url, time_machine.travel(BEGINNING, tick=True) as clock:
            simulator = Simulator(public_url=STRIPE, retry_schedule=(1, 60, 3600))
            settings = make_settings(database_url=url, rate_limit_return="100000 per minute", **overrides)
            logging.configure(settings)
            interruptions = Interruptions(simulator.wsgi)
            app = create_app(settings, stripe_in_process=interruptions)
            engines.hasten(app, like=migrated_engine)
            with app.app_context():
                apps.install(db.session(), DEFAULT_API_KEY, public_url=PORTAL, actor="test")
                db.session().commit()
            simulator.send = into(app)
            yield World(app, simulator, clock, interruptions)
            with app.app_context():
                db.engine().dispose()
            simulator.close()

    return made


@pytest.fixture
def haunt(make_database: MakeDatabase, tmp_path: Path) -> Haunt:
    """Make a portal at a port of its own that may be killed, and a Stripe."""

    @contextmanager
    def made() -> Iterator[Haunted]:
        stripe_port, port = free_port(), free_port()
        with make_database() as url, time_machine.travel(datetime.now(UTC), tick=True) as clock:
            settings = make_settings(
                database_url=url,
                public_url=f"http://127.0.0.1:{port}",
                stripe_api_base=f"http://127.0.0.1:{stripe_port}",
                rate_limit_signup="100000 per minute",
                rate_limit_return="100000 per minute",
            )
            simulator = Simulator(public_url=settings.stripe_api_base, retry_schedule=(0.2, 0.5, 1, 2, 4, 8))
            server = serve(simulator, "127.0.0.1", stripe_port)
            simulator.start()
            app = create_app(settings)
            with app.app_context():
                apps.install(db.session(), DEFAULT_API_KEY, public_url=settings.public_url, actor="test")
                db.session().commit()
            haunted = Haunted(app, settings, simulator, clock, port, tmp_path)
            yield haunted
            haunted.close()
            simulator.close()
            server.close()
            with app.app_context():
                db.engine().dispose()

    return made


@pytest.fixture
def haunted(haunt: Haunt) -> Iterator[Haunted]:
    """A portal that may be killed."""
    with haunt() as made:
        yield made
