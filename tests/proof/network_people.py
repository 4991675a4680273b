"""People who use the portal over the network, while its processes die and Stripe fails.

They try again until something works, as people do, and remember what the portal told them.
"""

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
RETRY_DELAY = 0.2  # seconds until the next try
NEW_FORM_PROBABILITY = 0.4  # that somebody opens a new form after a refusal
PATIENCE = 180.0  # seconds; far more than it takes, for a machine that is busy with other work


class GaveUp(AssertionError):
    """Nothing worked within a person's patience."""


@dataclass
class NetworkPerson:
    """Somebody with a browser, who tries again when the portal gives no good answer."""

    portal: str
    name: str
    patience: float = PATIENCE
    session_id: str = ""  # cs_…, the newest
    session_url: str = ""  # of its page at Stripe
    headings: list[str] = field(default_factory=list)  # of the page /return, the newest last
    _browser: requests.Session = field(default_factory=requests.Session)
    _form: Response | None = None

    def __post_init__(self) -> None:
        self._browser.trust_env = False  # no proxy leads to this machine

    def sign_up(self) -> None:
        """Fill the form in and send it until the portal leads to Stripe.

        When the page says that the details are saved, press its button. After a failure, send the same form
        again or open a new one.
        """
        give_up = time.monotonic() + self.patience
        form = self._form or self._retry(lambda: self._get("/signup"), _is(200))
        while True:
            self._form = form
            answer = self._try(partial(self._post, "/signup", self._fields(form)))
            if answer is not None and answer.status_code == 303 and not _leads_to_stripe(answer):
                answer = self._try(partial(self._press_continue, answer.headers["Location"]))
            if answer is not None and _leads_to_stripe(answer):
                break
            if time.monotonic() > give_up:
                last = "nothing" if answer is None else f"{answer.status_code} {Page(answer.text).h1}"
                raise GaveUp(f"{self.name} gave up: {last}")
            self._wait()
            if random.random() < NEW_FORM_PROBABILITY:  # noqa: S311 - no secret
                form = self._retry(lambda: self._get("/signup"), _is(200))
            elif answer is not None and Page(answer.text).all(name="nonce"):
                form = answer  # else the browser's "back" leads to the form again
        self._remember_session(answer.headers["Location"])

    def come_to(self, url: str) -> None:
        """Come to a page of Stripe's by its address."""
        self._remember_session(url)

    def send_form(self) -> Response | None:
        """Send the form once, whatever comes of it; None if there is no answer."""
        form = self._retry(lambda: self._get("/signup"), _is(200))
        return self._try(partial(self._post, "/signup", self._fields(form)))

    def save_card(self, number: str = "4242424242424242") -> int:
        """Type a card into Stripe's page; the status of the answer."""
        form = {
            "method": "card",
            "card_number": number,
            "expiry": "12 / 34",
            "cvc": "123",
            "name": self.name,
            "country": "GB",
        }
        answer = self._retry(
            lambda: self._browser.post(self.session_url, form, allow_redirects=False, timeout=30), _any
        )
        if answer.status_code == 303 and answer.headers["Location"].endswith("/challenge"):
            challenge = f"{self.session_url}/challenge"
            answer = self._retry(
                lambda: self._browser.post(
                    challenge, {"answer": "complete"}, allow_redirects=False, timeout=30
                ),
                _any,
            )
        return answer.status_code

    def return_to_portal(self) -> str:
        """Open the page that Stripe leads back to; its heading."""
        answer = self._retry(lambda: self._get("/return"), _is(200, 404))
        self.headings.append(Page(answer.text).h1)
        return self.headings[-1]

    def resume(self) -> None:
        """Press "continue" until the portal leads to Stripe, or says that everything is done."""
        back = self._retry(lambda: self._get("/cancelled"), _is(200, 303))
        if fields := _resume_fields(back):
            answer = self._retry(lambda: self._post("/resume", fields), _is(303))
            if _leads_to_stripe(answer):
                self._remember_session(answer.headers["Location"])

    def close(self) -> None:
        """Close the browser."""
        self._browser.close()

    def _remember_session(self, url: str) -> None:
        self.session_url = url.partition("#")[0]
        self.session_id = self.session_url.rsplit("/", 1)[-1]

    def _press_continue(self, path: str) -> Response:
        """Press the button of the page that says that the details are saved."""
        page = self._get(path)
        fields = _resume_fields(page)
        return self._post("/resume", fields) if fields else page

    def _fields(self, form: Response) -> JSON:
        page = Page(form.text)
        hidden = {name: page.value(name) for name in ("csrf_token", "nonce")}
        own = {"key": self.name, "subject_keys": [f"{self.name}-1"], "currency": "USD"}
        return hidden | own | {"name": f"{self.name} Ltd", "email": f"{self.name}@example.com"}

    def _get(self, path: str) -> Response:
        return self._browser.get(self.portal + path, allow_redirects=False, timeout=30)

    def _post(self, path: str, fields: JSON) -> Response:
        return self._browser.post(self.portal + path, fields, allow_redirects=False, timeout=30)

    @staticmethod
    def _try(request: Callable[[], Response]) -> Response | None:
        """Send a request once; None if there is no answer."""
        try:
            return request()
        except requests.RequestException:
            return None

    def _retry(self, request: Callable[[], Response], is_good: Callable[[Response], bool]) -> Response:
        return keep_trying(request, is_good, self.name, self.patience)

    def _wait(self) -> None:
        threading.Event().wait(RETRY_DELAY)


def keep_trying(
    request: Callable[[], Response], is_good: Callable[[Response], bool], name: str, patience: float
) -> Response:
    """Send a request until there is a good answer. Raises GaveUp after so many seconds."""
    give_up, last, never = time.monotonic() + patience, "nothing", threading.Event()
    while time.monotonic() < give_up:
        try:
            answer = request()
        except requests.RequestException as error:
            last = type(error).__name__
        else:
            if is_good(answer):
                return answer
            last = f"{answer.status_code} {answer.text[:200]}"
        never.wait(RETRY_DELAY)
    raise GaveUp(f"{name} gave up: {last}")


def _is(*statuses: int) -> Callable[[Response], bool]:
    return lambda answer: answer.status_code in statuses


def _any(_answer: Response) -> bool:
    return True


def _leads_to_stripe(answer: Response) -> bool:
    """Does an answer redirect to a Checkout Session?"""
    return answer.status_code == 303 and urlsplit(answer.headers["Location"]).path.startswith("/c/pay/")


def _resume_fields(page: Response) -> JSON:
    """Return the fields of the button that continues to Stripe; none where there is no such button."""
    forms = Page(page.text).all("form", action="/resume") if page.status_code == 200 else []
    return {element["name"]: element.get("value") for form in forms[:1] for element in form.all("input")}
