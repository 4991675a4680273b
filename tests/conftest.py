"""What every test may ask for: a database of its own, a simulated Stripe, the application."""

import logging
import os
import shutil
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
import structlog
from cryptography.fernet import Fernet
from flask import Flask
from flask.testing import FlaskClient
from jinja2 import BytecodeCache, FileSystemBytecodeCache
from sqlalchemy.orm import Session

from app import apps, create_app, db, migrations
from app.config import Settings
from app.simulator import DEFAULT_API_KEY, Simulator
from tests.support import engines, postgres, routes
from tests.support.deliveries import into
from tests.support.transactions import forbid_open_transactions

KEY = Fernet.generate_key().decode()
PORTAL = "http://127.0.0.1:8000"
STRIPE = "http://127.0.0.1:12111"


def pytest_configure() -> None:
    """Spare the many applications of the tests what only one needs to do."""
    routes.compile_once()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Choose the database that the tests run on."""
    parser.addoption("--database", choices=("sqlite", "postgresql"), default="sqlite")
    parser.addoption("--proof-runs", type=int, default=1000, help="how many runs the long proofs make")


def make_settings(**overrides: Any) -> Settings:
    """Settings for tests; nothing of the environment is read."""
    values = {
        "public_url": PORTAL,
        "stripe_api_base": STRIPE,
        "secret_key": "test" * 10,
        "encryption_keys": KEY,
        "database_url": "sqlite://",
        "company_name": "Northwind Metering",
        "support_email": "help@example.com",
        "rate_limit_signup": "1000 per minute",
        "worker_threads": 1,
        "log_level": "ERROR",
    }
    return Settings.load(**(values | overrides))


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in os.environ:
        if name.startswith("GANGWAY_"):
            monkeypatch.delenv(name)


@pytest.fixture(scope="session")
def server(request: pytest.FixtureRequest) -> Iterator[postgres.Server | None]:
    """A PostgreSQL server, when the tests are to run on one."""
    if request.config.getoption("--database") == "sqlite":
        yield None
        return
    with postgres.running() as found:
        yield found


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
def database_url(server: postgres.Server | None, migrated: str, tmp_path: Path) -> Iterator[str]:
    """A database of this test's own, with all tables."""
    if server is not None:
        url = server.create_database(template=migrated)
        yield url
        server.drop_database(url)
        return
    shutil.copy(migrated.removeprefix("sqlite:///"), tmp_path / "test.db")
    yield f"sqlite:///{tmp_path / 'test.db'}"


@pytest.fixture
def empty_database_url(server: postgres.Server | None, tmp_path: Path) -> Iterator[str]:
    """A database of this test's own, with nothing in it."""
    if server is not None:
        url = server.create_database()
        yield url
        server.drop_database(url)
        return
    yield f"sqlite:///{tmp_path / 'empty.db'}"


@pytest.fixture
def unlogged() -> Iterator[None]:
    """Whatever a test does to logging is undone."""
    root = logging.getLogger()
    level = root.level
    yield
    root.handlers[:] = [handler for handler in root.handlers if type(handler) is not logging.StreamHandler]
    root.setLevel(level)
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()


@pytest.fixture
def settings(database_url: str) -> Settings:
    """The settings of this test's application; a test file may override this."""
    return make_settings(database_url=database_url)


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    """A simulated Stripe with empty books, in this process. `deliver_due` makes its deliveries."""
    made = Simulator(public_url=STRIPE, retry_schedule=(0, 0, 0))
    yield made
    made.close()


@pytest.fixture(scope="session")
def compiled_templates(tmp_path_factory: pytest.TempPathFactory) -> BytecodeCache:
    """What compiling the templates gave: each test has an application of its own, but the same templates."""
    return FileSystemBytecodeCache(str(tmp_path_factory.mktemp("templates")))


@pytest.fixture
def bare_app(
    settings: Settings, simulator: Simulator, compiled_templates: BytecodeCache, migrated_engine: sa.Engine
) -> Iterator[Flask]:
    """The application, with nothing installed."""
    made = create_app(settings, stripe_in_process=forbid_open_transactions(simulator.wsgi))
    engines.hasten(made, like=migrated_engine)
    made.jinja_env.bytecode_cache = compiled_templates
    made.testing = False  # errors are answered as they are in production
    yield made
    with made.app_context():
        db.engine().dispose()


@pytest.fixture
def app(bare_app: Flask, simulator: Simulator) -> Flask:
    """The application with the simulated account installed, and Stripe's deliveries led into it."""
    with bare_app.app_context():
        session = db.session()
        apps.install(session, DEFAULT_API_KEY, public_url=PORTAL, actor="test")
        session.commit()
    simulator.send = into(bare_app)
    return bare_app


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """A browser without JavaScript, with cookies of its own."""
    return app.test_client()


@pytest.fixture
def session(app: Flask) -> Iterator[Session]:
    """The test's own view of the database."""
    with app.app_context():
        yield db.session()


@pytest.fixture
def rows(app: Flask) -> Callable[[type], list[Any]]:
    """Read all rows of a table, as they are now."""

    def read(model: type) -> list[Any]:
        with app.app_context():
            return list(db.session().scalars(sa.select(model)).unique())

    return read


@pytest.fixture
def unique() -> str:
    """A name that no other test uses."""
    return uuid.uuid4().hex[:12]
