"""How soon after an event the pages tell what it brought. Run with `pytest -m bench -s`, on either database.

The time is from the event's arrival to the commit of the new state, which the next page shows. It contains a
call to Stripe, here a simulator that answers at once.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from statistics import median, quantiles

import pytest
import requests
import sqlalchemy as sa

from app.webhooks import Event
from tests.bench.conftest import Place
from tests.support.processes import ROOT, wait_until

pytestmark = [pytest.mark.bench, pytest.mark.timeout(600)]

PEOPLE = 40


@contextmanager
def own_worker(place: Place) -> Iterator[None]:
    """A web process without a worker, and `gangway worker` beside it."""
    with place.gangway(worker_threads="0"):
        environment = os.environ | place.environment
        process = subprocess.Popen([sys.executable, "-m", "app", "worker"], cwd=ROOT, env=environment)
        try:
            yield
        finally:
            process.terminate()
            process.wait()


@pytest.mark.parametrize("where", ["in the web process", "in another process"])
def test_from_the_event_to_the_new_state(
    place: Place, where: str, capsys: pytest.CaptureFixture[str]
) -> None:
    engine = sa.create_engine(place.database)
    serving: AbstractContextManager[object] = (
        place.gangway() if where == "in the web process" else own_worker(place)
    )
    with serving:
        options = {"successUrl": "https://example.com/", "currency": "USD"}
        for number in range(PEOPLE):
            body = {"customer": {"name": f"Nr {number}", "key": f"nr-{number}"}, "options": options}
            url = f"{place.portal}/api/v1/stripe/checkout/sessions"
            made = requests.post(url, json=body, headers=place.headers, timeout=30).json()
            before = len(finished(engine))
            place.stripe_does("attach_card", customer=made["stripeCustomerId"], default="yes")
            wait_until(lambda: len(finished(engine)) > before)  # noqa: B023  (it is called at once)
        seconds = finished(engine)
    engine.dispose()

    with capsys.disabled():
        print(  # noqa: T201
            f"\nfrom an event to the new state, the worker {where}: median {1000 * median(seconds):.0f} ms,"
            f" 95 % within {1000 * quantiles(seconds, n=20)[-1]:.0f} ms ({len(seconds)} events)"
        )


def finished(engine: sa.Engine) -> list[float]:
    """Return how many seconds each event took that changed something."""
    took = sa.select(Event.received_at, Event.finished_at).where(
        Event.state == "done", Event.payer_id.is_not(None)
    )
    with engine.connect() as connection:
        rows = connection.execute(took).all()
    return [(end - begin).total_seconds() for begin, end in rows if end]
