"""Our log: how it is written where nothing has configured it, and how it is read."""

import json
from typing import Any

import structlog


def lines_of(text: str) -> list[dict[str, Any]]:
    """The lines of a log in JSON."""
    return [json.loads(line) for line in text.splitlines() if line.startswith("{")]


def print_plainly() -> None:
    """Print what is logged, each traceback as Python has it. One in a frame takes longer than a request."""
    structlog.reset_defaults()
    renderer = structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback)
    structlog.configure(processors=[*structlog.get_config()["processors"][:-1], renderer])
