"""The sign-up form of a hand-over: its values, and which of them the browser can't change."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import structlog
from flask import request
from itsdangerous import BadSignature, URLSafeTimedSerializer
from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict
from wtforms import SelectField

from app import portal
from app.core.config import settings
from app.core.errors import NotFound
from app.customers import NewCustomer
from app.onboarding import handovers
from app.onboarding.form_details import NO, YES
from app.onboarding.form_fields import INPUTS
from app.onboarding.forms import SignupForm
from app.onboarding.handovers import FORM_LIFETIME, Handover, HandoverDetails, HandoverRefused
from app.web import languages, limits
from app.web.forms import has_control_characters
from app.web.visible import trim
from app.web.visitors import visitor

CHECKED = {YES: True, NO: False}
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
    if not kept:
        return None
    try:
        token = _signer().loads(kept, max_age=int(FORM_LIFETIME.total_seconds()))
    except BadSignature as error:
        raise _refuse(HandoverRefused(handovers.EXPIRED, "The form was open for too long.")) from error
    return _read(session, str(token), FORM_LIFETIME)


def begin(handover: Handover, kept: str) -> SignupForm:
    """Return the form as it begins, with the values of the hand-over."""
    details = handover.details
    form = SignupForm.blank(given=_given(details), **_values(details), handover=kept)
    _lock(form, details)
    return form


def sent(handover: Handover | None) -> SignupForm:
    """Return the form that a browser sent, as text alone: a file counts as no value.

    For fields that are locked or not shown it has the values of the hand-over, whatever the browser sent.
    """
    if handover is None:
        return SignupForm(formdata=request.form)
    details = handover.details
    fields, values = MultiDict(request.form), _values(details)
    for name in _fixed(details):
        for each in INPUTS.get(name, (name,)):
            value = values.get(each, "")
            # A box that is not ticked sends nothing.
            fields.setlist(each, value if isinstance(value, list) else [] if value is False else [value])
    form = SignupForm(formdata=fields, given=_given(details))
    _lock(form, details)
    return form


def completed(form: SignupForm, handover: Handover | None) -> NewCustomer:
    """Return the customer to create. What the form does not ask for, the hand-over says."""
    wanted = form.wanted()
    if handover is None:
        return wanted
    details = handover.details
    said: dict[str, Any] = {}
    if details.currency and ("currency" in details.locked_fields or "currency" not in form):
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
    signed = _signer().dumps(token)
    return signed.decode() if isinstance(signed, bytes) else signed


def _values(details: HandoverDetails) -> dict[str, Any]:
    """Return what is given, by the names of the form's fields."""
    said: dict[str, Any] = details.model_dump(
        exclude_none=True, exclude={"locked", "profile", "language", "single_use"}
    )
    address: dict[str, Any] = said.pop("billing_address", {})
    custom: dict[str, Any] = said.pop("custom_fields", {})
    # The fields of the form win over a question of the same name.
    return _answers(custom) | address | said


def _answers(custom: dict[str, str]) -> dict[str, Any]:
    """Return the answers as the form's inputs take them: a checkbox is true or false."""
    boxes = {each.name for each in portal.current_profile().form.custom_fields if each.kind == "checkbox"}
    return {name: CHECKED.get(answer, answer) if name in boxes else answer for name, answer in custom.items()}


def _given(details: HandoverDetails) -> frozenset[str]:
    """Return the fields and questions that have a value, by their names in the portal's settings."""
    asked = portal.current_profile().form.fields
    found = {name for name in asked if getattr(details, name, None)}
    return frozenset(found | set(details.custom_fields or {}))


def _fixed(details: HandoverDetails) -> set[str]:
    """Return the fields that the browser can't change: locked ones, and those that the profile hides."""
    form = portal.current_profile().form
    presence = dict(form.fields) | {each.name: each.presence for each in form.custom_fields}
    unasked = {name for name in _given(details) if presence.get(name) in {"hidden", "locked"}}
    return unasked | details.locked_fields


def _lock(form: SignupForm, details: HandoverDetails) -> None:
    """Show locked fields as such."""
    values = _values(details)
    for name in (each for field in _fixed(details) for each in INPUTS.get(field, (field,))):
        if name not in form:
            continue
        form[name].flags.locked = True
        if isinstance(form[name], SelectField):
            form[name].choices = [pair for pair in form[name].choices if pair[0] == values.get(name, "")]


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
        limits.current().spend(settings().rate_limit_bad_token, "bad-handover", visitor())
    return error


def _signer() -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(settings().signing_keys, salt="handover-form")
