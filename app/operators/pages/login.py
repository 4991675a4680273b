"""The pages before the console: login, code, set-up, and choosing a password by a link."""

import re
import time

from flask import Blueprint, g, make_response, redirect, render_template, request, url_for
from flask import session as cookie
from flask.typing import ResponseReturnValue
from flask_wtf import FlaskForm

from app.core import db
from app.core.config import settings
from app.core.errors import NotFound
from app.operators import queries
from app.operators.auth import accounts, login, one_time_links, second_factor, sessions
from app.operators.models import OneTimeLink, Operator, Role
from app.operators.pages.forms import CodeForm, InvitationForm, LoginForm, SetupForm
from app.web.limits import limited

bp = Blueprint("operator_login", __name__, url_prefix="/operator")

HOME = "/operator/"
MAX_CODE_WAIT = 600  # seconds between the password and the code
STALE = (
    "Please send it again",
    "This page was open for a long time, or your browser did not send our cookie.",
)
WRONG_CODE = "This code is wrong or was used before. Wait for the next one, or use a recovery code."
WRONG_TOKEN = "This token is wrong or too old. A new one is in the log each time the server starts."  # noqa: S105
WRONG = ("That didn't work", "The email address or the password is wrong. Check both and try again.")

by_address = limited(
    lambda: settings().rate_limit_login, scope="operator-login", counts=lambda: g.get("failed", False)
)


@bp.get("/login")
def login_page() -> ResponseReturnValue:
    """Ask for email address and password."""
    if sessions.current() is not None:
        return redirect(_next_page(), 303)
    return _login_page(LoginForm())


@bp.post("/login")
@by_address
def log_in() -> ResponseReturnValue:
    """Log in, ask for a code, or say that the email or password is wrong, without saying which."""
    form = LoginForm(formdata=request.form)
    if not form.validate():
        return _login_page(form, _problem(form), 422)
    session, email = db.session(), form.email.data
    try:
        operator = login.check_password(session, email, form.password.data)
    except login.TooManyAttempts as error:
        login.log_failure(email, "operator.login_throttled")
        return _login_page(form, ("Please wait a while", error.detail), error.status)
    if operator is not None and operator.has_second_factor:
        cookie["waiting_for_code"] = [operator.id, time.time()]
        return redirect(url_for("operator_login.code_page", next=request.args.get("next")), 303)
    if operator is None or not login.complete(
        session, operator, login.Credentials.of(operator), password=form.password.data
    ):
        g.failed = True
        page = make_response(_login_page(form, WRONG, 422))
        return login.note_failure_later(page, email, "operator.login_failed")
    return _finish_login(operator)


@bp.get("/login/code")
def code_page() -> ResponseReturnValue:
    """Ask for the second factor."""
    if _waiting_for_code() is None:
        return redirect(url_for("operator_login.login_page", next=request.args.get("next")), 303)
    return _code_page(CodeForm())


@bp.post("/login/code")
@by_address
def submit_code() -> ResponseReturnValue:
    """Log in with a valid code that was not used before."""
    form, operator, session = CodeForm(formdata=request.form), _waiting_for_code(), db.session()
    if operator is None:
        return redirect(url_for("operator_login.login_page", next=request.args.get("next")), 303)
    if not form.validate():
        return _code_page(form, _problem(form), 422)
    try:
        login.spend_code(operator)
    except login.TooManyAttempts as error:
        login.log_failure(operator.email, "operator.second_factor_throttled")
        return _code_page(form, ("Please wait a while", error.detail), error.status)
    checked = login.Credentials.of(operator)  # the password was given for these
    db.start_write(session)
    fits = second_factor.accepts(session, accounts.locked(session, operator.id), form.code.data)
    session.commit()
    if not fits or not login.complete(session, operator, checked):
        g.failed = True
        form.code.errors = [WRONG_CODE]
        page = make_response(_code_page(form, None, 422))
        return login.note_failure_later(page, operator.email, "operator.second_factor_failed")
    login.forgive_codes(operator)
    return _finish_login(operator)


@bp.get("/setup")
def setup_page() -> ResponseReturnValue:
    """Ask for the first operator, while there is none."""
    _only_without_operators()
    return _setup_page(SetupForm(data={"token": request.args.get("token", "")}))


@bp.post("/setup")
@by_address
def create_first_operator() -> ResponseReturnValue:
    """Create the first operator, an admin, with the token from the log."""
    _only_without_operators()
    form, session = SetupForm(formdata=request.form), db.session()
    if not form.validate():
        return _setup_page(form, _problem(form), 422)
    if not one_time_links.is_setup(session, form.token.data):
        return _wrong_token(form)
    db.end_read(session)
    try:
        accepted = accounts.accept_password(form.password.data, email=form.email.data, name=form.name.data)
    except accounts.PasswordRefused as error:
        form.password.errors = [error.detail]
        return _setup_page(form, None, 422)
    db.start_write(session)
    if not one_time_links.take_setup(session, form.token.data):
        session.rollback()
        return _wrong_token(form)
    try:
        operator = accounts.create(
            session,
            email=form.email.data,
            name=form.name.data,
            role=Role.ADMIN,
            password=accepted,
            actor="login page",
            is_first=True,
        )
    except accounts.EmailTaken:  # pragma: no cover (by a token of a server that started this very moment)
        session.rollback()
        return redirect(url_for("operator_login.login_page"), 303)
    session.commit()
    login.complete(session, operator, login.Credentials.of(operator))
    return _finish_login(operator)


@bp.get("/invitation")
def invitation_page() -> ResponseReturnValue:
    """Ask for a password on a one-time link. A mail scanner that opens the link changes nothing."""
    token = request.args.get("token", "")
    link = _link(token)
    return _dead_link() if link is None else _invitation_page(InvitationForm(data={"token": token}), link)


@bp.post("/invitation")
@by_address
def accept_invitation() -> ResponseReturnValue:
    """Set the password, use up the link, and log in."""
    form, session = InvitationForm(formdata=request.form), db.session()
    link = _link(form.token.data or "")
    if link is None:
        g.failed = True
        return _dead_link()
    if not form.validate():
        return _invitation_page(form, link, _problem(form), 422)
    invited = session.get_one(Operator, link.operator_id)
    db.end_read(session)
    try:
        accepted = accounts.accept_password(form.password.data, email=invited.email, name=invited.name)
    except accounts.PasswordRefused as error:
        form.password.errors = [error.detail]
        return _invitation_page(form, link, None, 422)
    db.start_write(session)
    operator = accounts.locked(session, invited.id)
    if not one_time_links.take(session, link):
        session.rollback()
        return _dead_link()
    accounts.choose_password(session, operator, accepted, actor=f"operator:{operator.id}")
    session.commit()
    if operator.has_second_factor:
        cookie["waiting_for_code"] = [operator.id, time.time()]
        return redirect(url_for("operator_login.code_page"), 303)
    login.complete(session, operator, login.Credentials.of(operator))
    return _finish_login(operator)


def _login_page(
    form: LoginForm, problem: tuple[str, str] | None = None, status: int = 200
) -> ResponseReturnValue:
    is_new = not queries.is_anybody(db.session())
    page = render_template(
        "operators/login.html", form=form, problem=problem, next_page=request.args.get("next"), is_new=is_new
    )
    return page, status


def _code_page(
    form: CodeForm, problem: tuple[str, str] | None = None, status: int = 200
) -> ResponseReturnValue:
    page = render_template(
        "operators/code.html", form=form, problem=problem, next_page=request.args.get("next")
    )
    return page, status


def _setup_page(
    form: SetupForm, problem: tuple[str, str] | None = None, status: int = 200
) -> ResponseReturnValue:
    return render_template("operators/setup.html", form=form, problem=problem), status


def _wrong_token(form: SetupForm) -> ResponseReturnValue:
    g.failed = True
    form.token.errors = [WRONG_TOKEN]
    return _setup_page(form, None, 422)


def _invitation_page(
    form: InvitationForm, link: OneTimeLink, problem: tuple[str, str] | None = None, status: int = 200
) -> ResponseReturnValue:
    operator = db.session().get_one(Operator, link.operator_id)
    return render_template("operators/invitation.html", form=form, who=operator, problem=problem), status


def _dead_link() -> ResponseReturnValue:
    return render_template("operators/dead_link.html"), 404


def _link(token: str) -> OneTimeLink | None:
    link = one_time_links.find(db.session(), token)
    return link if link is not None and link.operator_id is not None else None


def _only_without_operators() -> None:
    if queries.is_anybody(db.session()):
        raise NotFound("The console is already set up.")


def _waiting_for_code() -> Operator | None:
    """Return the operator who has entered the password in this browser, but no code yet."""
    found = cookie.get("waiting_for_code")
    if found is None:
        return None
    operator_id, at = found
    operator = db.session().get(Operator, operator_id)
    good = (
        operator is not None
        and operator.disabled_at is None
        and operator.has_second_factor
        and time.time() - at < MAX_CODE_WAIT
        and login.given_since(at, operator)
    )
    return operator if good else None


def _finish_login(operator: Operator) -> ResponseReturnValue:
    cookie.pop("waiting_for_code", None)
    response = redirect(_next_page(), 303)
    login.remember_device(response, operator)
    return response


def _next_page() -> str:
    """Return the requested page of the console. Never lead elsewhere."""
    page = request.args.get("next", "")
    return page if re.fullmatch(r"/operator[/?][!-\[\]-~]*", page) else HOME


def _problem(form: FlaskForm) -> tuple[str, str] | None:
    return STALE if "csrf_token" in form.errors else None
