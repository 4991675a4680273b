"""People who come over the network, to processes that may die or stumble while they are looked at."""

import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from urllib.parse import urlsplit

import requests
from requests import Response

from tests.support.browser import Page

JSON = dict[str, Any]
PAUSE = 0.2  # seconds that a person waits before trying again
STARTS_OVER = 0.4  # how likely somebody whose form was not taken opens a new one


class GaveUp(AssertionError):
    """It did not work within a person's patience."""


@dataclass
class Traveller:
    """Somebody with a browser, who tries again when nothing comes, and remembers what was promised."""

    portal: str
    name: str
    patience: float = 150.0
    page_id: str = ""  # cs_…
    page_url: str = ""
    said: list[str] = field(default_factory=list)  # what /return said, the last last
    _browser: requests.Session = field(default_factory=requests.Session)
    _form: Response | None = None

    def __post_init__(self) -> None:
        self._browser.trust_env = False  # no proxies on the way to this very machine

    def signs_up(self) -> None:
        """Fill the form in and send it until the portal leads to Stripe.

        When that fails it is sent once more, as it is or as it was given back; or it is opened anew.
        """
        give_up = time.monotonic() + self.patience
        form = self._form or self._until(lambda: self._get("/signup"), _is(200))
        while True:
            self._form = form
            answer = self._once(partial(self._post, "/signup", self._filled_in(form)))
            if answer is not None and answer.status_code == 303:
                break
            if time.monotonic() > give_up:
                said = "nothing" if answer is None else f"{answer.status_code} {Page(answer.text).h1}"
                raise GaveUp(f"{self.name} gave up: {said}")
            self._wait()
            if random.random() < STARTS_OVER:  # noqa: S311 - no secret
                form = self._until(lambda: self._get("/signup"), _is(200))
            elif answer is not None and Page(answer.text).all(name="csrf_token"):
                form = answer  # else the browser's "back" leads to the form again
        self._led_to(answer.headers["Location"])

    def saves(self, number: str = "4242424242424242") -> int:
        """Type a card into Stripe's page; the status of its answer."""
        form = {
            "method": "card",
            "card_number": number,
            "expiry": "12 / 34",
            "cvc": "123",
            "name": self.name,
            "country": "GB",
        }
        answer = self._until(
            lambda: self._browser.post(self.page_url, form, allow_redirects=False, timeout=30), _any
        )
        if answer.status_code == 303 and answer.headers["Location"].endswith("/challenge"):
            challenge = f"{self.page_url}/challenge"
            answer = self._until(
                lambda: self._browser.post(
                    challenge, {"answer": "complete"}, allow_redirects=False, timeout=30
                ),
                _any,
            )
        return answer.status_code

    def returns(self) -> str:
        """Open the page that Stripe leads back to; what it says at the top."""
        answer = self._until(lambda: self._get("/return"), _is(200, 404))
        self.said.append(Page(answer.text).h1)
        return self.said[-1]

    def goes_on(self) -> None:
        """Press "continue" until the portal leads to Stripe, or says that there is nothing to do."""
        back = self._until(lambda: self._get("/cancelled"), _is(200, 303))
        forms = Page(back.text).all("form", action="/resume") if back.status_code == 200 else []
        if forms:
            fields = {element["name"]: element.get("value") for element in forms[0].all("input")}
            answer = self._until(lambda: self._post("/resume", fields), _is(303))
            if urlsplit(answer.headers["Location"]).path.startswith("/c/pay/"):
                self._led_to(answer.headers["Location"])

    def closes(self) -> None:
        """Close the browser."""
        self._browser.close()

    def _led_to(self, url: str) -> None:
        self.page_url = url.partition("#")[0]
        self.page_id = self.page_url.rsplit("/", 1)[-1]

    def _filled_in(self, form: Response) -> JSON:
        page = Page(form.text)
        hidden = {name: page.value(name) for name in ("csrf_token", "nonce")}
        own = {"key": self.name, "subject_keys": [f"{self.name}-1"], "currency": "USD"}
        return hidden | own | {"name": f"{self.name} Ltd", "email": f"{self.name}@example.com"}

    def _get(self, path: str) -> Response:
        return self._browser.get(self.portal + path, allow_redirects=False, timeout=30)

    def _post(self, path: str, fields: JSON) -> Response:
        return self._browser.post(self.portal + path, fields, allow_redirects=False, timeout=30)

    @staticmethod
    def _once(ask: Callable[[], Response]) -> Response | None:
        """Ask; None when nothing answers."""
        try:
            return ask()
        except requests.RequestException:
            return None

    def _until(self, ask: Callable[[], Response], is_good: Callable[[Response], bool]) -> Response:
        """Ask until something answers, and well."""
        give_up, last = time.monotonic() + self.patience, "nothing"
        while time.monotonic() < give_up:
            try:
                answer = ask()
            except requests.RequestException as error:
                last = type(error).__name__
            else:
                if is_good(answer):
                    return answer
                last = f"{answer.status_code} {answer.text[:200]}"
            self._wait()
        raise GaveUp(f"{self.name} gave up: {last}")

    def _wait(self) -> None:
        threading.Event().wait(PAUSE)


def _is(*statuses: int) -> Callable[[Response], bool]:
    return lambda answer: answer.status_code in statuses


def _any(_answer: Response) -> bool:
    return True
