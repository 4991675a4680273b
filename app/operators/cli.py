"""`gangway token …` and `gangway operator …`."""

import sys
from datetime import datetime

import click
from flask.cli import with_appcontext

from app.core import db
from app.core.db import utcnow
from app.core.errors import Invalid
from app.core.secrets.terminal import ask_secret
from app.operators import queries
from app.operators.auth import accounts, one_time_links
from app.operators.auth.tokens import SCOPES, create_token, end_of, revoke_token, tokens
from app.operators.models import Role
from app.web.input.storable import is_unstorable

group = click.Group("token", help="Create, list and revoke API tokens.")


@group.command("create")
@click.argument("name")
@click.option("--scope", type=click.Choice(SCOPES), default="write", show_default=True)
@click.option("--expires", type=click.DateTime(["%Y-%m-%d"]), help="The last day it works, in UTC.")
@with_appcontext
def create_command(name: str, scope: str, expires: datetime | None) -> None:
    """Create a token and print it once."""
    end = end_of(expires.date()) if expires else None
    if end is not None and end <= utcnow():
        raise click.BadParameter("this day has passed. Choose a later one.", param_hint="--expires")
    session = db.session()
    db.start_write(session)
    _, text = create_token(session, name, scope=scope, expires_at=end, actor="command")
    session.commit()
    click.echo(text)


@group.command("list")
@with_appcontext
def list_command() -> None:
    """List all tokens: id, scope, state, last use, name."""
    found = tokens(db.session())
    if not found:
        click.echo("There is no API token: run `gangway token create NAME`.")
    for token in found:
        used = f"{token.last_used_at:%Y-%m-%d %H:%M} UTC" if token.last_used_at else "never used"
        click.echo(f"{token.id}  {token.scope:5}  {token.state:7}  {used:20}  {token.name}")


@group.command("revoke")
@click.argument("token_id", metavar="ID")
@with_appcontext
def revoke_command(token_id: str) -> None:
    """Revoke a token at once."""
    session = db.session()
    revoke_token(session, token_id, actor="command")
    session.commit()
    click.echo(f"Token {token_id} is revoked.")


people = click.Group("operator", help="Create, list and change the operators of the console.")


@people.command("create")
@click.argument("email")
@click.option("--name", help="The operator's name in the audit log.  [default: the email address]")
@click.option(
    "--role",
    type=click.Choice([role.value for role in Role]),
    help="What this operator may do.  [default: admin for the first, else viewer]",
)
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input, in one line.")
@click.option("--invite", is_flag=True, help="Print a one-time link instead of asking for a password.")
@with_appcontext
def create_operator(
    *, email: str, name: str | None, role: str | None, password_stdin: bool, invite: bool
) -> None:
    """Create an operator. Asks for the password, unless an option says otherwise."""
    if password_stdin and invite:
        raise click.UsageError("--password-stdin and --invite exclude each other.")
    session = db.session()
    accounts.check_email(session, email)  # before asking for a password
    db.end_read(session)
    password = None if invite else _password(from_stdin=password_stdin)
    accepted = (
        accounts.accept_password(password, email=email, name=name or email) if password is not None else None
    )
    db.start_write(session)
    chosen = Role(role) if role else Role.VIEWER if queries.is_anybody(session) else Role.ADMIN
    operator = accounts.create(
        session, email=email, name=name or email, role=chosen, password=accepted, actor="command"
    )
    one_time_links.cancel(session, None)  # the set-up page is no longer needed
    token = one_time_links.make(session, operator) if invite else None
    session.commit()
    click.echo(one_time_links.address(token) if token else f"{operator.email} can log in as {chosen}.")


@people.command("list")
@with_appcontext
def list_operators() -> None:
    """List all operators: role, state, second factor, last login, email, name."""
    found = queries.everybody(db.session())
    if not found:
        click.echo("There is no operator: run `gangway operator create EMAIL`.")
    for who in found:
        factor = "second factor" if who.has_second_factor else "password only"
        seen = f"{who.last_login_at:%Y-%m-%d %H:%M} UTC" if who.last_login_at else "never logged in"
        click.echo(f"{who.role:8}  {who.state:8}  {factor:13}  {seen:20}  {who.email}  {who.name}")


@people.command("role")
@click.argument("email")
@click.argument("role", type=click.Choice([role.value for role in Role]))
@with_appcontext
def role_command(email: str, role: str) -> None:
    """Change the role of an operator."""
    session = db.session()
    db.start_write(session)
    operator = accounts.set_role(session, queries.named(session, email).id, Role(role), by=None)
    session.commit()
    click.echo(f"{operator.email} has the role {operator.role} now.")


@people.command("disable")
@click.argument("email")
@with_appcontext
def disable_command(email: str) -> None:
    """Disable an operator at once."""
    session = db.session()
    db.start_write(session)
    operator = accounts.disable(session, queries.named(session, email).id, by=None)
    session.commit()
    click.echo(f"{operator.email} is disabled and logged out.")


@people.command("enable")
@click.argument("email")
@with_appcontext
def enable_command(email: str) -> None:
    """Enable a disabled operator."""
    session = db.session()
    db.start_write(session)
    operator = accounts.enable(session, queries.named(session, email).id, by=None)
    session.commit()
    click.echo(f"{operator.email} can log in again.")


@people.command("reset-password")
@click.argument("email")
@with_appcontext
def reset_password_command(email: str) -> None:
    """Print a one-time link for an operator to choose a new password."""
    session = db.session()
    db.start_write(session)
    _, token = accounts.new_link(session, queries.named(session, email).id, by=None)
    session.commit()
    click.echo(one_time_links.address(token))


@people.command("reset-second-factor")
@click.argument("email")
@with_appcontext
def reset_second_factor_command(email: str) -> None:
    """Remove the second factor of an operator who has lost their phone."""
    session = db.session()
    db.start_write(session)
    operator = accounts.reset_second_factor(session, queries.named(session, email).id, by=None)
    session.commit()
    click.echo(f"{operator.email} logs in with the password alone until a new one is set up.")


def _password(*, from_stdin: bool) -> str:
    if from_stdin:
        password = sys.stdin.readline().rstrip("\r\n")
        if is_unstorable(password):  # no form would take it at the login
            raise Invalid("The password on standard input is not UTF-8 text.")
        return password
    return ask_secret("Password", option="--password-stdin", is_confirmed=True)
