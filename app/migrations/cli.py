"""`gangway db …`: the tables."""

import click
from flask.cli import with_appcontext

from app import migrations

group = click.Group("db", help="Keep the database's tables up to date.")


@group.command()
@with_appcontext
def upgrade() -> None:
    """Bring the tables to this version. Does nothing when they are."""
    advice = migrations.upgrade()
    click.echo("The database is up to date." + (f" {advice}" if advice else ""))


@group.command()
@click.argument("target")
@with_appcontext
def downgrade(target: str) -> None:
    """Bring the tables back to a revision; `base` drops them all."""
    migrations.downgrade(target)
    click.echo(f"The database is at {target}.")


@group.command()
@with_appcontext
def check() -> None:
    """Compare the tables with the code; exit 1 when they differ."""
    if migrations.pending():
        raise click.ClickException("Steps are pending: run `gangway db upgrade`.")
    differences = migrations.drift()
    if differences:
        raise click.ClickException(f"The models have what no migration makes: {differences}")
    click.echo("The database fits the code.")


@group.command()
@click.argument("message")
@with_appcontext
def revision(message: str) -> None:
    """Write a new step from what the models have and the database lacks."""
    migrations.revision(message)
