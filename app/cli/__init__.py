"""The `gangway` command: what runs the whole application, the first hour of an installation, and its care."""

from app.cli.main import COMMANDS, main

__all__ = ["COMMANDS", "main"]
