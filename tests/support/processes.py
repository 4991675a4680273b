"""Programs that a test starts in other processes, as in production.

Each program gets a process group, which is killed when its test ends. Threads read what it prints, so that no
full pipe blocks it. A test waits for a condition, never for a time. If the condition does not come true, the
failure shows what the program printed.
"""

import atexit
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from http.client import HTTPException
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Thread
from typing import IO

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
PATIENCE = 120.0  # seconds; a busy machine may need most of it to start a program
STOP_PATIENCE = 10.0  # seconds
POLL_INTERVAL = 0.05  # seconds
PROCESS_MARKS = [pytest.mark.process, pytest.mark.timeout(600)]  # the marks of a test that starts programs

_held_ports = ExitStack()
atexit.register(_held_ports.close)


class Program:
    """A program that runs, with what it prints."""

    def __init__(self, *command: str, environment: Mapping[str, str], folder: Path = ROOT) -> None:
        self._command = command
        self._out: list[str] = []
        self._err: list[str] = []
        self._lines: SimpleQueue[str | None] = SimpleQueue()
        self.process = subprocess.Popen(
            command,
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        assert self.process.stdout is not None
        assert self.process.stderr is not None
        self._readers = [
            Thread(target=self._read, args=(self.process.stdout, self._out, self._lines), daemon=True),
            Thread(target=self._read, args=(self.process.stderr, self._err), daemon=True),
        ]
        for reader in self._readers:
            reader.start()

    def line(self) -> str:
        """Wait for the next line on standard output."""
        try:
            line = self._lines.get(timeout=PATIENCE)
        except Empty:
            line = None
        assert line is not None, f"No further line came. {self._report()}"
        return line

    def wait_until(self, condition: Callable[[], bool]) -> None:
        """Wait for a condition while the program runs."""
        try:
            wait_until(lambda: condition() or self.process.poll() is not None)
        except AssertionError as error:
            raise AssertionError(f"{error} {self._report()}") from error
        assert self.process.poll() is None, f"It ended too early. {self._report()}"

    def wait_for(self, url: str) -> None:
        """Wait until a URL answers with 200."""
        self.wait_until(lambda: fetch(url)[0] == 200)

    def tell(self, number: signal.Signals) -> int:
        """Send a signal and wait for the end. Return the exit status."""
        self.process.send_signal(number)
        return self.end()[0]

    def end(self) -> tuple[int, str, str]:
        """Wait for the end. Return the exit status, standard output and standard error."""
        try:
            self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired as error:
            raise AssertionError(f"It did not end. {self._report()}") from error
        self.kill()
        return self.process.returncode, "".join(self._out), "".join(self._err)

    def stop(self) -> None:
        """Ask it to end, for a while: a program that is killed does not write down what it covered."""
        if self.process.poll() is None:
            self.process.terminate()
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(STOP_PATIENCE)

    def kill(self) -> None:
        """Kill whatever is left of the process group, and read the rest of what it printed."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(PATIENCE)
        for reader in self._readers:
            reader.join(PATIENCE)

    @staticmethod
    def _read(stream: IO[str], lines: list[str], queue: "SimpleQueue[str | None] | None" = None) -> None:
        with stream:
            for line in stream:
                lines.append(line)
                if queue is not None:
                    queue.put(line)
        if queue is not None:
            queue.put(None)

    def _report(self) -> str:
        status = self.process.poll()
        state = "still runs" if status is None else f"ended with {status}"
        return (
            f"`{' '.join(self._command)}` {state}.\n"
            f"Standard output:\n{''.join(self._out)}\nStandard error:\n{''.join(self._err)}"
        )


@contextmanager
def start(
    *command: str, environment: Mapping[str, str] | None = None, folder: Path = ROOT
) -> Iterator[Program]:
    """Start a program with these environment variables added, and kill its group at the end."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GANGWAY_")}
    added = {"PYTHONUNBUFFERED": "1", **(environment or {})}
    program = Program(*command, environment=kept | added, folder=folder)
    try:
        yield program
    finally:
        if "COVERAGE_PROCESS_CONFIG" in os.environ:
            program.stop()
        program.kill()


@contextmanager
def gangway(*arguments: str, **environment: str) -> Iterator[Program]:
    """Start the `gangway` command of this folder."""
    with start(sys.executable, "-m", "app", *arguments, environment=environment) as program:
        yield program


def free_port() -> int:
    """Return a port of loopback that stays ours while the tests run, though nothing listens there.

    Linux gives a bound port to nobody who asks for any port. A program that names the port may listen there,
    because neither side refuses to share (SO_REUSEADDR) and we never listen: socket(7). Other systems refuse
    that, so there the port is only likely to stay free.
    """
    held = socket.socket()
    held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    held.bind(("127.0.0.1", 0))
    port = int(held.getsockname()[1])
    if sys.platform == "linux":
        _held_ports.enter_context(held)
    else:
        held.close()
    return port


def fetch(url: str) -> tuple[int, str]:
    """Return the status and the body behind a URL of loopback."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(url, timeout=PATIENCE) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


def wait_until(condition: Callable[[], bool]) -> None:
    """Wait until a condition is true; a connection that fails counts as false."""
    give_up, failure = time.monotonic() + PATIENCE, None
    while time.monotonic() < give_up:
        try:
            if condition():
                return
        except (OSError, HTTPException) as error:
            failure = error
        time.sleep(POLL_INTERVAL)
    raise AssertionError(f"It did not come true in {PATIENCE:.0f} seconds.") from failure
