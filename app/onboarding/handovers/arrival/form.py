"""The sign-up form of a hand-over: its values, and which of them the browser can't change."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import structlog
from flask import request
from flask import session as cookie
from itsdangerous import BadSignature
from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict

from app import portal
from app.core.config import settings
from app.core.errors import NotFound
from app.customers import Customer, NewCustomer
from app.onboarding import handovers, queries
from app.onboarding.form import details as form_details
from app.onboarding.form.forms import EARLIER, Form, SignupForm
from app.onboarding.handovers import FORM_LIFETIME, Handover, HandoverDetails, HandoverRefused
from app.onboarding.handovers import values as handover_values
from app.onboarding.models import browser_hash
from app.web import languages, limits
from app.web.addresses.client_address import client_address
from app.web.input.signed import Serializer, serializer
from app.web.input.visible import has_control_characters, trim

HARMLESS = {"name": 256, "email": 254}  # what an unsigned address may fill in, with its length
log = structlog.get_logger("gangway.handovers")


def of_address(session: Session) -> tuple[Handover, str] | None:
    """Return the hand-over in the address and what the form keeps of it. Raises HandoverRefused."""
    token = request.args.get("handover")
    if token is None:
        return None
    return _read(session, token, timedelta()), sealed(token)


def of_form(session: Session) -> Handover | None:
    """Return the hand-over with which a form was drawn. Raises HandoverRefused.

    Our signature says that the token was valid when the form was drawn. So nobody loses what they typed
    because the token expired meanwhile.
    """
    kept = request.form.get("handover")
    if not kept or kept == EARLIER:
        return None
    try:
        token = _signer().loads(kept, max_age=int(FORM_LIFETIME.total_seconds()))
    except BadSignature as error:
        raise _refuse(HandoverRefused(handovers.EXPIRED, "The form was open for too long.")) from error
    return _read(session, str(token), FORM_LIFETIME)


def begin(handover: Handover, kept: str) -> SignupForm:
    """Return the form as it begins, with the values of the hand-over. Raises HandoverRefused.

    A question may have been removed after the token was signed. Then its answer is left out, and the log says
    so: the person could do nothing about it.
    """
    details = handover.details
    _refuse_unfit(details)
    unknown = handover_values.unknown_questions(details)
    if unknown:
        log.warning("handover_answers_left_out", questions=unknown, actor=handover.actor)
    values = handover_values.values_of(details)
    if details.currency and not handover_values.offers(details.currency):
        del values["currency"]  # the browser chooses another
    form = SignupForm.blank(given=handover_values.given_fields(details), **values, handover=kept)
    handover_values.lock(form, details)
    return form


def sent(session: Session, handover: Handover | None) -> SignupForm:
    """Return the form that a browser sent, as text alone: a file counts as no value.

    For fields that are locked or not shown it has the values of the hand-over, whatever the browser sent.
    What an earlier hand-over locked stays as it was stored. Raises HandoverRefused.
    """
    if handover is None:
        return _of_known(session) or SignupForm(formdata=request.form)
    details = handover.details
    _refuse_unfit(details)
    fields = MultiDict(request.form)
    handover_values.fix(fields, details)
    form = SignupForm(formdata=fields, given=handover_values.given_fields(details))
    handover_values.lock(form, details)
    return form


def completed(form: SignupForm, handover: Handover | None) -> NewCustomer:
    """Return the customer to create. What the form does not ask for, the hand-over says."""
    wanted = form.wanted()
    if handover is None:
        return wanted
    details = handover.details
    said: dict[str, Any] = {}
    if details.currency and "currency" in handover_values.fixed_fields(details):
        said["currency"] = details.currency
    if details.subject_keys:
        said["subject_keys"] = tuple(details.subject_keys)
    return replace(wanted, **said)


def unsigned_values() -> dict[str, str]:
    """Return the harmless values that an address without a signature may fill in."""
    found = {name: trim(request.args.get(name, ""))[:length] for name, length in HARMLESS.items()}
    return {name: text for name, text in found.items() if text and not has_control_characters(text)}


def sealed(token: str) -> str:
    """Return what a form keeps of a token."""
    return _signer().sign(token)


def _of_known(session: Session) -> SignupForm | None:
    """Return the form of a customer that this browser signed up by a hand-over, if it says that it is one."""
    form = Form.of(request.form.get("nonce")) if request.form.get("handover") == EARLIER else None
    own = queries.of_form(session, form.id) if form else None
    if own is None or own.browser_hash != browser_hash(cookie.get("browser", "")):
        return None
    customer, fields = session.get_one(Customer, own.customer_id), MultiDict(request.form)
    for name, value in form_details.locked_values(customer).items():
        handover_values.put(fields, name, value)
    known = SignupForm(formdata=fields)
    known.hold(customer)
    return known


def _refuse_unfit(details: HandoverDetails) -> None:
    """Raise HandoverRefused where the browser can't change a value that the form does not take."""
    problems = handover_values.refusals(details)
    if problems:
        reason = " ".join(f"{name}: {problem}" for name, problem in problems.items())
        raise _refuse(HandoverRefused(handovers.UNFIT, reason))


def _read(session: Session, token: str, grace: timedelta) -> Handover:
    """Verify a token, and show the page in its profile and language. Raises HandoverRefused."""
    try:
        handover = handovers.read(session, token, grace=grace)
        slug = handover.details.profile or portal.current_slug()
        portal.profile(slug)
    except HandoverRefused as error:
        raise _refuse(error) from error
    except NotFound as error:
        raise _refuse(HandoverRefused(handovers.WRONG, "There is no such profile.")) from error
    portal.use_profile(slug)
    languages.prefer(handover.details.language)
    return handover


def _refuse(error: HandoverRefused) -> HandoverRefused:
    """Tell the log why, and count who tries bad tokens. Raises TooMany."""
    log.warning("handover_refused", kind=error.kind, reason=error.detail)
    if error.kind == handovers.WRONG:
        limits.current().spend(settings().rate_limit_bad_token, "bad-handover", client_address())
    return error


def _signer() -> Serializer:
    return serializer(tuple(settings().signing_keys), "handover-form")
