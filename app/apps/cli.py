"""`gangway stripe …`: the installed Stripe apps."""

import click
from flask.cli import with_appcontext

from app import db
from app.apps.actions import install, sweep
from app.apps.connections import connect
from app.config import settings

group = click.Group("stripe", help="Connect Stripe accounts.")


@group.command("install")
@click.option("--api-key", required=True, help="A secret or restricted key of the account.")
@click.option("--name", default="Stripe", show_default=True, help="How the app is called on our pages.")
@click.option(
    "--default", "takes_default", is_flag=True, help="Make it the default app, in place of another."
)
@with_appcontext
def install_command(*, api_key: str, name: str, takes_default: bool) -> None:
    """Install a Stripe account: check its key, register our webhook, keep both secrets sealed."""
    session, url = db.session(), settings().public_url
    app = install(
        session, api_key, public_url=url, name=name, takes_default=takes_default or None, actor="command"
    )
    session.commit()
    sweep(session, connect(app), url)
    mode = "live" if app.livemode else "test"
    click.echo(f"Installed {app.stripe_account_id} in {mode} mode as app {app.id}.")
    click.echo(f"Stripe sends its events to {url}/api/v1/apps/{app.id}/stripe/webhook.")
