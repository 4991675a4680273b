"""Tells people from programs that fill in forms, without a puzzle for anyone to solve."""

from datetime import timedelta

import structlog
from flask import request
from limits import parse_many

from app import portal
from app.core.config import settings
from app.core.db import utcnow
from app.core.errors import AppError
from app.onboarding.form.forms import Form
from app.web import limits
from app.web.addresses.client_address import client_address
from app.web.languages import gettext as _

log = structlog.get_logger("gangway.onboarding")

DECOY = "homepage"  # a field that people neither see nor hear of
MIN_QUICK_FORMS = 5  # forms in a row that one address may send quickly: many people may share it


class UnlikeAPerson(AppError):
    """A form was filled in as a program does it. A person who waits a moment can continue."""

    status = 422


def refuse(form: Form, *, is_new: bool) -> None:
    """Raise UnlikeAPerson for what a program sent. One form that is sent again counts once."""
    sent = request.form.getlist(DECOY)
    is_decoy_filled = settings().signup_decoy and any(value.strip() for value in sent)
    if is_decoy_filled or (is_new and _is_too_quick(form)):
        log.info("signup_unlike_a_person", decoy=is_decoy_filled)
        raise UnlikeAPerson(
            _(
                "The form looks as if a program filled it in. Nothing was saved, and what you typed is still"
                " here. Wait a few seconds, then send it again."
            )
        )


def _is_too_quick(form: Form) -> bool:
    """Was a new form sent faster than a person types, from an address that has sent several like that?

    Half as many as it may send at all: a browser fills in a form quickly, too.
    """
    shortest = timedelta(seconds=settings().signup_min_seconds)
    if form.made_at is None or utcnow() - form.made_at >= shortest:
        return False
    budgets = [
        type(each)(max(MIN_QUICK_FORMS, each.amount // 2), each.multiples)
        for each in parse_many(settings().rate_limit_signup)
    ]
    return not limits.current().allows([(each, ("quick-signup", client_address())) for each in budgets])


def too_many_declines() -> tuple[str, str]:
    """Return what to do after too many declined tries: a title and a sentence."""
    support = portal.current_profile().links.support_email
    told = _(
        "Too many payment methods were declined, so this is closed for a day to protect card owners. Nothing"
        " has been charged."
    )
    if support:
        advice = _(
            "Try again tomorrow with another card or bank account, or write to %(address)s.", address=support
        )
    else:
        advice = _("Try again tomorrow with another card or bank account, or ask us for help.")
    return _("Please wait before you try again"), f"{told} {advice}"
