"""Check access to the console's pages: each route names its role, and one check covers all."""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import structlog
from flask import Blueprint, Flask, current_app, g, redirect, request, url_for
from flask.sansio.app import App
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import SQLAlchemyError

from app.core.config import settings
from app.core.errors import Forbidden, Invalid
from app.operators.auth import sessions
from app.operators.models import Operator, OperatorSession, Role

STALE = (
    "This page was open for a long time, or your browser did not send our cookie. "
    "Nothing was changed: go back, reload the page and send it again."
)
View = Callable[..., ResponseReturnValue]


class OperatorPages(Blueprint):
    """A blueprint under /operator. Each route names the role that it needs."""

    def __init__(self, name: str, import_name: str) -> None:
        super().__init__(name, import_name, url_prefix="/operator")
        self.roles: dict[str, Role] = {}  # by endpoint, without the blueprint's name
        self._open_before_second_factor: set[str] = set()
        self.before_request(self._check_access)

    def page(self, rule: str, *, role: Role, before_second_factor: bool = False) -> Callable[[View], View]:
        """Make a function a page: GET, for operators with the role.

        `before_second_factor` also admits operators who must set up a second factor first.
        """
        return self._served(rule, "GET", role, before_second_factor=before_second_factor)

    def action(self, rule: str, *, role: Role, before_second_factor: bool = False) -> Callable[[View], View]:
        """Make a function an action: POST with a CSRF token, for operators with the role."""
        return self._served(rule, "POST", role, before_second_factor=before_second_factor)

    def add_url_rule(self, rule: str, *args: Any, role: Role | None = None, **options: Any) -> None:
        """Add a route. Without a role there is none."""
        if role is None:
            raise TypeError(f"{rule} names no role: use .page or .action")
        super().add_url_rule(rule, *args, **options)

    def register(self, app: App, options: dict[str, Any]) -> None:
        """Register, and check CSRF tokens after the login, so an expired session is not a stale form."""
        super().register(app, options)
        app.extensions["csrf"].exempt(self)

    def _served(
        self, rule: str, method: str, role: Role, *, before_second_factor: bool
    ) -> Callable[[View], View]:
        def register(view: View) -> View:
            name = view.__name__
            if self.roles.setdefault(name, role) is not role:
                raise TypeError(f"{name} has two roles")
            if before_second_factor:
                self._open_before_second_factor.add(name)
            self.add_url_rule(rule, name, view, methods=[method], role=role)
            return view

        return register

    def _check_access(self) -> ResponseReturnValue | None:
        found = sessions.current()
        if found is None:
            return redirect(url_for("operator_login.login_page", next=_return_page()), 303)
        g.operator_session = found
        structlog.contextvars.bind_contextvars(operator_id=found.operator.id)  # for the log, from here on
        assert request.endpoint is not None
        name = request.endpoint.removeprefix(f"{self.name}.")
        required, operator = self.roles[name], found.operator
        if not operator.may(required):
            raise Forbidden(f"This needs the role {required}; yours is {operator.role}.")
        try:
            current_app.extensions["csrf"].protect()
        except CSRFError as error:
            raise Invalid(STALE) from error
        lacks_factor = settings().operator_require_totp and not operator.has_second_factor
        if lacks_factor and name not in self._open_before_second_factor:
            return redirect(url_for("operators.second_factor_page"), 303)
        return None


def _return_page() -> str | None:
    """Return the page to open after login: this one, or the page with the form."""
    if request.method == "GET":
        return request.full_path.rstrip("?")
    try:
        sent_from = urlsplit(request.referrer or "")
    except ValueError:
        return None
    page = f"{sent_from.path}?{sent_from.query}".rstrip("?")
    return page if page.startswith("/operator") else None  # the login leads to no other page


def init_app(app: Flask) -> None:
    """Tell templates who is logged in, and what this operator may do."""

    @app.context_processor
    def _context() -> dict[str, object]:
        # Use only what the guard has found: the database may be the cause of an error page.
        found: OperatorSession | None = g.get("operator_session")
        try:
            me = found.operator if found else None
        except SQLAlchemyError:  # a rollback expired it, and we can't read it again
            me = None

        def may(role: str) -> bool:
            return me is not None and me.may(Role(role))

        return {"me": me, "may": may}


def current() -> Operator:
    """The operator of this request, on the pages of OperatorPages."""
    return current_session().operator


def current_session() -> OperatorSession:
    """The session in which the operator of this request is logged in."""
    found = g.operator_session
    assert isinstance(found, OperatorSession)
    return found


def actor() -> str:
    """The operator of this request, as the audit log names it."""
    return f"operator:{current().id}"
