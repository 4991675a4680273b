"""The hosted pages of Checkout: the form and the 3-D Secure challenge.

They work without JavaScript. They never show, store or log what the payer enters in the card's fields.
"""

from flask import Blueprint, Response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.simulator.engine import Engine
from app.simulator.pages.countries import COUNTRIES
from app.simulator.pages.responses import TYPE_NAMES, secure_page
from app.simulator.pages.texts import Wording
from app.simulator.resources.cards import CARDS
from app.simulator.resources.checkout import hosted_page
from app.simulator.resources.checkout.forms import AccountForm, CardForm, FormErrors, Payer
from app.simulator.resources.payment_methods import TEST_ACCOUNTS
from app.simulator.store import JSON

# Cards to try first.
HINTS = (
    ("4242 4242 4242 4242", "succeeds"),
    ("4000 0025 0000 3155", "asks for 3-D Secure"),
    ("4000 0000 0000 0002", "is declined"),
    ("4000 0000 0000 9995", "has insufficient funds"),
    ("3782 822463 10005", "is an American Express card (security code of 4 digits)"),
)


def blueprint(engine: Engine) -> Blueprint:
    """Make the routes of Checkout's pages."""
    pages = Blueprint("pages", __name__)

    @pages.get("/c/pay/<key>")
    def checkout(key: str) -> ResponseReturnValue:
        engine.tick()
        work = engine.page_work(key)
        session = hosted_page.open_session(work, key)
        if session is None:
            return _closed_page(engine, key)
        problem = _last_error(engine, key) if "failed" in request.args else None
        return _form(engine, key, problem=problem)

    @pages.post("/c/pay/<key>")
    def submit(key: str) -> ResponseReturnValue:
        engine.tick()
        work = engine.page_work(key)
        session = hosted_page.open_session(work, key)
        if session is None:
            return _closed_page(engine, key)
        kind = _kind(session["payment_method_types"])
        form = _card() if kind == "card" else _account(kind)
        try:
            outcome = hosted_page.submit(work, key, form, _payer())
        except FormErrors as error:
            return _form(engine, key, errors=error.errors, status=422)
        engine.after_page(work)
        if outcome == hosted_page.DECLINED:
            return _form(engine, key, problem=_last_error(engine, key), status=422)
        return _follow(engine, key, outcome)

    @pages.get("/c/pay/<key>/challenge")
    def challenge(key: str) -> ResponseReturnValue:
        work = engine.page_work(key)
        session = hosted_page.open_session(work, key)
        if session is None or not hosted_page.is_challenged(work, session):
            return _closed_page(engine, key)
        intent = work.store.setup_intents[session["setup_intent"]]
        card = work.store.payment_methods[intent["payment_method"]]["card"]
        page = render_template("challenge.html", session=session, card=card, t=Wording(session["locale"]))
        return secure_page(page, _return_url(session))

    @pages.post("/c/pay/<key>/challenge")
    def answer_challenge(key: str) -> ResponseReturnValue:
        outcome = engine.authenticate(key, ok=request.form.get("answer") == "complete")
        return _follow(engine, key, outcome)

    return pages


def _kind(types: list[str]) -> str:
    """Return the chosen tab if the session allows it, or else the first."""
    chosen = request.values.get("method", "")
    return chosen if chosen in types else types[0]


def _card() -> CardForm:
    fields = ("card_number", "expiry", "cvc")
    return CardForm(*(request.form.get(name, "") for name in fields))


def _account(kind: str) -> AccountForm:
    number, routing = (request.form.get(name, "") for name in ("account_number", "routing_number"))
    return AccountForm(kind, number, routing, request.form.get("verify") == "later")


def _payer() -> Payer:
    names = ("name", "email", "postal_code", "phone", "line1", "city", "tax_id")
    given = {name: request.form.get(name, "").strip()[:200] for name in names}
    country = request.form.get("country", "US")
    known = country if country in COUNTRIES else "US"
    return Payer(country=known, agrees="agrees" in request.form, **given)


def _form(
    engine: Engine,
    key: str,
    *,
    problem: str | None = None,
    errors: dict[str, str] | None = None,
    status: int = 200,
) -> Response:
    session = engine.store.checkout_sessions[key]
    account = engine.store.accounts[engine.store.checkout_sessions.owner(key)]
    customer = engine.store.customers.get(session["customer"] or "", {})
    kind = _kind(session["payment_method_types"])
    wording = Wording(session["locale"])
    page = render_template(
        "checkout.html",
        t=wording,
        session=session,
        merchant=account["business_profile"]["name"],
        email=customer.get("email") or session["customer_email"],
        typed=request.form,
        kind=kind,
        tabs={name: wording(TYPE_NAMES[name]) for name in session["payment_method_types"]},
        test_account=TEST_ACCOUNTS.get(kind),
        needs_terms=(session["consent_collection"] or {}).get("terms_of_service") == "required",
        countries=wording.countries,
        hints=HINTS,
        cards=len(CARDS),
        problem=wording(problem) if problem else None,
        errors={name: wording(text) for name, text in (errors or {}).items()},
    )
    return secure_page(page, _return_url(session), status)


def _closed_page(engine: Engine, key: str) -> Response:
    """Return the page of a complete, expired or unknown session. As at Stripe, it must not tell which."""
    is_known = key in engine.store.checkout_sessions
    return secure_page(render_template("closed.html"), None, 200 if is_known else 404)


def _last_error(engine: Engine, key: str) -> str | None:
    session = engine.store.checkout_sessions[key]
    error = engine.store.setup_intents[session["setup_intent"]]["last_setup_error"]
    return error["message"] if error else None


def _follow(engine: Engine, key: str, outcome: str) -> ResponseReturnValue:
    """Go back to the form, on to the bank, or to the merchant."""
    if outcome == hosted_page.CLOSED:
        return _closed_page(engine, key)
    if outcome == hosted_page.DECLINED:
        return redirect(url_for("pages.checkout", key=key, failed=1), 303)
    session = engine.store.checkout_sessions[key]
    if session["status"] == "open":
        return redirect(url_for("pages.challenge", key=key), 303)
    return redirect(_return_url(session).replace("{CHECKOUT_SESSION_ID}", key), 303)


def _return_url(session: JSON) -> str:
    """Return where the page leads. An embedded one may lead nowhere, and then shows itself closed."""
    return str(session["success_url"] or session.get("return_url") or f"/c/pay/{session['id']}")
