"""The `gangway` command. It imports the module of a command only when that command runs."""

import errno
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib import import_module
from typing import Any, NamedTuple

import click

from app.cli.options import add_place_options
from app.core.lean import lean_imports
from app.core.version import DISTRIBUTION, __version__


class Command(NamedTuple):
    """Where a command is, and its line in the list of commands."""

    module: str
    name: str
    line: str


COMMANDS = {
    "backfill": Command(
        "app.sync.cli",
        "command",
        "Fetch events that no webhook delivered from Stripe's list, as the worker does.",
    ),
    "backup": Command(
        "app.cli.running",
        "backup_command",
        "Copy the database to a new FILE while everything keeps running.",
    ),
    "check": Command(
        "app.cli.setup", "check_command", "Print the settings, secrets masked, and what is missing."
    ),
    "db": Command("app.migrations.cli", "group", "Keep the database tables up to date."),
    "demo": Command(
        "app.cli.running", "demo_command", "Run everything, with a simulated Stripe and its own database."
    ),
    "doctor": Command("app.doctor.cli", "doctor_command", "Examine the installed Stripe apps."),
    "i18n": Command("app.web.languages.cli", "group", "Manage the translations of the public pages."),
    "init": Command(
        "app.cli.setup", "init_command", "Write an env file with fresh keys, and make the tables."
    ),
    "key": Command(
        "app.cli.setup",
        "key_command",
        "Print a new key for GANGWAY_SECRET_KEY or GANGWAY_ENCRYPTION_KEYS.",
    ),
    "keys": Command("app.cli.setup", "keys_group", "Manage the encryption keys."),
    "monitoring": Command("app.monitoring.cli", "group", "Print alert rules and a dashboard."),
    "operator": Command(
        "app.operators.cli", "people", "Create, list and change the operators of the console."
    ),
    "portal": Command("app.portal.cli", "group", "Export and import the settings of the portal."),
    "serve": Command(
        "app.cli.running",
        "serve_command",
        "Run the portal and its worker under a production server.",
    ),
    "simulator": Command("app.cli.running", "simulator_command", "Run the simulated Stripe alone."),
    "stripe": Command("app.apps.cli", "group", "Connect Stripe accounts and manage them."),
    "token": Command("app.operators.cli", "group", "Create, list and revoke API tokens."),
    "worker": Command(
        "app.cli.running",
        "worker_command",
        "Run the worker alone, beside web processes that have GANGWAY_WORKER_THREADS=0.",
    ),
}
# Commands of a package that joins the group of an earlier one.
JOINING = {"stripe": Command("app.payers.cli", "uninstall_command", "")}


FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS}  # the disk is full or read-only: not a bug
NOT_ALLOWED = "surrogates not allowed"  # Python reads bytes that are not UTF-8 as surrogates
TOO_LONG = "An argument of this command is too long for a file name."
NOT_UTF_8 = "An argument of this command is not UTF-8 text."


class Commands(click.Group):
    """Imports commands when they are used, and says what went wrong in a sentence."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 (as click calls it)
        """Return the names of all commands."""
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Import a command."""
        if cmd_name in COMMANDS and cmd_name not in self.commands:
            command = _load(COMMANDS[cmd_name])
            if cmd_name in JOINING and isinstance(command, click.Group):
                command.add_command(_load(JOINING[cmd_name]))
            add_place_options(command)
            self.add_command(command, cmd_name)
        return self.commands.get(cmd_name)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """Write the list of commands without importing any."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, COMMANDS[name].line) for name in sorted(COMMANDS)])

    def make_context(self, *args: Any, **extra: Any) -> click.Context:
        """Read the options. `--help` and `--version` answer here."""
        with _in_sentences():
            return super().make_context(*args, **extra)

    def invoke(self, ctx: click.Context) -> object:
        """Run a command."""
        with _in_sentences():
            return super().invoke(ctx)


@contextmanager
def _in_sentences() -> Iterator[None]:
    """Say in a sentence what went wrong. A traceback is for bugs only."""
    try:
        yield
    except (click.ClickException, click.exceptions.Exit, click.Abort):
        raise
    except Exception as error:
        sentence = _explain(error)
        if sentence is None:
            raise
        if isinstance(error, OSError) and error.filename is None:  # the output found no room
            _drop_output()
        raise click.ClickException(sentence) from error


def _load(command: Command) -> click.Command:
    with lean_imports():
        loaded = getattr(import_module(command.module), command.name)
    assert isinstance(loaded, click.Command)
    return loaded


def _explain(error: Exception) -> str | None:
    """Return what we can say about an error in a sentence. Import what it may be only now."""
    from alembic.util import CommandError  # noqa: PLC0415
    from sqlalchemy.exc import SQLAlchemyError  # noqa: PLC0415

    from app.core import db  # noqa: PLC0415
    from app.core.environment import SettingsRefused  # noqa: PLC0415
    from app.core.errors import AppError  # noqa: PLC0415

    if isinstance(error, SettingsRefused | CommandError):  # Alembic's, such as for a step that there is not
        return str(error)
    if isinstance(error, AppError):
        return error.detail
    if isinstance(error, OSError) and error.errno in FULL:
        return f"{error.filename or 'The output'} can't be written: {error.strerror}."
    if isinstance(error, OSError) and error.errno == errno.ENAMETOOLONG:
        return TOO_LONG
    if isinstance(error, UnicodeEncodeError) and error.reason == NOT_ALLOWED:
        return NOT_UTF_8
    return db.explain(error) if isinstance(error, SQLAlchemyError) else None


def _drop_output() -> None:
    """Give up what is left in the buffer. Python flushes it when it ends, and that would fail, too."""
    with suppress(OSError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, message=f"{DISTRIBUTION} %(version)s")
@click.pass_context
def main(ctx: click.Context) -> None:
    """Gangway: your customer, a Stripe customer and a saved payment method, in agreement."""
    from flask.cli import ScriptInfo  # noqa: PLC0415

    from app.cli.running import application  # noqa: PLC0415

    ctx.obj = ScriptInfo(create_app=application)


add_place_options(main)
