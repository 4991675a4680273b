"""The page where a payer verifies micro-deposits with the code from the bank statement."""

from flask import Blueprint, Response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.simulator.engine import Engine
from app.simulator.pages.responses import secure_page
from app.simulator.resources.setup import outcomes


def blueprint(engine: Engine) -> Blueprint:
    """Make the routes of the page."""
    pages = Blueprint("microdeposits", __name__)

    @pages.get("/c/microdeposits/<key>")
    def show(key: str) -> ResponseReturnValue:
        return _page(engine, key)

    @pages.post("/c/microdeposits/<key>")
    def verify(key: str) -> ResponseReturnValue:
        code = request.form.get("code", "").strip().upper()
        session = engine.store.notes.get(key, {}).get("checkout_session")
        if session is None or engine.microdeposits_of(session) is None:
            return _page(engine, key)
        if code != outcomes.MICRODEPOSIT_CODE:
            error = f"This code is wrong. In this simulator it is {outcomes.MICRODEPOSIT_CODE}."
            return _page(engine, key, error=error, status=422)
        engine.verify_microdeposits(session)
        return redirect(url_for("microdeposits.show", key=key), 303)

    return pages


def _page(engine: Engine, key: str, *, error: str | None = None, status: int = 200) -> Response:
    intent = engine.store.setup_intents.get(key)
    is_waiting = bool(intent) and (intent or {})["status"] == "requires_action"
    page = render_template(
        "microdeposits.html",
        waiting=is_waiting,
        code=outcomes.MICRODEPOSIT_CODE,
        error=error,
    )
    return secure_page(page, None, status if intent else 404)
