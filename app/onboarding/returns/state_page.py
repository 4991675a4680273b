"""The page that says what is true of a customer's payment method, to the browser that may see it."""

from flask import render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from app import checkout, payers
from app.core.db import utcnow
from app.onboarding.billing import view
from app.onboarding.browsers.visit import outcome_url
from app.onboarding.form import bots
from app.onboarding.models import Signup
from app.onboarding.returns.way_back import way_back
from app.payers import PaymentStatus, status_info
from app.web import languages

REFRESHES = (2, 3, 5, 10, 20, 30)  # seconds between looks while something is pending; then a link is left


def show(
    session: Session, payer: payers.Payer, signup: Signup, *, checked: bool, is_known: bool
) -> ResponseReturnValue:
    """Show the state of a payer; `checked` says whether it is Stripe's word of just now.

    A browser that is not known, and only came back from Stripe, sees the state and can do nothing more.
    """
    attempt = checkout.latest(session, payer)
    status = checkout.payment_status(payer, attempt)
    info = status_info(status)
    seen = [row for row in payer.attached_methods if signup.sees(row)]
    method = payer.default_method if payer.default_method in seen else None
    newest = next((row for row in reversed(seen) if row is not method), None)  # besides the default
    if status is PaymentStatus.REMOVED and not seen:
        detached = (row for row in payer.methods if row.detached_at is not None and signup.sees(row))
        method = max(detached, key=lambda row: row.detached_at or row.created_at, default=None)
    tries = min(request.args.get("n", 0, int), len(REFRESHES))
    wait = REFRESHES[tries] if (info.is_watched or not checked) and 0 <= tries < len(REFRESHES) else None
    further = further_attempt(payer, attempt, signup) if info.is_usable else None
    choice = view.open_choice(payer, signup.sees) if is_known and checked else None
    stays = "stay" in request.args or not checked or further is not None or choice is not None
    failed = attempt if status is PaymentStatus.FAILED or further == "failed" else None
    return render_template(
        "onboarding/return.html",
        status=status.value,
        is_usable=info.is_usable,
        waits_for_bank=info.waits_for_bank,
        customer=payer.customer,
        is_guest=signup.is_guest,
        method=method,
        replaces=newest if newest and method and _replaces(method, newest) else None,
        keeps=newest if newest and method and newest.created_at > method.created_at else None,
        is_saved_twice=newest is not None and method is not None and newest.is_same_as(method),
        unchosen=newest if not method else None,
        further=further,
        reason=failed.error_message if failed else None,
        translated_reason=_translated(failed) if failed else None,
        advice=_advice(failed) if failed else None,
        verification_url=_verification_url(attempt, signup),
        refresh_seconds=wait,
        refresh_url=_again(payer, n=max(tries, 0) + 1),
        again=_again(payer),
        may_resume=is_known,
        choice=choice,
        way_back=way_back(session, payer.customer, signup, status, stays=stays),
        stay_url=outcome_url(payer.customer_id, session=request.args.get("session"), stay=1),
        awaits_code=attempt is not None and attempt.awaits_microdeposits,
        checked=checked,
        is_being_checked=payer.leased_until is not None and payer.leased_until > utcnow(),
        checked_at=payer.verified_at,
        blocked=bots.too_many_declines() if checkout.is_blocked(payer) else None,
    )


def further_attempt(
    payer: payers.Payer, attempt: checkout.CheckoutSession | None, signup: Signup
) -> str | None:
    """How far somebody came with another method while one is saved: open, failed, or waiting for the bank."""
    default = payer.default_method
    if attempt is None or default is None or attempt.created_at < max(default.created_at, signup.created_at):
        return None
    if attempt.status == "complete" and attempt.setup_status != "succeeded":
        return "failed" if attempt.error_code else "awaits_code" if attempt.next_action else "processing"
    if attempt.status == "open" and attempt.expires_at > utcnow():
        return "failed" if attempt.error_code else "open"
    return None


def _again(payer: payers.Payer, n: int | None = None) -> str:
    """Return the URL of this page, with the same session."""
    return outcome_url(payer.customer_id, session=request.args.get("session"), n=n)


def _replaces(method: payers.PaymentMethod, other: payers.PaymentMethod) -> bool:
    """Did the default take the place of another card or account, and not just of the same one?"""
    return other.created_at <= method.created_at and not other.is_same_as(method)


def _advice(attempt: checkout.CheckoutSession) -> str:
    return checkout.explain_decline(attempt.error_code, attempt.decline_code).customer_advice


def _translated(attempt: checkout.CheckoutSession) -> str | None:
    """Return Stripe's reason in the reader's language, where that is not the English of Stripe."""
    if languages.current().language == "en":
        return None
    return checkout.translate_decline(attempt.error_code, attempt.decline_code)


def _verification_url(attempt: checkout.CheckoutSession | None, signup: Signup) -> str | None:
    """Stripe's page to confirm a bank account; not for a guest who came after the account was given."""
    if attempt is None or (signup.is_guest and attempt.created_at < signup.created_at):
        return None
    return attempt.microdeposit_url
