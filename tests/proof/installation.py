"""The processes of a production installation. Each starts again when it has died."""

import os
import random
import signal
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 180.0  # seconds, for a machine that is busy with other work
_random = random.SystemRandom()


class Installation:
    """Running `gangway` commands with one environment, and a supervisor that restarts them."""

    def __init__(self, environment: dict[str, str], log: Path) -> None:
        self._environment = environment
        self._log = log.open("ab")
        self._commands: dict[str, tuple[str, ...]] = {}
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._closing = threading.Event()
        self._supervisor = threading.Thread(target=self._supervise, name="supervisor", daemon=True)
        self._supervisor.start()

    def run(self, *arguments: str, check: bool = True, given: str = "") -> str:
        """Run a command to its end, with that on its standard input. Return what it prints."""
        ended = subprocess.run(
            _command(arguments),
            cwd=ROOT,
            env=self._environment,
            check=check,
            capture_output=True,
            text=True,
            input=given,
        )
        return ended.stdout.strip()

    def start(self, name: str, *arguments: str) -> None:
        """Start a command that runs until it is stopped."""
        self._commands[name] = arguments
        self._running[name] = self._start(arguments)

    def kill_one(self) -> None:
        """Kill one of the commands, or one of its child processes, at random."""
        process = self._running[_random.choice(sorted(self._commands))]
        children = _children(process.pid)
        if children and _random.random() < 0.7:
            with suppress(ProcessLookupError):
                os.kill(_random.choice(children), signal.SIGKILL)
        else:
            _kill_group(process)

    def stop(self) -> None:
        """End all commands, and kill what is left of their process groups."""
        self._closing.set()
        self._supervisor.join()
        for process in self._running.values():
            with suppress(ProcessLookupError):
                process.terminate()
        for process in self._running.values():
            with suppress(subprocess.TimeoutExpired):
                process.wait(PATIENCE)
            _kill_group(process)
            process.wait()
        self._log.close()

    def _supervise(self) -> None:
        while not self._closing.wait(0.1):
            for name, process in list(self._running.items()):
                if process.poll() is not None:
                    _kill_group(process)  # children that have outlived it
                    self._running[name] = self._start(self._commands[name])

    def _start(self, arguments: tuple[str, ...]) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            _command(arguments),
            cwd=ROOT,
            env=self._environment,
            stdout=self._log,
            stderr=self._log,
            start_new_session=True,
        )


def _command(arguments: tuple[str, ...]) -> list[str]:
    return [sys.executable, "-m", "app", *arguments]


def _children(pid: int) -> list[int]:
    try:
        text = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii")
    except OSError:
        return []
    return [int(child) for child in text.split()]


def _kill_group(process: subprocess.Popen[bytes]) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
