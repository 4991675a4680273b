"""What the product costs beside Stripe's own time: a convergence, a sign-up, a start, a process.

`pytest -m bench tests/bench/test_costs.py -s`.
"""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from statistics import median, quantiles
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from app import apps, create_app, sync
from app.core import db
from app.core.config import Settings
from app.payers import Payer
from app.simulator import DEFAULT_API_KEY, Simulator, serve
from app.sync import Worker
from app.web import logging
from tests.bench.conftest import Place
from tests.conftest import PORTAL
from tests.support.portal import SignupPage, sign_up

pytestmark = [pytest.mark.bench, pytest.mark.timeout(600)]

PEOPLE = 200


class Timed:
    """A Stripe in this process that counts the time it takes, which is not ours."""

    def __init__(self, wsgi: Callable[..., Any]) -> None:
        self._wsgi = wsgi
        self.seconds = 0.0
        self.calls = 0

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
        """Answer, and take the time."""
        began = time.perf_counter()
        answer = list(self._wsgi(environ, start_response))
        self.seconds += time.perf_counter() - began
        self.calls += 1
        return answer


@pytest.fixture
def stripe(simulator: Simulator) -> Timed:
    """Stripe, with a stop-watch."""
    return Timed(simulator.wsgi)


@pytest.fixture(autouse=True)
def _logs_as_in_production(settings: Settings) -> None:
    logging.configure(settings)


@contextmanager
def installed(app: Flask) -> Iterator[Flask]:
    """An application with the simulated account. Its connections are closed in the end."""
    with app.app_context():
        apps.install(db.session(), DEFAULT_API_KEY, public_url=PORTAL, actor="bench")
        db.session().commit()
    try:
        yield app
    finally:
        with app.app_context():
            db.engine().dispose()


@pytest.fixture
def timed(settings: Settings, stripe: Timed) -> Iterator[Flask]:
    """The application before that Stripe."""
    with installed(create_app(settings, stripe_in_process=stripe)) as app:
        yield app


def everybody_is_due(app: Flask) -> None:
    """Have all checked again."""
    with app.app_context():
        db.start_write(db.session())
        db.session().execute(sa.update(Payer).values(due_at=sa.func.now(), generation=Payer.generation + 1))
        db.session().commit()


def is_anybody_due(app: Flask) -> bool:
    """Is there still something to do?"""
    with app.app_context():
        due = sa.select(sa.func.count()).where(Payer.due_at <= db.utcnow())
        return bool(db.session().scalar(due))


def test_convergences(timed: Flask, stripe: Timed, capsys: pytest.CaptureFixture[str]) -> None:
    client = timed.test_client()
    for number in range(PEOPLE):
        sign_up(client, key=f"nr-{number}", subject_keys=[f"nr-{number}-1"])
        client.delete_cookie("gangway")
    everybody_is_due(timed)
    stripe.seconds, stripe.calls = 0.0, 0
    began = time.perf_counter()

    with timed.app_context():
        sync.run_until_idle(10 * PEOPLE)

    took = time.perf_counter() - began
    own = (took - stripe.seconds) / PEOPLE
    with capsys.disabled():
        print(  # noqa: T201
            f"\nconvergences, one thread: {PEOPLE / took:.0f}/s; {stripe.calls / PEOPLE:.1f} calls and "
            f"{own * 1000:.1f} ms of our own time each: {1 / own:.0f}/s if Stripe took none"
        )
    assert not is_anybody_due(timed)


@pytest.mark.parametrize("latency", [0.1, 0.2])
@pytest.mark.parametrize("threads", [1, 8])
def test_convergences_while_stripe_takes_its_time(
    threads: int, latency: float, settings: Settings, simulator: Simulator, capsys: pytest.CaptureFixture[str]
) -> None:
    server = serve(simulator, "127.0.0.1", 0)
    with installed(create_app(settings.model_copy(update={"stripe_api_base": server.url}))) as app:
        client = app.test_client()
        for number in range(PEOPLE):
            sign_up(client, key=f"nr-{number}", subject_keys=[f"nr-{number}-1"])
            client.delete_cookie("gangway")
        simulator.fault_settings.change({"latency": latency})
        everybody_is_due(app)
        worker = Worker(app, threads)
        began, pause = time.perf_counter(), threading.Event()

        worker.start()
        while is_anybody_due(app):
            pause.wait(0.05)

        took = time.perf_counter() - began
        worker.stop()
    server.close()
    with capsys.disabled():
        ms = round(latency * 1000)
        print(f"\nconvergences, {threads} threads, Stripe at {ms} ms: {PEOPLE / took:.0f}/s")  # noqa: T201


def test_sign_ups(timed: Flask, stripe: Timed, capsys: pytest.CaptureFixture[str]) -> None:
    own: list[float] = []
    for number in range(PEOPLE):
        page = SignupPage(timed.test_client())
        fields = page.fields(key=f"nr-{number}", subject_keys=[f"nr-{number}-1"])
        before, began = stripe.seconds, time.perf_counter()

        answer = page.send(fields)

        own.append(time.perf_counter() - began - (stripe.seconds - before))
        assert answer.status_code == 303

    with capsys.disabled():
        print(  # noqa: T201
            f"\na sign-up without Stripe's time: {median(own) * 1000:.1f} ms, "
            f"{quantiles(own, n=20)[-1] * 1000:.1f} ms at the 95th percentile"
        )


def test_start_and_memory(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    starts, memory = [], []
    for _ in range(3):
        began = time.perf_counter()
        with place.gangway() as site:
            starts.append(time.perf_counter() - began)
            memory.append(site.memory())

    with capsys.disabled():
        print(  # noqa: T201
            f"\nfrom `gangway serve` to the first answer: {median(starts):.2f} s; in memory: "
            + ", ".join(f"{size:.0f} MB" for size in memory[-1])
        )
