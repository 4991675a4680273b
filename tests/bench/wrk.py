"""Generate load with wrk, and tell how busy each part of the machine was meanwhile.

A ratio counts only when the generator is not the bottleneck, so its use of the processor is a result as well.
"""

import hashlib
import hmac
import json
import shutil
import subprocess
import time
import uuid
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from tests.bench import processors

HERE = Path(__file__).resolve().parent
CONNECTIONS = 16
MAX_RATE = 4000  # events a second that are made ahead, more than any site takes in


@dataclass(frozen=True)
class Result:
    """What came of one load. Times are in milliseconds, processor use in processors."""

    answered: int
    seconds: float
    errors: int  # answers other than 2xx and 3xx, and connections that broke
    p50: float
    p99: float
    sent: int
    generator: float
    server: float
    database: float
    repeated: int = 0  # events that had to be sent twice, because too few were made

    @property
    def rate(self) -> float:
        """Return the good answers per second."""
        return (self.answered - self.errors) / self.seconds


def write_events(file: Path, secret: str, things: list[str], seconds: float) -> int:
    """Write distinct signed events for a load of some seconds, and return how many."""
    count = int(MAX_RATE * seconds)
    with file.open("w") as lines:
        for number in range(count):
            body = _event(things[number % len(things)])
            lines.write(f"{_signature(secret, body)}\t{body}\n")
    return count


def load(
    url: str, seconds: float, *, events: Path | None = None, server: Iterable[int] = (), cookie: str = ""
) -> Result:
    """Get or post for some seconds over 16 connections."""
    script = "events.lua" if events else "pages.lua"
    result = run(script, url, seconds, [str(events or "")], server=server, cookie=cookie)
    made = events.read_bytes().count(b"\n") if events else result.sent
    return replace(result, repeated=max(0, result.sent - made))


def run(
    script: str,
    url: str,
    seconds: float,
    arguments: Iterable[str],
    *,
    server: Iterable[int] = (),
    cookie: str = "",
) -> Result:
    """Load with one of the scripts beside this file, over 16 connections."""
    wrk = shutil.which("wrk")
    if wrk is None:
        pytest.skip("wrk is missing: install Debian's package")
    command = [wrk, "--threads", "1", "--connections", str(CONNECTIONS), "--duration", f"{seconds:.0f}s"]
    command += ["--timeout", "10s", "--header", f"Cookie: {cookie}", "--script", str(HERE / script), url]
    command += ["--", *arguments]
    pids = processors.with_children(server)
    before, began = (
        (processors.used(pids), processors.used(processors.databases()), processors.own_children()),
        time.monotonic(),
    )
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    took = time.monotonic() - began
    after = (processors.used(pids), processors.used(processors.databases()), processors.own_children())
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    served, stored, generated = ((late - early) / took for late, early in zip(after, before, strict=True))
    return Result(
        answered=found["answered"],
        seconds=found["seconds"],
        errors=found["refused"] + found["broken"],
        p50=found["p50"],
        p99=found["p99"],
        sent=found["sent"],
        generator=generated,
        server=served,
        database=stored,
    )


def _event(thing: str) -> str:
    """Return the body of a distinct event, as Stripe would write it."""
    return (
        f'{{"id": "evt_{uuid.uuid4().hex}", "object": "event", "type": "customer.updated", '
        f'"livemode": false, "api_version": "2026-10-28.endive", "created": {int(time.time())}, '
        f'"pending_webhooks": 1, "request": {{"id": null, "idempotency_key": null}}, '
        f'"data": {{"object": {thing}}}}}'
    )


def _signature(secret: str, body: str) -> str:
    moment = int(time.time())
    digest = hmac.new(secret.encode(), f"{moment}.{body}".encode(), hashlib.sha256).hexdigest()
    return f"t={moment},v1={digest}"
