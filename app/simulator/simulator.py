"""The simulator itself: store, clock, fault settings, deliveries, and the WSGI application over them."""

import threading
from collections.abc import Sequence
from pathlib import Path

from app.simulator import accounts, checkout_sessions, hosted, housekeeping, payment_methods, setups
from app.simulator.clock import Clock
from app.simulator.dashboard import Dashboard
from app.simulator.deliveries import Deliveries, Send
from app.simulator.fault_settings import Faults, FaultSettings, Pace
from app.simulator.hosted import AccountForm, CardForm, Payer
from app.simulator.idempotency import Running
from app.simulator.shapes import JSON
from app.simulator.store import DEFAULT_ACCOUNT, Store
from app.simulator.web import make_app
from app.simulator.work import Call, Work


class Simulator(Dashboard):
    """A Stripe small enough to embed, for any number of accounts in test mode.

    `path` keeps the store in a file that survives the process, else they live in memory; `public_url` is
    the origin that hosted pages are linked with; `retry_schedule` says how many seconds lie between the
    tries of a delivery. `wsgi` serves the API under /v1, the hosted page under /c/pay/ and the controls
    under /_control. Deliveries go out in threads after `start()`, or when `deliver_due()` is called.
    """

    def __init__(
        self,
        path: Path | None = None,
        public_url: str = "http://127.0.0.1:12111",
        retry_schedule: Sequence[float] = (1, 5, 25),
        account_name: str = accounts.NAME,
    ) -> None:
        self.public_url = public_url.rstrip("/")
        self._path, self._retry_schedule, self._account_name = path, retry_schedule, account_name
        self._begin()
        self.wsgi = make_app(self)

    def _begin(self) -> None:
        self.store: Store = Store(self._path)
        self.clock = Clock(self.store.settings.get("clock", {}).get("ahead", 0))
        self.fault_settings: FaultSettings = FaultSettings()
        self.faults: Faults = Faults(self.fault_settings)
        self.pace = Pace()
        self.running = Running()
        self.deliveries = Deliveries(self.store, self.clock, self.fault_settings, self._retry_schedule)
        self.deliveries.tick = self.tick
        self.store.committed = self.deliveries.changed
        self._closing = threading.Event()
        self._ticked = 0
        accounts.open_store(self.store, self.clock.now(), name=self._account_name)

    def reset(self) -> None:
        """Stop, and begin again as if just made: no faults, no time gone ahead, nothing stored in memory."""
        self.close()
        self._begin()

    @property
    def send(self) -> Send:
        """How deliveries are posted: called with URL, body and headers, it returns the status."""
        return self.deliveries.send

    @send.setter
    def send(self, send: Send) -> None:
        self.deliveries.send = send

    def start(self) -> None:
        """Deliver in the background, and let sessions expire there."""
        self.deliveries.start()

    def close(self) -> None:
        """Stop the threads at once and close the file."""
        self._closing.set()
        self.deliveries.close()
        self.store.close()

    def deliver_due(self) -> int:
        """Make every delivery that is due now, in this thread; the number of tries."""
        self.tick()
        return self.deliveries.deliver_due()

    def tick(self) -> None:
        """Expire the sessions whose time has come; at most once a second of the clock."""
        now = self.clock.now()
        with self.store.lock:
            if now == self._ticked:
                return
            if now // 3600 != self._ticked // 3600:
                housekeeping.forget(self.store, now)
            self._ticked = now
            housekeeping.expire_sessions(self.store, now, self.work_for)

    def advance(self, seconds: float) -> None:
        """Send the simulator's clock ahead, with all that falls due on the way."""
        self.clock.ahead += seconds
        self.store.settings["clock"] = {"ahead": self.clock.ahead}
        self.tick()
        self.deliveries.wake()

    def pause(self, seconds: float) -> None:
        """Wait, but not beyond close()."""
        self._closing.wait(seconds)

    def call(self, url: str, path: dict[str, str]) -> Call:
        """A request on its way; whose it is, its key will tell."""
        place = (self.store, self.clock, self.fault_settings, DEFAULT_ACCOUNT, self.public_url)
        return Call(*place, url=url, path=path)

    def page_work(self, session: str) -> Work:
        """Work that the hosted page of a session does."""
        work = self.work_for(session)
        work.by_page = True
        return work

    def after_page(self, work: Work) -> None:
        """Make the page's deliveries before its redirect, when the fault settings say so."""
        if self.fault_settings.webhook == "before" and not self.fault_settings.hold:
            self.deliveries.deliver(work.queued)

    # What a payer would do, for tests and demonstrations; the Dashboard's deeds are inherited.

    def save_card(
        self,
        session_id: str,
        number: str = "4242424242424242",
        *,
        expiry: str = "12 / 34",
        cvc: str | None = None,
        payer: Payer | None = None,
    ) -> str:
        """Type a card into the hosted page of a session and press "Save card".

        Returns "succeeded", "declined", "requires_action" (then `authenticate`), "invalid" when the form
        itself refuses it, or "closed" when the page can't be used any more.
        """
        code = cvc or ("1234" if number.startswith("37") else "123")
        form = CardForm(number, expiry, code)
        return self._on_page(session_id, form, payer)

    def pay_by_bank(
        self,
        session_id: str,
        type: str = "us_bank_account",  # noqa: A002 - Stripe's word
        *,
        verify: str = "now",
        payer: Payer | None = None,
    ) -> str:
        """Type the test bank account in; `verify="later"` leaves it to micro-deposits."""
        account = payment_methods.TEST_ACCOUNTS[type]
        form = AccountForm(type, account.number, account.routing, verify == "later")
        return self._on_page(session_id, form, payer)

    def authenticate(self, session_id: str, *, ok: bool = True) -> str:
        """Come through 3-D Secure, or fail it; "closed" when no challenge is open."""
        self.tick()
        work = self.page_work(session_id)
        outcome = hosted.authenticate(work, session_id, ok=ok)
        self.after_page(work)
        return outcome

    def verify_microdeposits(self, session_id: str, *, ok: bool = True) -> str:
        """The micro-deposits of a session arrive and are named, or the bank sends them back."""
        with self.store.transaction():
            intent = self.microdeposits_of(session_id)
            if intent is None:
                return hosted.CLOSED
            setups.microdeposits_verified(self.work_for(session_id), intent, ok=ok)
        return hosted.SUCCEEDED if ok else hosted.DECLINED

    def microdeposits_of(self, session_id: str) -> JSON | None:
        """The SetupIntent of a session, while it waits for micro-deposits."""
        session = self.store.checkout_sessions[session_id]
        intent = self.store.setup_intents[session["setup_intent"]]
        action = intent["next_action"] or {}
        return intent if action.get("type") == "verify_with_microdeposits" else None

    def expire_session(self, session_id: str) -> None:
        """End an open session as if its time had come."""
        with self.store.transaction():
            session = self.store.checkout_sessions[session_id]
            if session["status"] == "open":
                checkout_sessions.expire(self.work_for(session_id), session)

    def release(self) -> None:
        """Let everything go that was held."""
        self.fault_settings.hold = False
        self.deliveries.wake()

    def _on_page(self, session_id: str, form: CardForm | AccountForm, payer: Payer | None) -> str:
        self.tick()
        work = self.page_work(session_id)
        someone = payer or Payer(email="jenny@example.com", phone="+15555550123")
        try:
            outcome = hosted.submit(work, session_id, form, someone)
        except hosted.Refused:
            return hosted.INVALID
        self.after_page(work)
        return outcome
