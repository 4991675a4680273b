"""Fixtures of these tests."""

from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from click.testing import Result
from flask import Flask

from app.core import db
from app.core.db import utcnow
from app.payers import Payer
from app.simulator import Simulator, serve
from tests.support.commands import Run, environment, run_command
from tests.support.portal import sign_up


@pytest.fixture
def run(database_url: str) -> Run:
    """Run a command in this process, with a complete environment and a migrated database."""

    def command(*arguments: str, **settings: str) -> Result:
        return run_command(*arguments, **environment(database_url, **settings))

    return command


@pytest.fixture
def stripe_url(simulator: Simulator) -> Iterator[str]:
    """Where the simulated Stripe listens."""
    server = serve(simulator, "127.0.0.1", 0)
    yield server.url
    server.close()


@pytest.fixture
def unverified_payer(app: Flask, simulator: Simulator) -> None:
    """A payer with a card saved at Stripe that no webhook reported."""
    simulator.save_card(sign_up(app.test_client()))
    with app.app_context():
        session = db.session()
        session.execute(sa.update(Payer).values(due_at=utcnow()))
        session.commit()
