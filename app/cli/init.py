"""What `gangway init` asks and writes."""

import os
import sys
from pathlib import Path

import click
from cryptography.fernet import Fernet

from app.core import files
from app.core.config import Settings, SettingsRefused, is_loopback
from app.core.environment import DATA_DIR, PREFIX, Sources, is_checkout, write_env_file
from app.core.errors import Conflict, Invalid
from app.core.values import frozen

KEYS = ("secret_key", "encryption_keys")
HEADING = """Settings of Gangway, made by `gangway init`; `gangway check` lists all of them.
The keys open what the database holds: keep a copy of this file apart from copies of the database."""


@frozen
class Question:
    """One setting that `init` asks for."""

    field: str
    text: str

    @property
    def variable(self) -> str:
        """The variable in the env file."""
        return f"{PREFIX}{self.field.upper()}"


QUESTIONS = (
    Question("public_url", "Address of the portal, as browsers and Stripe reach it"),
    Question("company_name", "Your company's name, as customers see it"),
    Question("support_email", "Email address where customers get help (optional)"),
    Question("database_url", "Database"),
    Question("trusted_proxies", "Proxies in front of the portal, such as nginx or a load balancer"),
)


def refuse_to_overwrite(path: Path, sources: Sources) -> None:
    """Raise Conflict when there is an env file, or a database that would lose its keys."""
    if os.path.lexists(path):
        raise Conflict(f"{path} already exists, and nothing was changed. Edit it, or move it away first.")
    known = sources.values(Settings.model_fields)
    database = sources.data_folder / "gangway.db"
    if "encryption_keys" not in known and "database_url" not in known and database.exists():
        raise Conflict(
            f"{database} already exists, and new keys can't open its secrets. Set GANGWAY_SECRET_KEY and"
            " GANGWAY_ENCRYPTION_KEYS to its own keys and run this again, or move the database away."
        )


def ask(sources: Sources, given: dict[str, str | None]) -> dict[str, str]:
    """Return every variable for the env file: fresh keys, what is set already, and answers.

    Without anybody to ask, the defaults count. Raises Invalid for an option that makes no sense.
    """
    variables = {
        f"{PREFIX}{name.upper()}": Fernet.generate_key().decode()
        for name in KEYS
        if name not in sources.values(Settings.model_fields)
    }
    known = {name for field in Settings.model_fields for name in _names(field) if name in sources.variables}
    variables |= {name: sources.variables[name] for name in sorted(known)}
    variables[DATA_DIR] = str(sources.data_folder)
    for question in QUESTIONS:
        if (option := given.get(question.field)) is not None:
            variables[question.variable] = _checked(question, option)
        elif not any(name in variables for name in _names(question.field)):
            variables[question.variable] = _ask(question, _default(question.field, variables))
    return {name: value for name, value in variables.items() if value != ""}


def write(path: Path, sources: Sources, variables: dict[str, str]) -> None:
    """Make the data folder and the file. Raises Conflict or Invalid."""
    try:
        files.make_folder(sources.data_folder)
        if is_checkout() and sources.chosen_by == "the checkout":
            files.close_to_others(sources.data_folder)
        files.make_folder(path.parent)
        write_env_file(path, variables, heading=HEADING)
    except FileExistsError as error:
        raise Conflict(f"{error.filename} already exists, and nothing was changed.") from error
    except OSError as error:
        raise Invalid(f"{error.filename or path} can't be written: {error.strerror}.") from error


def _names(field: str) -> tuple[str, str]:
    return f"{PREFIX}{field.upper()}", f"{PREFIX}{field.upper()}_FILE"


def _default(field: str, variables: dict[str, str]) -> str:
    if field == "database_url":
        return f"sqlite:///{Path(variables[DATA_DIR]) / 'gangway.db'}"
    if field == "trusted_proxies":  # `gangway serve` speaks http, so https comes from a proxy
        return "0" if is_loopback(variables.get(f"{PREFIX}PUBLIC_URL", "http://localhost")) else "1"
    default = Settings.model_fields[field].default
    return "" if default is None else str(default)


def _ask(question: Question, default: str) -> str:
    while True:
        try:
            answer: str = click.prompt(question.text, default=default, show_default=bool(default), err=True)
        except click.Abort:
            if sys.stdin.isatty():
                raise
            click.echo(f"{default or '(none)'}", err=True)  # nobody answers
            return _checked(question, default)
        try:
            return _checked(question, answer)
        except Invalid as error:
            click.echo(error.detail, err=True)


def _checked(question: Question, answer: str) -> str:
    """Return the answer, if the setting takes it. Raises Invalid."""
    answer = answer.strip()
    if question.field == "public_url" and answer and "://" not in answer:
        answer = f"https://{answer}"
    key = Fernet.generate_key().decode()
    try:
        Settings.of({"secret_key": key, "encryption_keys": key, question.field: answer})
    except SettingsRefused as error:
        raise Invalid(str(error)) from error
    return answer
