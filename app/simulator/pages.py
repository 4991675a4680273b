"""The hosted pages: Checkout, its 3-D Secure challenge, and the verification of micro-deposits.

They work without JavaScript. What is typed into the card's fields is never shown again, kept or logged.
"""

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from flask import Blueprint, Response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.simulator import hosted, setups
from app.simulator.cards import CARDS
from app.simulator.countries import COUNTRIES
from app.simulator.hosted import AccountForm, CardForm, Payer
from app.simulator.payment_methods import TEST_ACCOUNTS
from app.simulator.shapes import JSON

if TYPE_CHECKING:
    from app.simulator.simulator import Simulator

TABS = {
    "card": "Card",
    "us_bank_account": "US bank account",
    "sepa_debit": "SEPA Direct Debit",
    "bacs_debit": "Bacs Direct Debit",
}
# What to try, in the order in which someone who sees this for the first time would.
HINTS = (
    ("4242 4242 4242 4242", "succeeds"),
    ("4000 0025 0000 3155", "asks for 3-D Secure"),
    ("4000 0000 0000 0002", "is declined"),
    ("4000 0000 0000 9995", "has insufficient funds"),
    ("3782 822463 10005", "is an American Express card (security code of 4 digits)"),
)


def blueprint(simulator: "Simulator") -> Blueprint:
    """Routes of everything a payer sees."""
    pages = Blueprint("pages", __name__)

    @pages.get("/c/pay/<key>")
    def checkout(key: str) -> ResponseReturnValue:
        simulator.tick()
        work = simulator.page_work(key)
        session = hosted.open_session(work, key)
        if session is None:
            return _closed(simulator, key)
        problem = _last_error(simulator, key) if "failed" in request.args else None
        return _form(simulator, key, problem=problem)

    @pages.post("/c/pay/<key>")
    def submit(key: str) -> ResponseReturnValue:
        simulator.tick()
        work = simulator.page_work(key)
        session = hosted.open_session(work, key)
        if session is None:
            return _closed(simulator, key)
        kind = _kind(session["payment_method_types"])
        form = _card() if kind == "card" else _account(kind)
        try:
            outcome = hosted.submit(work, key, form, _payer())
        except hosted.Refused as refused:
            return _form(simulator, key, errors=refused.errors, status=422)
        simulator.after_page(work)
        if outcome == hosted.DECLINED:
            return _form(simulator, key, problem=_last_error(simulator, key), status=422)
        return _onward(simulator, key, outcome)

    @pages.get("/c/pay/<key>/challenge")
    def challenge(key: str) -> ResponseReturnValue:
        work = simulator.page_work(key)
        session = hosted.open_session(work, key)
        if session is None or not hosted.challenged(work, session):
            return _closed(simulator, key)
        intent = work.store.setup_intents[session["setup_intent"]]
        card = work.store.payment_methods[intent["payment_method"]]["card"]
        page = render_template("simulator/challenge.html", session=session, card=card)
        return secured(page, _way_on(session))

    @pages.post("/c/pay/<key>/challenge")
    def answer_challenge(key: str) -> ResponseReturnValue:
        outcome = simulator.authenticate(key, ok=request.form.get("answer") == "complete")
        return _onward(simulator, key, outcome)

    @pages.get("/c/microdeposits/<key>")
    def microdeposits(key: str) -> ResponseReturnValue:
        return _microdeposits(simulator, key)

    @pages.post("/c/microdeposits/<key>")
    def verify_microdeposits(key: str) -> ResponseReturnValue:
        code = request.form.get("code", "").strip().upper()
        session = simulator.store.notes.get(key, {}).get("checkout_session")
        if session is None or simulator.microdeposits_of(session) is None:
            return _microdeposits(simulator, key)
        if code != setups.MICRODEPOSIT_CODE:
            wrong = f"This is not the code. In this simulator it is {setups.MICRODEPOSIT_CODE}."
            return _microdeposits(simulator, key, error=wrong, status=422)
        simulator.verify_microdeposits(session)
        return redirect(url_for("pages.microdeposits", key=key), 303)

    return pages


def _kind(types: list[str]) -> str:
    """The tab that was chosen, if the session allows it."""
    wanted = request.values.get("method", "")
    return wanted if wanted in types else types[0]


def _card() -> CardForm:
    fields = ("card_number", "expiry", "cvc")
    return CardForm(*(request.form.get(name, "") for name in fields))


def _account(kind: str) -> AccountForm:
    number, routing = (request.form.get(name, "") for name in ("account_number", "routing_number"))
    return AccountForm(kind, number, routing, request.form.get("verify") == "later")


def _payer() -> Payer:
    given = {
        name: request.form.get(name, "").strip()[:200] for name in ("name", "email", "postal_code", "phone")
    }
    country = request.form.get("country", "US")
    known = country if country in COUNTRIES else "US"
    return Payer(country=known, agrees="agrees" in request.form, **given)


def _form(
    simulator: "Simulator",
    key: str,
    *,
    problem: str | None = None,
    errors: dict[str, str] | None = None,
    status: int = 200,
) -> Response:
    session = simulator.store.checkout_sessions[key]
    account = simulator.store.accounts[simulator.store.checkout_sessions.owner(key)]
    customer = simulator.store.customers.get(session["customer"] or "", {})
    kind = _kind(session["payment_method_types"])
    page = render_template(
        "simulator/checkout.html",
        session=session,
        merchant=account["business_profile"]["name"],
        email=customer.get("email") or session["customer_email"],
        typed=request.form,
        kind=kind,
        tabs={name: TABS[name] for name in session["payment_method_types"]},
        test_account=TEST_ACCOUNTS.get(kind),
        needs_terms=(session["consent_collection"] or {}).get("terms_of_service") == "required",
        countries=COUNTRIES,
        hints=HINTS,
        cards=len(CARDS),
        problem=problem,
        errors=errors or {},
    )
    return secured(page, _way_on(session), status)


def _closed(simulator: "Simulator", key: str) -> Response:
    """One page for done, timed out and never there, as at Stripe: it must not tell which."""
    known = key in simulator.store.checkout_sessions
    return secured(render_template("simulator/closed.html"), None, 200 if known else 404)


def _last_error(simulator: "Simulator", key: str) -> str | None:
    session = simulator.store.checkout_sessions[key]
    error = simulator.store.setup_intents[session["setup_intent"]]["last_setup_error"]
    return error["message"] if error else None


def _onward(simulator: "Simulator", key: str, outcome: str) -> ResponseReturnValue:
    """Where an outcome leads: back to the form, to the bank, or to the merchant."""
    if outcome == hosted.CLOSED:
        return _closed(simulator, key)
    if outcome == hosted.DECLINED:
        return redirect(url_for("pages.checkout", key=key, failed=1), 303)
    session = simulator.store.checkout_sessions[key]
    if session["status"] == "open":
        return redirect(url_for("pages.challenge", key=key), 303)
    return redirect(_way_on(session).replace("{CHECKOUT_SESSION_ID}", key), 303)


def _microdeposits(
    simulator: "Simulator", key: str, *, error: str | None = None, status: int = 200
) -> Response:
    intent = simulator.store.setup_intents.get(key)
    waiting = bool(intent) and (intent or {})["status"] == "requires_action"
    page = render_template(
        "simulator/microdeposits.html",
        waiting=waiting,
        code=setups.MICRODEPOSIT_CODE,
        error=error,
    )
    return secured(page, None, status if intent else 404)


def secured(page: str, leads_to: str | None, status: int = 200) -> Response:
    """A page with the headers of a page that takes cards.

    Chromium holds redirects that follow a form to `form-action` too, so the merchant's origin is named.
    """
    response = Response(page, status=status, mimetype="text/html")
    actions = "'self'"
    if leads_to:
        parts = urlsplit(leads_to)
        actions += f" {parts.scheme}://{parts.netloc}"
    response.headers["Content-Security-Policy"] = (
        "default-src 'none'; style-src 'self'; img-src data:; base-uri 'none'; frame-ancestors 'none'; "
        f"form-action {actions}"
    )
    response.headers["Cache-Control"] = "no-store"
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response


def _way_on(session: JSON) -> str:
    """Where the page leads when it is done; an embedded one may lead nowhere, and shows itself closed."""
    return str(session["success_url"] or session.get("return_url") or f"/c/pay/{session['id']}")
