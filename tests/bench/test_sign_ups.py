"""How many people sign up in a second while Stripe takes 100 ms, beside one thread in each process.

`pytest -m bench tests/bench/test_sign_ups.py -s`, on either database. It prints what it measured.
"""

import re
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from statistics import median

import pytest
import requests

from tests.bench.conftest import Place
from tests.bench.sites import Site

pytestmark = [pytest.mark.bench, pytest.mark.timeout(600)]

PEOPLE, ROUNDS, SECONDS = 16, 3, 6.0
LATENCY = 0.1  # seconds that each of Stripe's answers takes
HIDDEN = re.compile(r'name="(csrf_token|nonce)"[^>]* value="([^"]+)"')


class Crowd:
    """People who sign up one after the other in each of 16 threads. Their forms are open before it begins."""

    def __init__(self, site: str, forms: int) -> None:
        self._url = f"{site}/signup"
        self._forms = forms
        self._ready = threading.Barrier(PEOPLE)

    def rate(self) -> float:
        """Return how many sign-ups a second reached Stripe's page before the time was over."""
        with ThreadPoolExecutor(PEOPLE) as threads:
            done = list(threads.map(self._sign_up, range(PEOPLE)))
        return sum(done) / SECONDS

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
    rates: dict[int, list[float]] = {8: [], 1: []}
    for _ in range(ROUNDS):
        for threads, found in rates.items():
            serving: AbstractContextManager[Site] = place.gangway(
                web_processes="2", web_threads=str(threads), worker_threads="0"
            )
            with serving as site:
                forms = 60 if threads > 1 else 15
                place.stripe_does("fault_settings", latency=LATENCY)
                found.append(Crowd(site.root, forms).rate())

    many, one = (median(rates[threads]) for threads in (8, 1))
    with capsys.disabled():
        print(  # noqa: T201
            f"\nsign-ups a second, {PEOPLE} people at once, Stripe at {LATENCY * 1000:.0f} ms, 2 processes: "
            f"{many:.0f} with 8 threads each, {one:.0f} with one ({many / one:.1f} times)"
        )
