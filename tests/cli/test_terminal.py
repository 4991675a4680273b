"""Without a terminal, a command names the option that takes a secret, and asks for nothing."""

import subprocess
import sys

import pytest

pytestmark = pytest.mark.process

ASK = """
import click
from app.core.secrets.terminal import ask_secret

@click.command()
def ask():
    ask_secret("Password", option="--password-stdin", is_confirmed=True)

ask()
"""


def test_a_secret_is_not_asked_for_without_a_terminal() -> None:
    ended = subprocess.run(
        [sys.executable, "-c", ASK],
        check=False,
        capture_output=True,
        text=True,
        input="hunter2\nhunter2\n",
        start_new_session=True,  # without a controlling terminal
    )

    assert ended.returncode == 2
    assert "Error: There is no terminal to ask at. Use --password-stdin instead." in ended.stderr
    assert "Warning" not in ended.stderr + ended.stdout
