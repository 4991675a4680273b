"""Create operators, and change what they may do.

These functions flush. The caller begins with `db.start_write` and commits.
"""

import re
import unicodedata

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app import audit
from app.core import db
from app.core.config import settings
from app.core.db import new_id, utcnow
from app.core.errors import Conflict, Forbidden, Invalid, NotFound
from app.operators.auth import one_time_links, passwords, second_factor, sessions
from app.operators.auth.passwords import AcceptedPassword
from app.operators.models import Operator, Role
from app.operators.queries import by_email, folded
from app.web.input.visible import checked_name


class EmailTaken(Conflict):
    """An operator has this email address already."""


class PasswordRefused(Invalid):
    """A password that is not good enough; the text says why."""


def create(
    session: Session,
    *,
    email: str,
    name: str,
    role: Role,
    password: AcceptedPassword | None,
    actor: str,
    is_first: bool = False,
) -> Operator:
    """Create an operator, who is invited when there is no password. Raises Invalid and Conflict."""
    address = _checked_email(email)
    operator = Operator(
        id=new_id(),
        email=address,
        email_folded=folded(address),
        name=checked_name(name, "An operator"),
        role=role.value,
        is_first=is_first or None,
        created_at=utcnow(),
    )
    if password is not None:
        _set_password(operator, password)
    session.add(operator)
    audit.note(session, "operator.created", actor=actor, operator_id=operator.id, role=operator.role)
    try:
        session.flush()
    except IntegrityError as error:
        raise _email_taken(address) from error
    return operator


def check_email(session: Session, email: str) -> None:
    """Raise Invalid or EmailTaken for an email address with which no operator can be created."""
    address = _checked_email(email)
    if by_email(session, address) is not None:
        raise _email_taken(address)


def _checked_email(email: str) -> str:
    address = unicodedata.normalize("NFC", email.strip())
    # We never send email there, so it only has to be recognisable.
    if not re.fullmatch(r"[^\s@]{1,64}@[^\s@]+", address) or len(folded(address)) > 254:
        told = "Enter an email address like name@example.com."
        raise Invalid(told, fields={"email": told})
    return address


def _email_taken(address: str) -> EmailTaken:
    return EmailTaken(f"There is already an operator with the email address {address}.")


def locked(session: Session, operator_id: str) -> Operator:
    """Return an operator, locked until the transaction ends. Raises NotFound."""
    found = (
        session.get(Operator, operator_id, with_for_update=True, populate_existing=True)
        if db.is_id(operator_id)
        else None
    )
    if found is None:
        raise NotFound("There is no such operator.")
    return found


def rename(session: Session, operator: Operator, name: str) -> None:
    """Rename an operator. Raises Invalid."""
    operator.name = checked_name(name, "An operator")
    audit.note(session, "operator.renamed", actor=f"operator:{operator.id}", operator_id=operator.id)
    session.flush()


def accept_password(password: str, *, email: str, name: str) -> AcceptedPassword:
    """Judge a new password of somebody. Raises PasswordRefused.

    It takes a good part of a second, so do it before `db.start_write`.
    """
    try:
        return passwords.accept(password, (email.strip(), name, settings().company_name))
    except Invalid as error:
        raise PasswordRefused(error.detail) from error


def choose_password(session: Session, operator: Operator, password: AcceptedPassword, *, actor: str) -> None:
    """Set a password; every session and link of this operator ends. Flushes."""
    kind = "operator.joined" if operator.password_hash is None else "operator.password_changed"
    _set_password(operator, password)
    sessions.end_all(session, operator.id)
    one_time_links.cancel(session, operator)
    audit.note(session, kind, actor=actor, operator_id=operator.id)
    session.flush()


def ensure_password(
    session: Session, *, email: str, name: str, role: Role, password: str, actor: str
) -> Operator:
    """Create an operator with this password, or reset it if the operator has another one."""
    operator = by_email(session, email)
    if operator is None:
        accepted = accept_password(password, email=email, name=name)
        return create(session, email=email, name=name, role=role, password=accepted, actor=actor)
    if not passwords.fits(operator.password_hash, password):
        accepted = accept_password(password, email=email, name=operator.name)
        choose_password(session, operator, accepted, actor=actor)
    return operator


def set_role(session: Session, operator_id: str, role: Role, *, by: Operator | None) -> Operator:
    """Change the role of an operator, and end its sessions.

    Raises Forbidden for one's own account, Conflict for the last admin. `by` is None for a command.
    """
    admins = _admins(session, by)
    operator = _other(session, operator_id, by=by)
    if operator.role == role:
        return operator
    _keep_one(admins, operator)
    before, operator.role = operator.role, role.value
    sessions.end_all(session, operator.id)
    audit.note(
        session,
        "operator.role_changed",
        actor=_actor(by),
        operator_id=operator.id,
        before=before,
        after=operator.role,
    )
    session.flush()
    return operator


def disable(session: Session, operator_id: str, *, by: Operator | None) -> Operator:
    """Disable an operator at once. Raises as `set_role` does."""
    admins = _admins(session, by)
    operator = _other(session, operator_id, by=by)
    if operator.disabled_at is None:
        _keep_one(admins, operator)
        operator.disabled_at = utcnow()
        sessions.end_all(session, operator.id)
        one_time_links.cancel(session, operator)
        audit.note(session, "operator.disabled", actor=_actor(by), operator_id=operator.id)
        session.flush()
    return operator


def enable(session: Session, operator_id: str, *, by: Operator | None) -> Operator:
    """Enable a disabled operator, with the same password."""
    operator = _other(session, operator_id, by=by)
    if operator.disabled_at is not None:
        operator.disabled_at = None
        audit.note(session, "operator.enabled", actor=_actor(by), operator_id=operator.id)
        session.flush()
    return operator


def reset_second_factor(session: Session, operator_id: str, *, by: Operator | None) -> Operator:
    """Remove the second factor of an operator who lost the phone, and end its sessions."""
    operator = _other(session, operator_id, by=by)
    if operator.has_second_factor:
        second_factor.remove(session, operator, actor=_actor(by))
        sessions.end_all(session, operator.id)
    return operator


def new_link(session: Session, operator_id: str, *, by: Operator | None) -> tuple[Operator, str]:
    """Return a one-time token to choose a password. Raises Conflict for a disabled operator."""
    operator = _other(session, operator_id, by=by)
    if operator.disabled_at is not None:
        raise Conflict("This operator is disabled: enable the account first.")
    audit.note(session, "operator.link_made", actor=_actor(by), operator_id=operator.id)
    return operator, one_time_links.make(session, operator)


def _other(session: Session, operator_id: str, *, by: Operator | None) -> Operator:
    operator = locked(session, operator_id)
    if by is not None and by.id == operator.id:
        raise Forbidden("You can't do this to your own account. Ask another admin.")
    return operator


def _admins(session: Session, by: Operator | None) -> set[str]:
    """Return the admins who can log in, locked so that two can't demote each other at once.

    Raises Forbidden when `by` is no longer one of them.
    """
    active = sa.select(Operator.id).where(
        Operator.role == Role.ADMIN.value,
        Operator.disabled_at.is_(None),
        Operator.password_hash.is_not(None),
    )
    found = set(session.scalars(active.order_by(Operator.id).with_for_update()))
    if by is not None and by.id not in found:
        raise Forbidden("You are no longer an admin.")
    return found


def _keep_one(admins: set[str], operator: Operator) -> None:
    if admins == {operator.id}:
        raise Conflict("This is the last admin who can log in. Make another operator an admin first.")


def _set_password(operator: Operator, password: AcceptedPassword) -> None:
    operator.password_hash = password.hash
    operator.password_changed_at = utcnow()


def _actor(by: Operator | None) -> str:
    return f"operator:{by.id}" if by else "command"
