"""Fixtures for every test: an empty database, a simulated Stripe, the application."""

import gc
import os
import shutil
import uuid
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
import structlog
from cryptography.fernet import Fernet
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from app import create_app, migrations
from app.core import db
from app.core.config import Settings
from app.gateway.transport import time_budget
from app.simulator import Simulator
from tests.support import logs, postgres, routes
from tests.support.applications import Applications
from tests.support.deliveries import into
from tests.support.engines import ServerConnections
from tests.support.installation import Installations
from tests.support.lasting import LastingConnections
from tests.support.rows import read_all

KEY = Fernet.generate_key().decode()
SECRET_KEY = Fernet.generate_key().decode()
PORTAL = "http://127.0.0.1:8000"
STRIPE = "http://127.0.0.1:12111"
SLOW_KINDS = {"browser", "process", "proof", "mutants"}
SLOW_TIMEOUT = 900  # seconds for one test


def pytest_configure() -> None:
    """Spare the many applications of the tests what only one needs to do."""
    routes.compile_once()
    logs.print_plainly()
    gc.disable()  # until all is collected: nothing of that becomes garbage


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """One process for each core; only one for a few tests, which are done before a second one has started."""
    is_few = bool(config.option.keyword) or any("::" in name for name in config.args)
    return 0 if is_few else len(os.sched_getaffinity(0))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Give tests that drive programs the time that they need. Leave out those that no server would change."""
    for item in items:
        marks = {mark.name for mark in item.iter_markers()}
        if marks & SLOW_KINDS and "timeout" not in marks:
            item.add_marker(pytest.mark.timeout(SLOW_TIMEOUT))
    if config.option.database != "sqlite":
        without = {item for item in items if "server" not in getattr(item, "fixturenames", ())}
        config.hook.pytest_deselected(items=list(without))
        items[:] = [item for item in items if item not in without]


def pytest_collection_finish() -> None:
    """Spare the garbage collector what lives as long as the process: it takes a tenth of the suite's time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)
    gc.enable()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Choose the database that the tests run on."""
    parser.addoption("--database", choices=("sqlite", "postgresql"), default="sqlite")
    parser.addoption("--proof-runs", type=int, default=1000, help="how many runs the long proofs make")


def make_settings(*, database_url: str = "sqlite://", **overrides: Any) -> Settings:
    """Settings for tests; nothing of the environment is read."""
    return _read_settings(tuple(sorted(overrides.items()))).model_copy(update={"database_url": database_url})


@cache
def _read_settings(overrides: tuple[tuple[str, Any], ...]) -> Settings:
    values = {
        "public_url": PORTAL,
        "stripe_api_base": STRIPE,
        "secret_key": SECRET_KEY,
        "encryption_keys": KEY,
        "database_url": "sqlite://",
        "company_name": "Northwind Metering",
        "support_email": "help@example.com",
        "rate_limit_signup": "1000 per minute",
        "rate_limit_signup_total": "10000 per minute",
        "rate_limit_api": "100000 per minute",
        "rate_limit_bad_token": "10000 per minute",
        "worker_threads": 1,
        "log_level": "ERROR",
    }
    return Settings.of(values | dict(overrides))


@pytest.fixture(scope="session")
def data_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data folder of commands, unless a test names another. It is empty."""
    return tmp_path_factory.mktemp("data")


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch, data_folder: Path) -> None:
    for name in os.environ:
        if name.startswith("GANGWAY_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("GANGWAY_DATA_DIR", str(data_folder))


@pytest.fixture(scope="session", autouse=True)
def _no_page_is_out_of_time() -> Iterator[None]:
    """Let the clock of the budget for Stripe stand, or busy machines would get the pages of a slow Stripe."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(time_budget, "monotonic", lambda: 0.0)
        yield


@pytest.fixture(scope="session")
def server(request: pytest.FixtureRequest) -> Iterator[postgres.Server | None]:
    """A PostgreSQL server, when the tests are to run on one."""
    if request.config.getoption("--database") == "sqlite":
        yield None
        return
    with postgres.running() as found:
        yield found


@pytest.fixture(scope="session")
def server_connections() -> Iterator[ServerConnections]:
    """The connections to PostgreSQL that this process of the tests has opened."""
    opened = ServerConnections()
    with opened.noted():
        yield opened


@pytest.fixture(autouse=True)
def _close_server_connections(server_connections: ServerConnections) -> Iterator[None]:
    yield
    server_connections.close_idle()


@pytest.fixture(scope="session")
def lasting_connections() -> Iterator[LastingConnections]:
    """Connections to PostgreSQL that the engine of one test leaves to that of the next."""
    connections = LastingConnections()
    yield connections
    connections.close()


@pytest.fixture(scope="session")
def migrated_engine(server: postgres.Server | None, tmp_path_factory: pytest.TempPathFactory) -> sa.Engine:
    """A database with all tables, to be copied for each test."""
    if server is not None:
        url = server.create_database()
    else:
        url = f"sqlite:///{tmp_path_factory.mktemp('migrated') / 'template.db'}"
    app = create_app(make_settings(database_url=url))
    with app.app_context():
        migrations.upgrade()
    with app.app_context():
        engine = db.engine()
        engine.dispose()
    return engine


@pytest.fixture(scope="session")
def migrated(migrated_engine: sa.Engine) -> str:
    """The URL of the database to be copied."""
    return migrated_engine.url.render_as_string(hide_password=False)


@pytest.fixture
def database_url(
    server: postgres.Server | None, migrated: str, tmp_path: Path, lasting_connections: LastingConnections
) -> str:
    """A database with all tables, in which nothing is stored."""
    if server is not None:
        return server.empty_copy(migrated, spared=lasting_connections.pids)
    shutil.copy(migrated.removeprefix("sqlite:///"), tmp_path / "test.db")
    return f"sqlite:///{tmp_path / 'test.db'}"


@pytest.fixture
def empty_database_url(server: postgres.Server | None, tmp_path: Path) -> Iterator[str]:
    """A database of this test's own, with nothing in it."""
    if server is not None:
        url = server.create_database()
        yield url
        server.drop_database(url)
        return
    yield f"sqlite:///{tmp_path / 'empty.db'}"


@pytest.fixture(autouse=True)
def _log_as_before() -> Iterator[None]:
    """Whatever a test does to logging is undone: many commands configure it."""
    with logs.undone():
        yield
    structlog.contextvars.clear_contextvars()


@pytest.fixture
def settings(database_url: str) -> Settings:
    """The settings of this test's application; a test file may override this."""
    return make_settings(database_url=database_url)


@pytest.fixture(scope="session")
def one_simulator() -> Iterator[Simulator]:
    """The simulated Stripe of this process of the tests; `simulator` empties it."""
    made = Simulator(public_url=STRIPE, retry_schedule=(0, 0, 0))
    yield made
    made.close()


@pytest.fixture
def simulator(one_simulator: Simulator) -> Iterator[Simulator]:
    """A simulated Stripe with an empty store, in this process. `deliver_due` makes its deliveries."""
    one_simulator.reset()
    _forget_listeners(one_simulator.wsgi)
    yield one_simulator
    one_simulator.close()


def _forget_listeners(app: Flask) -> None:
    """Take away what an earlier test put around an application, so that the next one may do the same."""
    vars(app).pop("wsgi_app", None)
    for listeners in (app.before_request_funcs, app.after_request_funcs):
        listeners.pop(None, None)
    app._got_first_request = False


@pytest.fixture(scope="session")
def applications(
    one_simulator: Simulator, migrated_engine: sa.Engine, lasting_connections: LastingConnections
) -> Applications:
    """The applications of this process of the tests."""
    return Applications(one_simulator.wsgi, like=migrated_engine, lasting=lasting_connections)


@pytest.fixture
def bare_app(
    request: pytest.FixtureRequest, settings: Settings, simulator: Simulator, applications: Applications
) -> Iterator[Flask]:
    """The application, with nothing installed."""
    is_own = request.node.get_closest_marker("own_app") is not None
    taken = applications.take(settings, own=is_own)
    yield taken
    with taken.app_context():
        db.engine().dispose()


@pytest.fixture(scope="session")
def installations() -> Installations:
    """The installations that this process of the tests has seen."""
    return Installations()


@pytest.fixture
def app(bare_app: Flask, simulator: Simulator, installations: Installations) -> Flask:
    """The application with the simulated account installed, and Stripe's deliveries led into it."""
    installations.make(bare_app, simulator, public_url=PORTAL)
    simulator.send = into(bare_app)
    return bare_app


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """A browser without JavaScript, with separate cookies."""
    return app.test_client()


@pytest.fixture
def session(app: Flask) -> Iterator[Session]:
    """The test's own view of the database."""
    with app.app_context():
        yield db.session()


@pytest.fixture
def rows(app: Flask) -> Callable[[type], list[Any]]:
    """Read all rows of a table, as they are now, in the order in which they were written."""

    def read(model: type) -> list[Any]:
        with app.app_context():
            return read_all(db.session(), model)

    return read


@pytest.fixture
def unique() -> str:
    """A name that no other test uses."""
    return uuid.uuid4().hex[:12]
