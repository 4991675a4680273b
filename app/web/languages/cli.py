"""The command that looks after the catalogues of translations."""

import sys

import click

from app.web.languages import check, messages


@click.group("i18n")
def group() -> None:
    """Manage the translations of the public pages."""


@group.command("check")
def check_command() -> None:
    """Find messages that are missing, fuzzy or unused, and placeholders or plural forms that differ."""
    faults = check.check_all()
    for fault in faults:
        click.echo(str(fault))
    if faults:
        click.echo(
            f"{len(faults)} faults in {len({fault.language for fault in faults})} languages.", err=True
        )
        sys.exit(1)
    click.echo(f"{len(messages.TRANSLATED)} languages are complete.")


@group.command("extract")
def extract_command() -> None:
    """Print the texts of the public pages as a template (POT) for another language."""
    click.echo(messages.dump(messages.find()), nl=False)


@group.command("update")
def update_command() -> None:
    """Bring every catalogue up to date with the texts in the code. A changed text becomes fuzzy."""
    found = messages.find()
    for language in messages.TRANSLATED:
        messages.update(language, found)
    click.echo(
        f"{len(found)} messages in {len(messages.TRANSLATED)} languages. Now run `gangway i18n check`."
    )
