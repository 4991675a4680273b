"""`gangway token …`: API tokens."""

from datetime import UTC, datetime, timedelta

import click
from flask.cli import with_appcontext

from app import db
from app.db import utcnow
from app.operators.actions import SCOPES, create_token, revoke_token, tokens

group = click.Group("token", help="Make, list and revoke API tokens.")


@group.command("create")
@click.argument("name")
@click.option("--scope", type=click.Choice(SCOPES), default="write", show_default=True)
@click.option("--expires", type=click.DateTime(["%Y-%m-%d"]), help="The day after which it ends, UTC.")
@with_appcontext
def create_command(name: str, scope: str, expires: datetime | None) -> None:
    """Make a token and print it. It is shown this once."""
    end = expires.replace(tzinfo=UTC) + timedelta(days=1) if expires else None
    session = db.session()
    _, text = create_token(session, name, scope=scope, expires_at=end, actor="command")
    session.commit()
    click.echo(text)


@group.command("list")
@with_appcontext
def list_command() -> None:
    """List all tokens: id, scope, state, last use, name."""
    now = utcnow()
    for token in tokens(db.session()):
        ended = token.expires_at is not None and token.expires_at <= now
        state = "revoked" if token.revoked_at else "expired" if ended else "valid"
        used = f"{token.last_used_at:%Y-%m-%d %H:%M} UTC" if token.last_used_at else "never used"
        click.echo(f"{token.id}  {token.scope:5}  {state:7}  {used:20}  {token.name}")


@group.command("revoke")
@click.argument("token_id", metavar="ID")
@with_appcontext
def revoke_command(token_id: str) -> None:
    """End a token at once."""
    session = db.session()
    revoke_token(session, token_id, actor="command")
    session.commit()
    click.echo(f"Token {token_id} is revoked.")
