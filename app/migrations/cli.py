"""`gangway db …`: the tables."""

import sys
from pathlib import Path

import click
from flask.cli import with_appcontext

from app import migrations
from app.core import db
from app.core.database import backup
from app.core.db import utcnow

group = click.Group("db", help="Keep the database tables up to date.")


@group.command()
@with_appcontext
def upgrade() -> None:
    """Bring the tables to this version. Does nothing if they are up to date."""
    advice = migrations.upgrade()
    click.echo("The database is up to date." + (f" {advice}" if advice else ""))


@group.command()
@click.argument("target")
@click.option("--yes", is_flag=True, help="Do not ask.")
@with_appcontext
def downgrade(target: str, *, yes: bool) -> None:
    """Bring the tables back to a revision; `base` drops them all. Copies a SQLite database first."""
    migrations.refuse_downgrade(target)
    if not yes:
        if not sys.stdin.isatty():
            raise click.UsageError("Going back loses data. There is no terminal to ask at: add --yes.")
        click.confirm(f"Going back to {target} loses what newer tables and columns hold. Go on?", abort=True)
    if (copy := _copy_first(target)) is not None:
        click.echo(f"Copied the database to {copy} first.")
    migrations.downgrade(target)
    click.echo(f"The database is at {target}.")


def _copy_first(target: str) -> Path | None:
    """Copy a SQLite database beside itself. PostgreSQL has its own tools for that."""
    file = db.sqlite_file(db.engine().url)
    if file is None or not file.exists():
        return None
    copy = file.with_name(f"{file.stem}-before-{target}-{utcnow():%Y%m%d-%H%M%S-%f}{file.suffix}")
    backup.backup(db.engine(), copy)
    return copy


@group.command()
@with_appcontext
def check() -> None:
    """Compare the tables with the code; exit 1 when they differ."""
    found = migrations.state()
    if found is migrations.State.OLD:
        raise click.ClickException("Steps are pending: run `gangway db upgrade`.")
    if found is not migrations.State.CURRENT:
        raise click.ClickException("The database is newer than this release: install the newer release.")
    differences = migrations.drift()
    if differences:
        raise click.ClickException(f"No migration makes what the models have: {differences}")
    click.echo("The database fits the code.")


@group.command()
@click.argument("message")
@with_appcontext
def revision(message: str) -> None:
    """Write a new step from what the models have and the database lacks."""
    migrations.revision(message)
