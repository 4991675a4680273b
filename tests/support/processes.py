"""The `gangway` command in a process of its own, as in production."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
PATIENCE = 30.0  # seconds, for a machine that is busy with other tests


class Running:
    """One running command, with what it prints."""

    def __init__(self, *arguments: str, **environment: str) -> None:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("GANGWAY_")}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "app", *arguments],
            cwd=ROOT,
            env=kept | {"PYTHONUNBUFFERED": "1"} | environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def line(self) -> str:
        """The next line that it prints, waited for."""
        assert self.process.stdout is not None
        read = ThreadPoolExecutor(1).submit(self.process.stdout.readline)
        line = read.result(PATIENCE)
        assert line, f"it ended with {self.process.wait()}: {self._said()}"
        return line

    def tell(self, number: signal.Signals) -> int:
        """Send a signal and wait for the end; gives the exit status."""
        self.process.send_signal(number)
        return self.process.wait(PATIENCE)

    def end(self) -> tuple[int, str, str]:
        """Wait for the end. Exit status and what it said on both streams."""
        out, err = self.process.communicate(timeout=PATIENCE)
        return self.process.returncode, out, err

    def _said(self) -> str:
        assert self.process.stderr is not None
        return self.process.stderr.read()


@contextmanager
def running(*arguments: str, **environment: str) -> Iterator[Running]:
    """A command, killed at last if it still runs."""
    command = Running(*arguments, **environment)
    try:
        yield command
    finally:
        if command.process.poll() is None:
            command.process.kill()
        command.process.communicate()


def free_port() -> int:
    """A port of loopback where nothing listens just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def fetch(url: str) -> tuple[int, str]:
    """Status and body behind a URL of loopback."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(url, timeout=PATIENCE) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


def wait_until(condition: Callable[[], bool]) -> None:
    """Wait for a condition, not for a time."""
    give_up = time.monotonic() + PATIENCE
    while time.monotonic() < give_up:
        try:
            if condition():
                return
        except (urllib.error.URLError, ConnectionError):
            pass
        time.sleep(0.05)
    raise AssertionError("it never came true")
