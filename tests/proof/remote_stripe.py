"""A simulated Stripe in another process, controlled over HTTP."""

import random
from argparse import Namespace
from contextlib import suppress
from typing import Any

import requests

JSON = dict[str, Any]
COLLECTIONS = ("customers", "checkout_sessions", "setup_intents", "payment_methods", "mandates")
_random = random.SystemRandom()


class RemoteStripe:
    """The simulator behind a URL."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.spared: set[str] = set()  # customers (cus_…) that nobody changes at the Dashboard
        self._session = requests.Session()
        self._session.trust_env = False

    def act(self, action: str, **fields: object) -> JSON:
        """Do one of the actions of the simulator's control page; the simulator's state after it."""
        answer = self._session.post(f"{self.url}/_control", json={"action": action, **fields}, timeout=120)
        answer.raise_for_status()
        state: JSON = answer.json()
        return state

    def collection(self, name: str) -> dict[str, JSON]:
        """The objects of one kind, by their ids."""
        answer = self._session.get(f"{self.url}/_control/{name}.json", timeout=120)
        return {thing["id"]: thing for thing in answer.json()}

    def store(self) -> Any:
        """Everything that Stripe holds, as the oracle reads it."""
        return Namespace(**{name: self.collection(name) for name in COLLECTIONS})

    def change_something(self) -> None:
        """Do something at the Dashboard to one of the customers that have a method."""
        every = self.collection("payment_methods").values()
        methods = [method for method in every if method["customer"] and method["customer"] not in self.spared]
        if not methods:
            return
        method = _random.choice(methods)
        action = _random.choice(["attach_card", "choose_default", "detach", "renew_card"])
        with suppress(requests.HTTPError):  # somebody else was quicker
            self.act(
                action,
                payment_method=method["id"],
                customer=method["customer"],
                default=_random.choice(["yes", "no"]),
            )

    def is_listening(self) -> bool:
        """Does the simulator answer?"""
        try:
            return self._session.get(f"{self.url}/_control.json", timeout=5).ok
        except requests.RequestException:
            return False
