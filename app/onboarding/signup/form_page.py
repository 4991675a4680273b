"""The page of the sign-up form: how it is drawn, and what it says about what went wrong."""

from flask import render_template, request
from flask import session as cookie
from flask.typing import ResponseReturnValue

from app import checkout, customers
from app.core.config import settings
from app.core.errors import AppError, Invalid, PreconditionFailed
from app.core.values import frozen
from app.onboarding.browsers.visit import name_browser
from app.onboarding.form import bots, typos
from app.onboarding.form.forms import Form, SignupForm
from app.onboarding.signup import actions
from app.web.languages import gettext as _


@frozen
class Problem:
    """What went wrong with the whole form, above it."""

    title: str
    detail: str


def draw(
    form: SignupForm,
    problem: Problem | None = None,
    status: int = 200,
    *,
    resuming: bool = False,
    meant: str | None = None,
) -> ResponseReturnValue:
    """Show the form; `meant` is the address that the visitor probably meant."""
    return draw_text(form, problem, resuming=resuming, meant=meant), status


def draw_text(
    form: SignupForm, problem: Problem | None = None, *, resuming: bool = False, meant: str | None = None
) -> str:
    """Return the page of the form."""
    return render_template(
        "onboarding/form.html",
        form=form,
        problem=problem,
        resuming=resuming,
        meant=meant,
        decoy=bots.DECOY if settings().signup_decoy else None,
    )


def draw_again(form: SignupForm, sent: Form | None) -> ResponseReturnValue | None:
    """Show the form again where it was sent for that, has errors or leaves a question; else return None."""
    if "add_subject_key" in request.form and form.subject_keys:  # without JavaScript
        form.subject_keys.data.append("")
        return draw(form)
    if "language" in request.form:  # the switch sends what was typed along
        return draw(form)
    if not form.validate() or sent is None or "browser" not in cookie:
        return draw(form, _explain_stale(form, sent), status=422)
    meant = _email_question(form)
    return None if meant is None else draw(form, meant=meant, status=422)


def _explain_stale(form: SignupForm, sent: Form | None) -> Problem | None:
    """A form that is too old, or that this browser's cookie does not vouch for, gets fresh ones in place."""
    if sent is not None and "csrf_token" not in form.errors and "browser" in cookie:
        return None
    name_browser()
    form.nonce.data = (sent or Form()).nonce
    return Problem(
        _("Please send it again"),
        _(
            "This page was open for a long time, or your browser did not send our cookie. "
            "Nothing was stored; what you typed is still here."
        ),
    )


def _email_question(form: SignupForm) -> str | None:
    """Return the address that a visitor probably meant, once for each address.

    One click takes it. Sending the form again keeps the address that was typed.
    """
    if not form.email or not form.email.data or form.email.flags.locked:
        return None
    meant = typos.suggest(form.email.data)
    if meant is not None and request.form.get("use_email") == meant:
        form.email.data = meant
        return None
    if meant is None or form.email_asked.data == form.email.data:
        return None
    form.email_asked.data = form.email.data
    return meant


def explain(form: SignupForm, error: AppError) -> tuple[Problem | None, int]:
    """Say why a form was not accepted: beside a field, else above the form, with the status of the answer."""
    if isinstance(error, customers.CustomerTaken):
        return _explain_taken(form), 422
    is_blocked = isinstance(error, checkout.TooManyDeclines)
    is_deleted = isinstance(error, PreconditionFailed) and not is_blocked
    if isinstance(error, actions.FormAlreadyUsed) or is_deleted:
        form.nonce.data = Form().nonce
        return Problem(_("Please send it again"), _("Nothing was stored; what you typed is still here.")), 422
    named = [name for name in ("email", "tax_id") if name in getattr(error, "fields", {}) and name in form]
    if isinstance(error, Invalid) and named:
        form[named[0]].errors = [error.detail]
        return None, 422
    if isinstance(error, Invalid):
        return Problem(_("Stripe did not accept these details"), error.detail), 422
    words = bots.too_many_declines() if is_blocked else (_("Please send it again"), error.detail)
    return Problem(*words), error.status


def _explain_taken(form: SignupForm) -> Problem | None:
    """Say that a name is taken. One sentence for every case: it does not reveal the name or its holder."""
    support = form.profile.links.support_email
    sentences = [
        _("This reference or one of these names can’t be used for a new sign-up."),
        _("If your company has signed up before: write to %(address)s for a link.", address=support)
        if support
        else _("If your company has signed up before: ask us for a link."),
    ]
    field = form.subject_keys or form.key
    if field is None or field.flags.undrawn:
        return Problem(_("Please check what you entered"), " ".join(sentences))
    field.errors = sentences
    return None
