"""The command `gangway stripe uninstall`, which removes an app and ends its payers."""

import click
from flask.cli import with_appcontext

from app import apps
from app.core import db
from app.payers.actions import uninstall


@click.command("uninstall")
@click.argument("app_id", metavar="ID")
@click.option("--yes", is_flag=True, help="Do not ask.")
@with_appcontext
def uninstall_command(*, app_id: str, yes: bool) -> None:
    """Remove an app: its webhook at Stripe goes, and customers lose their Stripe customers here."""
    session = db.session()
    app = apps.find(session, app_id.upper())
    db.end_read(session)
    if not yes:
        mode = "live" if app.livemode else "test"
        click.confirm(f"Uninstall {app.name}, {app.stripe_account_id} in {mode} mode?", abort=True)
    uninstall(session, app.id, actor="command")
    session.commit()
    click.echo(f"{app.name} is uninstalled. Its customers and cards stay at Stripe.")
