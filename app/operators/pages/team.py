"""The team: who works in the console, and what each may do."""

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.core import db
from app.core.errors import NotFound
from app.operators import queries
from app.operators.auth import accounts, one_time_links
from app.operators.models import Operator, Role
from app.operators.pages import one_time_flash
from app.operators.pages.account import pages
from app.operators.pages.forms import InviteForm, RoleForm
from app.operators.pages.guard import current


@pages.page("/team", role=Role.ADMIN)
def team() -> ResponseReturnValue:
    """Show all operators, and a form to invite one."""
    return _team_page(InviteForm())


@pages.action("/team", role=Role.ADMIN)
def invite() -> ResponseReturnValue:
    """Create an operator and a link to choose a password. This sends no email."""
    form, session = InviteForm(formdata=request.form), db.session()
    if not form.validate():
        return _team_page(form), 422
    db.start_write(session)
    try:
        operator = accounts.create(
            session,
            email=form.email.data,
            name=form.name.data,
            role=Role(form.role.data),
            password=None,
            actor=f"operator:{current().id}",
        )
    except accounts.EmailTaken as error:
        session.rollback()
        form.email.errors = [error.detail]
        return _team_page(form), 422
    token = one_time_links.make(session, operator)
    session.commit()
    return _show_link(operator, token)


@pages.page("/team/<operator_id>", role=Role.ADMIN)
def member(operator_id: str) -> ResponseReturnValue:
    """Show one operator, with the actions for the account."""
    session = db.session()
    found = session.get(Operator, operator_id) if db.is_id(operator_id) else None
    if found is None:
        raise NotFound("There is no such operator.")
    if found.id == current().id:
        return redirect(url_for("operators.account"), 303)
    return render_template(
        "operators/member.html",
        who=found,
        form=RoleForm(formdata=None, data={"role": found.role}),
        link=queries.links(session).get(found.id),
        shown_link=one_time_flash.take(f"link of {found.id}"),
    )


@pages.action("/team/<operator_id>/role", role=Role.ADMIN)
def set_role(operator_id: str) -> ResponseReturnValue:
    """Change the role of an operator."""
    form = RoleForm(formdata=request.form)
    if not form.validate():
        raise NotFound("There is no such role.")
    session = db.session()
    db.start_write(session)
    operator = accounts.set_role(session, operator_id, Role(form.role.data), by=current())
    return _done(operator, f"{operator.name} has the role {operator.role} now, and has to log in again.")


@pages.action("/team/<operator_id>/disable", role=Role.ADMIN)
def disable(operator_id: str) -> ResponseReturnValue:
    """Disable an operator."""
    session = db.session()
    db.start_write(session)
    operator = accounts.disable(session, operator_id, by=current())
    return _done(operator, f"{operator.name} is disabled and logged out everywhere.")


@pages.action("/team/<operator_id>/enable", role=Role.ADMIN)
def enable(operator_id: str) -> ResponseReturnValue:
    """Enable an operator."""
    session = db.session()
    db.start_write(session)
    operator = accounts.enable(session, operator_id, by=current())
    return _done(operator, f"{operator.name} can log in again.")


@pages.action("/team/<operator_id>/second-factor/reset", role=Role.ADMIN)
def reset_second_factor(operator_id: str) -> ResponseReturnValue:
    """Remove the second factor of an operator who has lost their phone."""
    session = db.session()
    db.start_write(session)
    operator = accounts.reset_second_factor(session, operator_id, by=current())
    return _done(operator, f"{operator.name} logs in with the password alone, until a new one is set up.")


@pages.action("/team/<operator_id>/link", role=Role.ADMIN)
def make_link(operator_id: str) -> ResponseReturnValue:
    """Create a new link to choose a password. The former link ends."""
    session = db.session()
    db.start_write(session)
    operator, token = accounts.new_link(session, operator_id, by=current())
    session.commit()
    return _show_link(operator, token)


def _team_page(form: InviteForm) -> str:
    return render_template("operators/team.html", form=form, everybody=queries.everybody(db.session()))


def _show_link(operator: Operator, token: str) -> ResponseReturnValue:
    one_time_flash.keep(f"link of {operator.id}", one_time_links.address(token))
    return redirect(url_for("operators.member", operator_id=operator.id), 303)


def _done(operator: Operator, sentence: str) -> ResponseReturnValue:
    db.session().commit()
    flash(sentence, "success")
    return redirect(url_for("operators.member", operator_id=operator.id), 303)
