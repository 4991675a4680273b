"""How many people sign up in a second while Stripe takes 100 ms, beside one thread in each process.

`pytest -m bench tests/bench/test_sign_ups.py -s`, on either database. It prints what it measured.
"""

import re
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass, fields
from statistics import median

import pytest
import requests

from tests.bench import processors
from tests.bench.conftest import Place
from tests.bench.sites import Site

pytestmark = [pytest.mark.bench, pytest.mark.timeout(600)]

PEOPLE, ROUNDS, SECONDS = 16, 3, 6.0
LATENCY = 0.1  # seconds that each of Stripe's answers takes
HIDDEN = re.compile(r'name="(csrf_token|nonce)"[^>]* value="([^"]+)"')


@dataclass(frozen=True)
class Result:
    """How many sign-ups a second reached Stripe's page in time, and the processor time of each in ms."""

    rate: float
    server: float
    stripe: float
    database: float
    generator: float


class Crowd:
    """People who sign up one after the other in each of 16 threads. Their forms are open before it begins."""

    def __init__(self, place: Place, site: Site, forms: int) -> None:
        self._url = f"{site.root}/signup"
        self._forms = forms
        self._server, self._stripe = site.process.pid, place.stripe_pid
        self._ready = threading.Barrier(PEOPLE, self._note_use)
        self._used: list[float] = []

    def sign_up(self) -> Result:
        """Sign up for some seconds."""
        with ThreadPoolExecutor(PEOPLE) as threads:
            done = sum(threads.map(self._sign_up, range(PEOPLE)))
        before, self._used = self._used, []
        self._note_use()
        used = [1000 * (late - early) / done for early, late in zip(before, self._used, strict=True)]
        return Result(done / SECONDS, *used)

    def _note_use(self) -> None:
        parts = (processors.with_children([self._server]), [self._stripe], processors.databases())
        self._used = [*map(processors.used, parts), time.process_time()]

    def _sign_up(self, number: int) -> int:
        first, *opened = [self._open() for _ in range(self._forms)]
        self._send(*first, f"{number}-first")  # what is imported with the first use is no part of it
        self._ready.wait()
        ends = time.monotonic() + SECONDS
        for count, (browser, hidden) in enumerate(opened):
            self._send(browser, hidden, f"{number}-{count}")
            if time.monotonic() > ends:
                return count  # the last one ended too late
        raise AssertionError(f"{self._forms} forms for each thread are too few")

    def _send(self, browser: requests.Session, hidden: dict[str, str], key: str) -> None:
        person = {"name": "Ada", "email": "ada@example.com", "currency": "EUR", "subject_keys-0": key}
        answer = browser.post(self._url, data=hidden | person, allow_redirects=False, timeout=30)
        assert answer.status_code == 303, answer.text

    def _open(self) -> tuple[requests.Session, dict[str, str]]:
        browser = requests.Session()
        browser.trust_env = False
        return browser, dict(HIDDEN.findall(browser.get(self._url, timeout=30).text))


def test_beside_one_thread_in_each_process(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    results: dict[int, list[Result]] = {16: [], 1: []}
    for _ in range(ROUNDS):
        for threads, found in results.items():
            serving: AbstractContextManager[Site] = place.gangway(
                web_processes="2", web_threads=str(threads), worker_threads="0"
            )
            with serving as site:
                place.stripe_does("fault_settings", latency=LATENCY)
                found.append(Crowd(place, site, forms=60 if threads > 1 else 15).sign_up())

    many, one = (median(each.rate for each in found) for found in results.values())
    used = {
        part.name: median(getattr(each, part.name) for each in results[16]) for part in fields(Result)[1:]
    }
    latency = f"{LATENCY * 1000:.0f} ms"
    with capsys.disabled():
        print(  # noqa: T201
            f"\nsign-ups a second, {PEOPLE} people at once, Stripe at {latency}, 2 processes: {many:.0f} "
            f"with 16 threads each, {one:.0f} with one ({many / one:.1f} times). Processor time of each: "
            + ", ".join(f"{name} {spent:.0f} ms" for name, spent in used.items())
        )
