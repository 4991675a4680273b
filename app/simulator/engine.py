"""The engine: the store, clock, faults and deliveries, and what a payer does on the hosted page."""

import threading
from collections.abc import Sequence
from pathlib import Path

from app.simulator.dashboard import Dashboard
from app.simulator.protocol.call import Call
from app.simulator.protocol.deliveries.post import Send
from app.simulator.protocol.deliveries.queue import Deliveries
from app.simulator.protocol.faults.fault_settings import FaultSettings
from app.simulator.protocol.faults.next_calls import Faults
from app.simulator.protocol.faults.rate_limit import RateLimiter
from app.simulator.protocol.idempotency import RequestsInProgress
from app.simulator.protocol.work import Work
from app.simulator.resources import accounts, expiry, payment_methods
from app.simulator.resources.checkout import hosted_page, sessions
from app.simulator.resources.checkout.forms import AccountForm, CardForm, FormErrors, Payer
from app.simulator.resources.setup import outcomes
from app.simulator.store import DEFAULT_ACCOUNT, JSON, Clock, Store

LAST_SECOND = 32_503_680_000  # since 1970: the year 3000 begins


class Engine(Dashboard):
    """Everything of a `Simulator` except its web application, which calls this class."""

    def __init__(
        self, path: Path | None, public_url: str, retry_schedule: Sequence[float], account_name: str
    ) -> None:
        self.public_url = public_url.rstrip("/")
        self._path, self._retry_schedule, self._account_name = path, retry_schedule, account_name
        self._begin()

    def _begin(self) -> None:
        self.store: Store = Store(self._path)
        self.clock = Clock(self.store.settings.get("clock", {}).get("ahead", 0))
        self.fault_settings: FaultSettings = FaultSettings()
        self.faults: Faults = Faults(self.fault_settings)
        self.rate_limiter = RateLimiter()
        self.requests_in_progress = RequestsInProgress()
        self.deliveries = Deliveries(self.store, self.clock, self.fault_settings, self._retry_schedule)
        self.deliveries.tick = self.tick
        self.store.committed = self.deliveries.plan_changed
        self._closing = threading.Event()
        self._ticked = 0
        accounts.create_default_account(self.store, self.clock.now(), name=self._account_name)

    def reset(self) -> None:
        """Stop and start again: no faults, the real time, and an empty store unless it is in a file."""
        self.close()
        self._begin()

    @property
    def send(self) -> Send:
        """The function that posts deliveries. It takes a URL, a body and headers, and returns the status."""
        return self.deliveries.send

    @send.setter
    def send(self, send: Send) -> None:
        self.deliveries.send = send

    def start(self) -> None:
        """Make deliveries and expire sessions in background threads."""
        self.deliveries.start()

    def close(self) -> None:
        """Stop the threads and close the file."""
        self._closing.set()
        self.deliveries.close()
        self.store.close()

    def deliver_due(self) -> int:
        """Make all due deliveries in this thread. Return the number of attempts."""
        self.tick()
        return self.deliveries.deliver_due()

    def release(self) -> None:
        """Make the deliveries that the fault setting `hold` has held back."""
        self.fault_settings.hold = False
        self.deliveries.wake()

    def tick(self) -> None:
        """Expire sessions, at most once a second of the clock, and purge old rows once an hour."""
        now = self.clock.now()
        with self.store.lock:
            if now == self._ticked:
                return
            if now // 3600 != self._ticked // 3600:
                expiry.purge(self.store, now)
            self._ticked = now
            expiry.expire_sessions(self.store, now, self.work_for)

    def advance(self, seconds: float) -> None:
        """Move the simulator's clock forward, and do what falls due until then.

        Raises ValueError for a time that no calendar has; every later start would fail with it.
        """
        if not 0 <= self.clock.precise() + seconds <= LAST_SECOND:
            raise ValueError("The clock stays between the years 1970 and 3000.")
        self.clock.ahead += seconds
        self.store.settings["clock"] = {"ahead": self.clock.ahead}
        self.tick()
        self.deliveries.wake()

    def pause(self, seconds: float) -> None:
        """Wait that long, or until close()."""
        self._closing.wait(seconds)

    def call(self, url: str, path: dict[str, str]) -> Call:
        """Make the `Call` of a request. Authentication replaces the account."""
        context = (self.store, self.clock, self.fault_settings, DEFAULT_ACCOUNT, self.public_url)
        return Call(*context, url=url, path=path)

    def page_work(self, session_id: str) -> Work:
        """Make the `Work` for the hosted page of a session."""
        work = self.work_for(session_id)
        work.by_page = True
        return work

    def after_page(self, work: Work) -> None:
        """Make the page's deliveries before its redirect if the fault settings say so."""
        if self.fault_settings.webhook == "before" and not self.fault_settings.hold:
            self.deliveries.deliver(work.queued)

    # What a payer does, for tests and demonstrations.

    def save_card(
        self,
        session_id: str,
        number: str = "4242424242424242",
        *,
        expiry: str = "12 / 34",
        cvc: str | None = None,
        payer: Payer | None = None,
    ) -> str:
        """Enter a card on the hosted page of a session and press "Save card".

        Returns "succeeded", "declined", "requires_action" (call `authenticate` next), "invalid" when the
        form has errors, or "closed" when the page no longer takes input.
        """
        code = cvc or ("1234" if number.startswith("37") else "123")
        return self._submit(session_id, CardForm(number, expiry, code), payer)

    def pay_by_bank(
        self,
        session_id: str,
        type: str = "us_bank_account",  # noqa: A002 - Stripe's word
        *,
        verify: str = "now",
        payer: Payer | None = None,
    ) -> str:
        """Enter the test bank account. `verify="later"` asks for micro-deposits."""
        account = payment_methods.TEST_ACCOUNTS[type]
        form = AccountForm(type, account.number, account.routing, verify == "later")
        return self._submit(session_id, form, payer)

    def authenticate(self, session_id: str, *, ok: bool = True) -> str:
        """Pass or fail 3-D Secure. Returns "closed" when no challenge is open."""
        self.tick()
        work = self.page_work(session_id)
        outcome = hosted_page.authenticate(work, session_id, ok=ok)
        self.after_page(work)
        return outcome

    def verify_microdeposits(self, session_id: str, *, ok: bool = True) -> str:
        """Verify the micro-deposits of a session, or let the bank return them."""
        with self.store.transaction():
            intent = self.microdeposits_of(session_id)
            if intent is None:
                return hosted_page.CLOSED
            outcomes.verify_microdeposits(self.work_for(session_id), intent, ok=ok)
        return hosted_page.SUCCEEDED if ok else hosted_page.DECLINED

    def microdeposits_of(self, session_id: str) -> JSON | None:
        """Return the session's SetupIntent while it waits for micro-deposits."""
        session = self.store.checkout_sessions[session_id]
        intent = self.store.setup_intents[session["setup_intent"]]
        action = intent["next_action"] or {}
        return intent if action.get("type") == "verify_with_microdeposits" else None

    def expire_session(self, session_id: str) -> None:
        """Expire an open session before its time."""
        with self.store.transaction():
            session = self.store.checkout_sessions[session_id]
            if session["status"] == "open":
                sessions.expire(self.work_for(session_id), session)

    def _submit(self, session_id: str, form: CardForm | AccountForm, payer: Payer | None) -> str:
        self.tick()
        work = self.page_work(session_id)
        try:
            outcome = hosted_page.submit(
                work, session_id, form, payer or Payer(email="jenny@example.com", phone="+15555550123")
            )
        except FormErrors:
            return hosted_page.INVALID
        self.after_page(work)
        return outcome
