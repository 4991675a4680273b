"""How fast events are taken in and pages are answered, beside bare views, dj-stripe and an earlier commit.

`pytest -m bench tests/bench/test_intake.py -s`, and with `--database postgresql`. It prints what it measured,
and asserts only that what was answered is stored.
"""

import re
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa

from app.core import db
from app.customers import Customer
from tests.bench import previous, report, sites
from tests.bench.conftest import Place
from tests.bench.report import Rounds
from tests.bench.sites import Site
from tests.support.console import sign_in

pytestmark = [pytest.mark.bench, pytest.mark.timeout(3600)]

ROUNDS, SECONDS, WARM_UP = 3, 5.0, 3.0
FLOOR = (1000, 1420)  # events a second of the bare view on two quiet processors
TWO_PROCESSES = {"web_processes": "2", "web_threads": "8", "worker_threads": "0"}

Start = Callable[[], AbstractContextManager[Site]]


def show(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Print beside what pytest prints."""
    with capsys.disabled():
        print(text)  # noqa: T201


@contextmanager
def counting(url: str, table: str, rounds: Rounds) -> Iterator[None]:
    """Note how many of the good answers did not add a row."""
    engine, before = sa.create_engine(url), 0
    count = sa.text(f"SELECT count(*) FROM {table}")  # noqa: S608 (a constant of these tests)
    with engine.connect() as connection:
        if sa.inspect(connection).has_table(table):
            before = connection.scalar(count) or 0
    yield
    with engine.connect() as connection:
        stored = (connection.scalar(count) or 0) - before
    engine.dispose()
    latest = rounds.results[-1]
    rounds.missing += max(0, latest.answered - latest.errors - latest.repeated - stored)


def until_finished(url: str) -> None:
    """Wait until the worker has looked at each event that came while there was none."""
    engine, give_up = sa.create_engine(url), time.monotonic() + 300
    unfinished = sa.text("SELECT count(*) FROM event WHERE state IN ('new', 'waiting') AND attempts = 0")
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        while connection.scalar(unfinished):
            assert time.monotonic() < give_up, "the worker does not finish its events"
            time.sleep(0.1)
    engine.dispose()


def measure(starts: dict[str, tuple[Start, str, str]], things: Path, nobody: Path) -> dict[str, Rounds]:
    """Load each site in turn, several times. Each has a database and a table that stores its events.

    With a worker, the events are about nobody, and it has finished all others, so that only the intake is
    measured.
    """
    measured: dict[str, Rounds] = {}
    skipped: set[str] = set()
    for _ in range(ROUNDS):
        for name, (start, url, table) in starts.items():
            if name in skipped:
                continue
            rounds = measured.setdefault(name, Rounds())
            try:
                with start() as site:
                    about = things
                    if "worker" in name:
                        about = nobody
                        until_finished(url)
                    site.load(about, seconds=WARM_UP)
                    with counting(url, table, rounds):
                        rounds.results.append(site.load(about, seconds=SECONDS))
            except sites.Unavailable as error:
                print(f"{name} was left out: {error}")  # noqa: T201
                skipped.add(name)
                del measured[name]
    return measured


def test_events(
    place: Place,
    things: Path,
    empty_database_url: str,
    another_database_url: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    former, nobody = tmp_path / "former", tmp_path / "nobody"
    nobody.write_text(re.sub(r'"cus_\w+"', '"cus_nobody"', things.read_text()))
    commit = previous.extract(former)
    environment = place.environment | {"GANGWAY_DATABASE_URL": another_database_url}
    previous.install(former, environment, like=place.database)
    two = {f"GANGWAY_{name.upper()}": value for name, value in TWO_PROCESSES.items()}

    def at_previous() -> AbstractContextManager[Site]:
        return sites.gangway(place.portal, environment | two, place.endpoint, "previous", folder=former)

    ours, bare = (place.database, "event"), (empty_database_url, "bare_event")
    measured = measure(
        {
            "bare view": (lambda: sites.bare(empty_database_url), *bare),
            "gangway, 2 processes": (lambda: place.gangway(**TWO_PROCESSES), *ours),
            f"the same at {commit}": (at_previous, another_database_url, "event"),
            "gangway, 1 process": (lambda: place.gangway(worker_threads="0"), *ours),
            "the same with its worker": (place.gangway, *ours),
            "dj-stripe": (
                lambda: sites.djstripe(empty_database_url, place.stripe),
                empty_database_url,
                "djstripe_webhookeventtrigger",
            ),
        },
        things,
        nobody,
    )

    show("\n".join([report.table(measured), *report.doubts(measured, FLOOR)]), capsys)
    assert all(rounds.missing == 0 for rounds in measured.values())


def test_events_while_stripe_takes_two_seconds(
    place: Place, things: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    measured: dict[str, Rounds] = {}
    with place.gangway() as site:
        for latency in (0, 2) * ROUNDS:
            place.stripe_does("fault_settings", latency=latency)
            rounds = measured.setdefault(f"Stripe answers in {latency} s", Rounds())
            with counting(place.database, "event", rounds):
                rounds.results.append(site.load(things, seconds=SECONDS))

    show(report.table(measured), capsys)
    assert all(rounds.missing == 0 for rounds in measured.values())


def customer_page(place: Place) -> tuple[str, str]:
    """Return the address of a customer in the console, and the cookie of an operator."""
    app = place.app()
    cookie = sign_in(app).get_cookie("gangway")
    assert cookie is not None
    with app.app_context():
        customer_id = db.session().scalars(sa.select(Customer.id)).first()
        db.engine().dispose()
    return f"/operator/customers/{customer_id}", f"gangway={cookie.value}"


def test_pages(
    place: Place, things: Path, empty_database_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path, cookie = customer_page(place)
    pages: dict[str, tuple[Start, str, str]] = {
        "bare page": (lambda: sites.bare(empty_database_url), "/page", ""),
        "GET /signup": (lambda: place.gangway(**TWO_PROCESSES), "/signup", ""),
        "console, a customer": (lambda: place.gangway(**TWO_PROCESSES), path, cookie),
        "GET /healthz": (lambda: place.gangway(**TWO_PROCESSES), "/healthz", ""),
    }
    measured: dict[str, Rounds] = {name: Rounds() for name in pages}
    for _ in range(ROUNDS):
        for name, (start, path, cookie) in pages.items():
            with start() as site:
                site.get(path, seconds=WARM_UP, cookie=cookie)
                measured[name].results.append(site.get(path, seconds=SECONDS, cookie=cookie))

    show("\n".join([report.table(measured), *report.doubts(measured, (2000, 2500))]), capsys)
