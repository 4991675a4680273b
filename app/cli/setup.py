"""`gangway init`, `check`, `key` and `keys …`."""

from pathlib import Path

import click
from cryptography.fernet import Fernet
from flask.cli import ScriptInfo, with_appcontext
from sqlalchemy.exc import SQLAlchemyError

from app import migrations
from app.cli import checks, init
from app.cli.options import chosen_env_file, chosen_places, chosen_sources
from app.cli.printing import settings_lines
from app.core import db
from app.core.config import Settings
from app.core.environment import ENV_FILE_NAME, SettingsRefused, Sources, find_sources
from app.core.secrets import resealing
from app.web.addresses import proxies


@click.command("init")
@click.option(
    "--public-url",
    help="Where browsers and Stripe reach the portal. The command asks for what you leave out.",
)
@click.option("--company-name", help="Your company's name, as customers see it.")
@click.option("--support-email", help="Where customers get help.")
@click.option("--database-url", help="sqlite:///… or postgresql+psycopg://…")
@click.option("--trusted-proxies", help="How many proxies are in front of the portal.")
@click.pass_context
def init_command(context: click.Context, /, **given: str | None) -> None:
    """Write an env file with fresh keys, and make the tables. Every other command reads the file."""
    path, (_, data_folder) = chosen_env_file(), chosen_places()
    sources = find_sources(data_folder=data_folder, without_file=True)
    init.refuse_to_overwrite(path, sources)
    variables = init.ask(sources, given)
    Settings.load(Sources(sources.data_folder, sources.chosen_by, path, variables))  # all of them together
    init.write(path, sources, variables)
    click.echo(f"Wrote {path}, which only you can read. Keep a copy of it in a safe place.")
    try:
        with context.ensure_object(ScriptInfo).load_app().app_context():
            advice = migrations.upgrade()
    except SQLAlchemyError as error:
        said = db.explain(error) or "The database does not answer."
        raise click.ClickException(f"{said} Then run `gangway db upgrade{_options(path)}`.") from error
    click.echo("Made the tables of the database." + (f" {advice}" if advice else ""))
    click.echo("\nNext:")
    for command in ("stripe install", "operator create you@example.com", "serve"):
        click.echo(f"  gangway {command}{_options(path)}")


def _options(path: Path) -> str:
    """Return what a command needs to find this file without the variables of this terminal."""
    try:
        is_found = path == find_sources(without_variables=True).data_folder / ENV_FILE_NAME
    except SettingsRefused:
        is_found = False
    return "" if is_found else f" --env-file {path}"


@click.command("check")
@click.pass_context
def check_command(context: click.Context) -> None:
    """Print the settings, secrets masked, and what is missing. Exit 1 when something is."""
    sources = chosen_sources()
    for line in settings_lines(sources):
        click.echo(line)
    click.echo(f"Data folder: {sources.data_folder} (by {sources.chosen_by})")
    click.echo(f"Env file: {sources.env_file or 'none'}")
    warnings, problems = sources.misspelt(Settings.model_fields), []
    try:
        settings = Settings.load(sources)
    except SettingsRefused as error:
        problems = str(error).splitlines()
        warnings += checks.open_to_others(sources, None)
    else:
        with context.ensure_object(ScriptInfo).load_app().app_context():
            problems, doubts = checks.look_into_database()
        warnings += doubts
        warnings += [doubt for doubt in (proxies.doubt(settings),) if doubt]
        warnings += checks.too_large_css(sources)
        warnings += checks.open_to_others(sources, settings.database_url)
    for warning in warnings:
        click.echo(f"Warning: {warning}", err=True)
    for problem in problems:
        click.echo(problem, err=True)
    if problems:
        raise SystemExit(1)
    click.echo("Nothing is missing.")


@click.command("key")
def key_command() -> None:
    """Print a new key for GANGWAY_SECRET_KEY or GANGWAY_ENCRYPTION_KEYS."""
    click.echo(Fernet.generate_key().decode())


keys_group = click.Group("keys", help="Manage the encryption keys.")


@keys_group.command("reseal")
@with_appcontext
def reseal_command() -> None:
    """Seal every secret in the database with the first encryption key, so that the others can go."""
    session = db.session()
    db.start_write(session)
    done = resealing.reseal(session)
    session.commit()
    total = done.resealed + done.unchanged + len(done.closed)
    click.echo(f"Resealed {done.resealed} of {total} secrets with the first encryption key.")
    if done.closed:
        raise click.ClickException(
            f"No key in GANGWAY_ENCRYPTION_KEYS opens {len(done.closed)}: {', '.join(done.closed)}."
        )
    click.echo("No secret needs an older key.")
