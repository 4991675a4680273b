"""Asking for a secret at a terminal."""

import warnings
from getpass import GetPassWarning

import click


def ask_secret(label: str, *, option: str, is_confirmed: bool = False) -> str:
    """Ask for a secret without showing it.

    Raises UsageError, which names the option that takes it elsewhere, when there is no terminal: Python would
    show what is typed.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("error", GetPassWarning)
        try:
            typed: str = click.prompt(label, hide_input=True, confirmation_prompt=is_confirmed)
        except GetPassWarning as error:
            raise click.UsageError(f"There is no terminal to ask at. Use {option} instead.") from error
    return typed
