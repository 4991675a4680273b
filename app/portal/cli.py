"""`gangway portal …`: export and import the settings of the portal."""

import json
from pathlib import Path

import click
from flask.cli import with_appcontext

from app.core import db, files
from app.core.errors import Invalid
from app.portal import actions, document, queries
from app.portal.differences import differences

group = click.Group("portal", help="Export and import the settings of the portal.")


@group.command("export")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False), required=False)
@with_appcontext
def export_command(file: Path | None) -> None:
    """Write the published settings as JSON into FILE, or print them."""
    text = document.dump(queries.stored(db.session()))
    if file is None:
        click.echo(text, nl=False)
        return
    try:
        files.replace(file, text)
    except OSError as error:
        raise click.ClickException(f"{file} can't be written: {error.strerror}.") from error
    click.echo(f"Wrote {file}.")


@group.command("import")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@click.option("--dry-run", is_flag=True, help="Check the file and print what would change. Publish nothing.")
@with_appcontext
def import_command(file: Path, *, dry_run: bool) -> None:
    """Publish the settings in FILE as a new version. The draft stays as it is."""
    try:
        settings = document.load(files.read(file, most=document.MAX_BYTES))
    except (OSError, ValueError) as error:
        raise click.ClickException(f"{file} can't be read as UTF-8 text.") from error
    except Invalid as error:
        raise click.ClickException(f"{file} is not imported:\n{error.detail}") from error
    session = db.session()
    queries.start_change(session)
    before, after = differences(queries.document(session), settings.model_dump(mode="json"))
    for path in {**before, **after}:
        click.echo(f"{path}: {_shown(before, path)} -> {_shown(after, path)}")
    if not before and not after:
        click.echo("Nothing differs from what is published.")
    elif dry_run:
        click.echo("Nothing was published, because of --dry-run.")
    else:
        version = actions.publish(session, settings, actor="command")
        session.commit()
        click.echo(f"Published version {version.id}.")


def _shown(values: dict[str, object], path: str) -> str:
    return json.dumps(values[path], ensure_ascii=False) if path in values else "nothing"
