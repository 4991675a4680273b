"""Our log: how it is written where nothing has configured it, and how it is read."""

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
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


@contextmanager
def undone() -> Iterator[None]:
    """Undo whatever is done to logging meanwhile: by us, or by a library that sets up its own loggers."""
    before, configured = {logger: _state(logger) for logger in _loggers()}, structlog.get_config()
    yield
    for logger in _loggers():
        state = before.get(logger, (logging.NOTSET, True, [], []))
        if _state(logger) != state:
            level, logger.propagate, logger.handlers[:], logger.filters[:] = state
            logger.setLevel(level)
    if structlog.get_config() != configured:
        print_plainly()


def _state(logger: logging.Logger) -> tuple[int, bool, list[logging.Handler], list[Any]]:
    return logger.level, logger.propagate, logger.handlers[:], logger.filters[:]


def _loggers() -> list[logging.Logger]:
    named = logging.Logger.manager.loggerDict.values()
    return [logging.getLogger(), *(logger for logger in named if isinstance(logger, logging.Logger))]
