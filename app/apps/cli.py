"""`gangway stripe …`: the installed Stripe apps. `app/payers/cli.py` uninstalls one, with its payers."""

import sys

import click
from flask.cli import with_appcontext
from sqlalchemy.orm import Session

from app.apps import actions, keys, queries
from app.apps.connections import connect, find
from app.apps.install import install
from app.apps.models import App
from app.apps.webhook import rolling
from app.apps.webhook.endpoints import delete_orphans, webhook_url
from app.core import db
from app.core.config import settings
from app.core.secrets.terminal import ask_secret

group = click.Group("stripe", help="Connect Stripe accounts and manage them.")

API_KEY_STDIN = click.option(
    "--api-key-stdin", is_flag=True, help="Read the key from standard input, in one line."
)


@group.command("install")
@click.option("--api-key", help="A secret or restricted key of the account. Without it, the command asks.")
@API_KEY_STDIN
@click.option("--name", default="Stripe", show_default=True, help="The app's name on our pages.")
@click.option("--default", "takes_default", is_flag=True, help="Make it the default app.")
@with_appcontext
def install_command(*, api_key: str | None, api_key_stdin: bool, name: str, takes_default: bool) -> None:
    """Install a Stripe account: check its key, register our webhook, store both secrets sealed."""
    key = _api_key(api_key, from_stdin=api_key_stdin)
    session, url = db.session(), settings().public_url
    app = install(
        session, key, public_url=url, name=name, takes_default=takes_default or None, actor="command"
    )
    session.commit()
    delete_orphans(session, connect(app), url)
    click.echo(f"Installed {app.stripe_account_id} in {_mode(app)} mode as app {app.id}.")
    if app.webhook_endpoint_id:
        click.echo(f"Stripe sends its events to {webhook_url(url, app.id)}.")
    else:
        click.echo("The settings turn webhooks off: the worker reads Stripe's list of events instead.")


@group.command("list")
@with_appcontext
def list_command() -> None:
    """List the installed apps: id, account, mode, state, key, name."""
    found = queries.installed(db.session())
    if not found:
        click.echo("No Stripe app is installed: run `gangway stripe install`.")
    for app in found:
        default = "default" if app.is_default else ""
        click.echo(
            f"{app.id}  {app.stripe_account_id}  {_mode(app):4}  {app.status:12}  {app.masked_api_key}"
            f"  {default:7}  {app.name}"
        )


@group.command("default")
@click.argument("app_id", metavar="ID")
@with_appcontext
def default_command(app_id: str) -> None:
    """Make this the app of all customers who sign up from now on."""
    session = db.session()
    app = actions.make_default(session, app_id.upper(), actor="command")
    session.commit()
    click.echo(f"{app.name} ({app.stripe_account_id}, {_mode(app)} mode) is the default app.")


@group.command("replace-key")
@click.argument("app_id", metavar="[ID]", required=False)
@click.option("--api-key", help="The new key. Without it, the command asks.")
@API_KEY_STDIN
@with_appcontext
def replace_key_command(*, app_id: str | None, api_key: str | None, api_key_stdin: bool) -> None:
    """Give an app, or the default one, another key of the same account and mode."""
    key = _api_key(api_key, from_stdin=api_key_stdin)
    session = db.session()
    app = keys.replace_key(session, _chosen(session, app_id), key, actor="command")
    session.commit()
    click.echo(f"{app.name} now uses the key {app.masked_api_key}.")


@group.command("roll-secret")
@click.argument("app_id", metavar="[ID]", required=False)
@with_appcontext
def roll_secret_command(app_id: str | None) -> None:
    """Make Stripe sign with a new secret. The former one is accepted for a day."""
    session = db.session()
    chosen = _chosen(session, app_id)
    app = rolling.roll_secret(session, chosen, public_url=settings().public_url, actor="command")
    session.commit()
    click.echo(f"Stripe signs with a new secret, through {app.webhook_endpoint_id}.")
    click.echo("The former secret is accepted for 24 hours. Then its endpoint is removed.")


def _api_key(given: str | None, *, from_stdin: bool) -> str:
    """Return the key from the option, standard input or a prompt."""
    if from_stdin and given is not None:
        raise click.UsageError("--api-key and --api-key-stdin exclude each other.")
    if from_stdin:
        return sys.stdin.readline().strip()
    return given if given is not None else ask_secret("API key", option="--api-key-stdin")


def _chosen(session: Session, app_id: str | None) -> str:
    return find(session, app_id.upper() if app_id else None).id


def _mode(app: App) -> str:
    return keys.mode(livemode=app.livemode)
