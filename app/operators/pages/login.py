"""The pages before the console: log in, give a code, set up, choose a password by a link."""

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

bp = Blueprint("operator_door", __name__, url_prefix="/operator")

HOME = "/operator/"
HALF_WAY = 600  # seconds between the password and the code
STALE = (
    "Please send it once more",
    "This page was open for a long time, or your browser did not send our cookie.",
)
WRONG_CODE = "This code is wrong or was used before. Wait for the next one, or use a recovery code."
WRONG_TOKEN = "This token is not good. A new one stands in the log each time the server starts."  # noqa: S105
WRONG = ("That did not fit", "The email address or the password is wrong. Check both and try again.")

by_address = limited(
    lambda: settings().rate_limit_login, scope="operator-door", counts=lambda: g.get("failed", False)
)


@bp.get("/login")
def ask() -> ResponseReturnValue:
    """Ask for email address and password."""
    if sessions.current() is not None:
        return redirect(_way_on(), 303)
    return _login_page(LoginForm())


@bp.post("/login")
@by_address
def log_in() -> ResponseReturnValue:
    """Let in, or ask for a code; or say that it did not fit, and not what."""
    form = LoginForm(formdata=request.form)
    if not form.validate():
        return _login_page(form, _problem(form), 422)
    session, email = db.session(), form.email.data
    try:
        operator = login.check_password(session, email, form.password.data)
    except login.TooManyTries as error:
        login.log_failure(email, "operator.login_throttled")
        return _login_page(form, ("Please wait a while", error.detail), error.status)
    if operator is not None and operator.has_second_factor:
        cookie["half_way"] = [operator.id, time.time()]
        return redirect(url_for("operator_door.ask_code", next=request.args.get("next")), 303)
    if operator is None or not login.complete(session, operator, form.password.data):
        g.failed = True
        page = make_response(_login_page(form, WRONG, 422))
        return login.note_failure_later(page, email, "operator.login_failed")
    return _let_in(operator)


@bp.get("/login/code")
def ask_code() -> ResponseReturnValue:
    """Ask for the second factor."""
    if _half_way() is None:
        return redirect(url_for("operator_door.ask", next=request.args.get("next")), 303)
    return _code_page(CodeForm())


@bp.post("/login/code")
@by_address
def give_code() -> ResponseReturnValue:
    """Let in whoever gives a code that is good, and was not given before."""
    form, operator, session = CodeForm(formdata=request.form), _half_way(), db.session()
    if operator is None:
        return redirect(url_for("operator_door.ask", next=request.args.get("next")), 303)
    if not form.validate():
        return _code_page(form, _problem(form), 422)
    try:
        login.spend_code(operator)
    except login.TooManyTries as error:
        login.log_failure(operator.email, "operator.second_factor_throttled")
        return _code_page(form, ("Please wait a while", error.detail), error.status)
    db.end_read(session)
    db.start_write(session)
    fits = second_factor.accepts(session, accounts.locked(session, operator.id), form.code.data)
    session.commit()
    if not fits or not login.complete(session, operator):
        g.failed = True
        form.code.errors = [WRONG_CODE]
        page = make_response(_code_page(form, None, 422))
        return login.note_failure_later(page, operator.email, "operator.second_factor_failed")
    login.forgive_codes(operator)
    return _let_in(operator)


@bp.get("/setup")
def set_up() -> ResponseReturnValue:
    """Make the first operator, while there is none."""
    _only_without_operators()
    return _setup_page(SetupForm(data={"token": request.args.get("token", "")}))


@bp.post("/setup")
@by_address
def make_first() -> ResponseReturnValue:
    """Make the first operator, an admin, for whoever read the token in the log."""
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
            actor="door",
            is_first=True,
        )
    except accounts.EmailTaken:  # pragma: no cover (by a token of a server that started this very moment)
        session.rollback()
        return redirect(url_for("operator_door.ask"), 303)
    session.commit()
    login.complete(session, operator)
    return _let_in(operator)


@bp.get("/invitation")
def invitation() -> ResponseReturnValue:
    """Ask who came by a one-time link for a password. Programs that scan mails change nothing here."""
    token = request.args.get("token", "")
    link = _link(token)
    return _dead_link() if link is None else _invitation_page(InvitationForm(data={"token": token}), link)


@bp.post("/invitation")
@by_address
def accept_invitation() -> ResponseReturnValue:
    """Set the password, use the link up, and let in."""
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
        cookie["half_way"] = [operator.id, time.time()]
        return redirect(url_for("operator_door.ask_code"), 303)
    login.complete(session, operator)
    return _let_in(operator)


def _login_page(
    form: LoginForm, problem: tuple[str, str] | None = None, status: int = 200
) -> ResponseReturnValue:
    is_new = not queries.is_anybody(db.session())
    page = render_template(
        "operators/login.html", form=form, problem=problem, way_on=request.args.get("next"), is_new=is_new
    )
    return page, status


def _code_page(
    form: CodeForm, problem: tuple[str, str] | None = None, status: int = 200
) -> ResponseReturnValue:
    page = render_template("operators/code.html", form=form, problem=problem, way_on=request.args.get("next"))
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
        raise NotFound("The console is set up already.")


def _half_way() -> Operator | None:
    """Who has given the password in this browser just now, and no code yet."""
    found = cookie.get("half_way")
    if found is None:
        return None
    operator_id, at = found
    operator = db.session().get(Operator, operator_id)
    good = (
        operator is not None
        and operator.disabled_at is None
        and operator.has_second_factor
        and time.time() - at < HALF_WAY
        and login.given_since(at, operator)
    )
    return operator if good else None


def _let_in(operator: Operator) -> ResponseReturnValue:
    cookie.pop("half_way", None)
    response = redirect(_way_on(), 303)
    login.remember_device(response, operator)
    return response


def _way_on() -> str:
    """Where somebody wanted to go: a page of the console, and nowhere else."""
    wanted = request.args.get("next", "")
    return wanted if re.fullmatch(r"/operator[/?][!-\[\]-~]*", wanted) else HOME


def _problem(form: FlaskForm) -> tuple[str, str] | None:
    return STALE if "csrf_token" in form.errors else None
