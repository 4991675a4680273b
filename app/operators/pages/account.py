"""The pages of the operator's own account."""

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app import audit
from app.core import db
from app.core.config import settings
from app.core.db import utcnow
from app.core.errors import Conflict, Invalid, NotFound
from app.core.secrets.sealing import Unsealable
from app.operators.auth import accounts, login, second_factor, sessions
from app.operators.models import Operator, OperatorSession, Role
from app.operators.pages import guard, one_time_flash
from app.operators.pages.forms import ConfirmForm, NameForm, PasswordForm, SecondFactorForm
from app.operators.pages.guard import OperatorPages, current, current_session

pages = OperatorPages("operators", __name__)

NOT_YOURS = "This is not your password."
ENDED = "You were logged out meanwhile, and nothing was changed. Log in again."


@pages.page("/account", role=Role.VIEWER)
def account() -> ResponseReturnValue:
    """The own account."""
    return _account_page()


@pages.action("/account/name", role=Role.VIEWER)
def rename() -> ResponseReturnValue:
    """Change the name."""
    form = NameForm(formdata=request.form)
    if not form.validate():
        return _account_page(name=form), 422
    session = db.session()
    accounts.rename(session, _lock_operator(), form.name.data)
    session.commit()
    flash("Your name has been changed.", "success")
    return _to_account()


@pages.action("/account/password", role=Role.VIEWER)
def change_password() -> ResponseReturnValue:
    """Change the password. End all other sessions, and renew the token of this one."""
    form, session, mine = PasswordForm(formdata=request.form), db.session(), current_session()
    if not form.validate():
        return _account_page(password=form), 422
    checked = current().password_hash
    try:
        if not login.confirm_password(session, current(), form.current.data):
            form.current.errors = [NOT_YOURS]
            return _account_page(password=form), 422
        accepted = accounts.accept_password(form.new.data, email=current().email, name=current().name)
        operator = _lock_operator()
        if operator.password_hash != checked:
            raise Conflict("Your password has changed meanwhile. Log in again.")
        accounts.choose_password(session, operator, accepted, actor=guard.actor())
    except login.TooManyAttempts as error:
        form.current.errors = [error.detail]
        return _account_page(password=form), error.status
    except accounts.PasswordRefused as error:
        session.rollback()
        form.new.errors = [error.detail]
        return _account_page(password=form), 422
    _renew_session(operator, mine)
    flash("Your password has been changed. You're logged out everywhere else.", "success")
    answer = redirect(url_for("operators.account"), 303)
    login.remember_device(answer, operator)  # the former cookie ended with the password
    return answer


@pages.page("/account/second-factor", role=Role.VIEWER, before_second_factor=True)
def second_factor_page() -> ResponseReturnValue:
    """Show the secret that an app on the phone needs."""
    if current().has_second_factor:
        return _to_account()
    return _second_factor_page(SecondFactorForm(), second_factor.offer(current()))


@pages.action("/account/second-factor", role=Role.VIEWER, before_second_factor=True)
def enable_second_factor() -> ResponseReturnValue:
    """Enable the second factor, and show the recovery codes."""
    form, session, mine = SecondFactorForm(formdata=request.form), db.session(), current_session()
    try:
        setup = second_factor.offer(current(), form.sealed.data)
    except Unsealable:
        setup = second_factor.offer(current())
        form.code.errors = ["This page was out of date: scan the new picture."]
        return _second_factor_page(form, setup), 422
    if not form.validate():
        return _second_factor_page(form, setup), 422
    try:
        # Or a stranger at an unlocked computer could lock its owner out.
        if not login.confirm_password(session, current(), form.password.data):
            form.password.errors = [NOT_YOURS]
            return _second_factor_page(form, setup), 422
    except login.TooManyAttempts as error:
        form.password.errors = [error.detail]
        return _second_factor_page(form, setup), error.status
    operator = _lock_operator()
    try:
        codes = second_factor.enable(session, operator, setup, form.code.data)
    except Invalid as error:
        session.rollback()
        form.code.errors = [error.detail]
        return _second_factor_page(form, setup), 422
    sessions.end_all(session, operator.id)
    _renew_session(operator, mine)
    one_time_flash.keep("recovery codes", codes)
    return redirect(url_for("operators.recovery_codes"), 303)


@pages.page("/account/recovery-codes", role=Role.VIEWER)
def recovery_codes() -> ResponseReturnValue:
    """Show the recovery codes once."""
    codes = one_time_flash.take("recovery codes")
    if codes is None:
        return _to_account()
    return render_template("operators/recovery_codes.html", codes=codes)


@pages.action("/account/recovery-codes", role=Role.VIEWER)
def renew_recovery_codes() -> ResponseReturnValue:
    """Replace all recovery codes, after a password check."""
    form, session = ConfirmForm(formdata=request.form), db.session()
    refused = _confirm_password(form)
    if refused is not None:
        return refused
    codes = second_factor.renew_codes(session, _lock_operator())
    session.commit()
    one_time_flash.keep("recovery codes", codes)
    return redirect(url_for("operators.recovery_codes"), 303)


@pages.action("/account/second-factor/remove", role=Role.VIEWER)
def remove_second_factor() -> ResponseReturnValue:
    """Disable the second factor, after a password check."""
    if settings().operator_require_totp:
        raise Conflict("Every operator here needs a second factor.")
    form, session, mine = ConfirmForm(formdata=request.form), db.session(), current_session()
    refused = _confirm_password(form)
    if refused is not None:
        return refused
    operator = _lock_operator()
    second_factor.remove(session, operator, actor=guard.actor())
    _renew_session(operator, mine)
    flash("Your second factor has been removed.", "success")
    return _to_account()


@pages.action("/account/sessions/<session_id>/end", role=Role.VIEWER)
def end_session(session_id: str) -> ResponseReturnValue:
    """Log out in another browser."""
    session = db.session()
    db.start_write(session)
    row = session.get(OperatorSession, session_id) if db.is_id(session_id) else None
    if row is None or row.operator_id != current().id:
        raise NotFound("You have no such session.")
    if row.ended_at is None:
        row.ended_at = utcnow()
        audit.note(session, "operator.session_ended", actor=guard.actor(), operator_session_id=row.id)
    session.commit()
    flash("That session has ended.", "success")
    return _to_account()


@pages.action("/account/sessions/end", role=Role.VIEWER, before_second_factor=True)
def sign_out_everywhere() -> ResponseReturnValue:
    """Log out in every browser, including this one."""
    session = db.session()
    db.start_write(session)
    sessions.end_all(session, current().id)
    audit.note(session, "operator.signed_out_everywhere", actor=guard.actor())
    session.commit()
    sessions.leave()
    flash("You are logged out everywhere.", "success")
    return redirect(url_for("operator_login.login_page"), 303)


@pages.action("/logout", role=Role.VIEWER, before_second_factor=True)
def log_out() -> ResponseReturnValue:
    """Log out in this browser."""
    session, mine = db.session(), current_session()
    db.start_write(session)
    mine.ended_at = utcnow()
    audit.note(session, "operator.logged_out", actor=guard.actor(), operator_session_id=mine.id)
    session.commit()
    sessions.leave()
    flash("You are logged out.", "success")
    return redirect(url_for("operator_login.login_page"), 303)


def _account_page(
    *, name: NameForm | None = None, password: PasswordForm | None = None, confirm: ConfirmForm | None = None
) -> str:
    session, me = db.session(), current()
    return render_template(
        "operators/account.html",
        name=name or NameForm(formdata=None, data={"name": me.name}),
        password=password or PasswordForm(formdata=None),
        confirm=confirm or ConfirmForm(formdata=None),
        sessions=sessions.open_sessions(session, me.id),
        this_session=current_session(),
        codes_left=second_factor.codes_left(session, me),
        is_factor_required=settings().operator_require_totp,
    )


def _second_factor_page(form: SecondFactorForm, setup: second_factor.Setup) -> str:
    form.sealed.data = setup.sealed
    return render_template(
        "operators/second_factor.html",
        form=form,
        setup=setup,
        is_factor_required=settings().operator_require_totp,
    )


def _to_account() -> ResponseReturnValue:
    return redirect(url_for("operators.account"), 303)


def _lock_operator() -> Operator:
    """Begin a writing transaction, and return the locked operator of this request.

    Raises Conflict when its session has ended since: what follows may put a new one in its place.
    """
    session, mine = db.session(), current_session()
    db.start_write(session)
    operator = accounts.locked(session, current().id)
    if not sessions.is_open(session, mine):
        raise Conflict(ENDED)
    return operator


def _confirm_password(form: ConfirmForm) -> ResponseReturnValue | None:
    """Check the password. Return the page with the error, or None."""
    if not form.validate():
        return _account_page(confirm=form), 422
    try:
        if login.confirm_password(db.session(), current(), form.password.data):
            return None
    except login.TooManyAttempts as error:
        form.password.errors = [error.detail]
        return _account_page(confirm=form), error.status
    form.password.errors = [NOT_YOURS]
    return _account_page(confirm=form), 422


def _renew_session(operator: Operator, mine: OperatorSession) -> None:
    """Commit, and replace this session by one with a new token."""
    session = db.session()
    signed_in = sessions.begin(session, operator, since=mine.created_at)
    session.commit()
    sessions.enter(signed_in)
