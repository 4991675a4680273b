"""One line a request, as JSON with its ids; no secret, no body, no card."""

import logging
import os
import re
import sys
import time
from collections.abc import MutableMapping, Sequence
from contextlib import suppress
from threading import Lock
from typing import Any

import structlog
from flask import Flask, Response, g, request

from app.core.config import Settings

log = structlog.get_logger("gangway.web")

IDS = {"app_id", "customer_id", "event_id"}  # of those in an address
SECRETS = re.compile(r"\b((?:sk|rk)_(?:test|live)|whsec)_\w+")
# The address of an onboarding link or an invitation is the secret itself, also with a letter too many.
LINKS = re.compile(r"(/(?:start|invitation)/[\s/]*)[^\s/\"'<>]+", re.IGNORECASE)
# One-time links, API tokens and cookies let in anybody who reads them, in a query, a header or a path.
NAMED_TOKENS = re.compile(r"(\b[\w-]*token(?:=|%3d))[^\s&#\"'<>]+", re.IGNORECASE)
# A signed hand-over is the customer's details, and its secret lets anybody sign one.
HANDOVERS = re.compile(r"(\bhandover(?:=|%3d))[^\s&#\"'<>]+", re.IGNORECASE)
WEB_TOKENS = re.compile(r"\beyJ[\w-]+\.[\w-]*\.[\w-]*")
HANDOVER_SECRETS = re.compile(r"\b(gangway_handover)_[\w-]+")
API_TOKENS = re.compile(r"\b(gangway_[0-7][0-9A-HJKMNP-TV-Z]{25})_[A-Za-z0-9_-]+")
BARE_TOKENS = re.compile(r"(?<![A-Za-z0-9_-])[A-Za-z0-9_-]{43}(?![A-Za-z0-9_-])")  # as `secrets` makes them
PATTERNS = (
    (SECRETS, r"\1_***"),
    (LINKS, r"\1***"),
    (NAMED_TOKENS, r"\1***"),
    (HANDOVERS, r"\1***"),
    (WEB_TOKENS, "***"),
    (HANDOVER_SECRETS, r"\1_***"),
    (API_TOKENS, r"\1_***"),
    (BARE_TOKENS, "***"),
)
# Matches where one of them does, and perhaps elsewhere: most texts need no more than this one look.
ANY = re.compile("|".join(f"(?:{pattern.pattern})" for pattern, _ in PATTERNS), re.IGNORECASE)
SHOWN = {
    *("level", "logger", "timestamp", "request_id"),  # our own words
    "set_up_once_at",  # how the first operator gets in stands nowhere else
}
UNREADABLE = "line_not_rendered"
STAMP = structlog.processors.TimeStamper(fmt="iso", utc=True)


class MaskingFilter(logging.Filter):
    """Keeps secrets out of the lines of a library with its own handlers."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Put the masked text in place of the text and its arguments."""
        try:
            record.msg = masked(record.getMessage())
        except Exception as error:  # noqa: BLE001 (arguments that do not fit break no request)
            record.msg = f"{UNREADABLE}: {type(error).__name__}"
        record.args = ()
        return True


MASKING_FILTER = MaskingFilter()


class Output:
    """Standard error, where one thread after another writes a whole line."""

    def __init__(self) -> None:
        self.renew()

    def renew(self) -> None:
        """Make the lock. A forked process needs another one: a thread that it lacks may hold the copy."""
        self.lock = Lock()

    def write(self, line: str) -> None:
        """Write a line. What can't be written fails no request, as on a full disk."""
        with self.lock, suppress(OSError, ValueError):  # ValueError: it is closed
            sys.stderr.write(f"{line}\n")
            sys.stderr.flush()


OUTPUT = Output()
os.register_at_fork(after_in_child=OUTPUT.renew)


class OwnLogger:
    """Writes our lines as they are. Python's logging would make a record of each line, and format that."""

    def __init__(self, name: str) -> None:
        self.name = name

    def write(self, line: str) -> None:
        """Write a line to standard error."""
        OUTPUT.write(line)

    debug = info = warning = error = critical = write


class Rendering:
    """Makes the text of a line, step by step. If a step fails, the text says so."""

    def __init__(self, steps: Sequence[structlog.typing.Processor], last: structlog.typing.Processor) -> None:
        self._steps, self._last = steps, last

    def __call__(self, logger: Any, method: str, line: MutableMapping[str, Any]) -> Any:
        """Return the text. Logging breaks no request, so an object that can't be shown raises nothing."""
        event, text = line.get("event"), line
        try:
            for step in (*self._steps, self._last):
                text = step(logger, method, text)  # type: ignore[assignment]  # the last one returns the text
        except Exception as error:  # noqa: BLE001 (whatever the `repr` of a value may raise)
            about = event if isinstance(event, str) else ""
            return self.tell(getattr(logger, "name", ""), about, error)
        return text

    def tell(self, name: str, about: str, error: Exception) -> Any:
        """Return a line which says that another one is missing, and nothing of what was in it."""
        line = {"event": UNREADABLE, "level": "error", "logger": name, "about": masked(about)}
        stamped = STAMP(None, "error", line | {"reason": type(error).__name__})
        return self._last(None, "error", stamped)


class LibraryHandler(logging.Handler):
    """Writes the lines of libraries where ours go, one after the other."""

    def __init__(self, steps: Sequence[structlog.typing.Processor], last: structlog.typing.Processor) -> None:
        super().__init__()
        self._rendering = Rendering((), last)
        self.setFormatter(
            structlog.stdlib.ProcessorFormatter(
                foreign_pre_chain=steps,
                processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, last],
            )
        )

    def emit(self, record: logging.LogRecord) -> None:
        """Write a line."""
        try:
            line = self.format(record)
        except Exception as error:  # noqa: BLE001 (such as arguments that do not fit)
            line = self._rendering.tell(record.name, "", error)
        OUTPUT.write(line)


def configure(settings: Settings) -> None:
    """Send our lines and those of the libraries in one form to standard error."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        STAMP,
        structlog.processors.format_exc_info,
        mask_secrets,
    ]
    last = (
        structlog.processors.JSONRenderer()
        if settings.log_format == "json"
        else structlog.dev.ConsoleRenderer(colors=False)
    )
    root = logging.getLogger()
    root.handlers[:] = [LibraryHandler(shared, last)]
    root.setLevel(settings.log_level)
    for chatty in ("stripe", "urllib3", "alembic", "waitress.queue"):  # stripe logs bodies at debug
        logging.getLogger(chatty).setLevel(logging.WARNING)
    for server in ("gunicorn.error", "gunicorn.access"):  # their lines name addresses
        logging.getLogger(server).addFilter(MASKING_FILTER)
    structlog.configure(
        processors=[Rendering(shared, last)],
        wrapper_class=structlog.make_filtering_bound_logger(settings.log_level),
        logger_factory=OwnLogger,
        cache_logger_on_first_use=False,
    )


def mask_secrets(_logger: object, _method: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Mask everything that looks like a key, a signing secret, a link or a token, wherever it appears."""
    for name, value in line.items():
        if name not in SHOWN and isinstance(value, str):
            line[name] = masked(value)
    return line


def masked(text: str) -> str:
    """Text without the secrets in it."""
    if ANY.search(text):
        for pattern, mask in PATTERNS:
            text = pattern.sub(mask, text)
    return text


def init_app(app: Flask) -> None:
    """Log each request by its route, never by its query."""

    @app.before_request
    def _begin() -> None:
        g.began = time.monotonic()
        structlog.contextvars.clear_contextvars()
        named = {name: value for name, value in (request.view_args or {}).items() if name in IDS}
        structlog.contextvars.bind_contextvars(request_id=g.request_id, **named)

    @app.after_request
    def _end(response: Response) -> Response:
        if request.endpoint not in {"static", "monitoring.health"}:
            took = round((time.monotonic() - g.get("began", time.monotonic())) * 1000, 1)
            log.info(
                "request", method=request.method, path=request.path, status=response.status_code, ms=took
            )
        return response
