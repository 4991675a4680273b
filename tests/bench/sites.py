"""The three that take webhooks in: a bare view, Gangway, and dj-stripe; each under gunicorn."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import requests

from tests.bench import wrk
from tests.support.processes import ROOT, free_port

HERE = Path(__file__).resolve().parent
SECRET = "whsec_" + "b" * 32
API_KEY = "sk_test_" + "b" * 24  # dj-stripe takes none that is shorter
DJSTRIPE = ("dj-stripe==2.11.0", "gunicorn==27.0.1", "psycopg[binary]>=3.3,<4")
VENV = ROOT / "instance" / "bench-djstripe"


class Unavailable(Exception):
    """A site that can't be measured here, and why."""


@dataclass
class Site:
    """Something that takes events in."""

    name: str
    url: str
    secret: str
    process: subprocess.Popen[bytes]

    def load(self, things: Path, *, seconds: float) -> wrk.Result:
        """Post distinct signed events to it."""
        events = things.with_name("events")
        wrk.write_events(events, self.secret, things.read_text().splitlines(), seconds)
        return wrk.load(self.url, seconds, events=events, server=[self.process.pid])

    def get(self, path: str, *, seconds: float, cookie: str = "") -> wrk.Result:
        """Get one of its pages again and again, with the cookie of a browser if one is given."""
        return wrk.load(self.root + path, seconds, server=[self.process.pid], cookie=cookie)

    @property
    def root(self) -> str:
        """The address of the site itself."""
        return self.url[: self.url.index("/", len("http://"))]

    def memory(self) -> list[float]:
        """What each of its processes keeps in memory, in MB, the oldest first."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        return [_resident(pid) for pid in (str(self.process.pid), *children)]


def _resident(pid: str) -> float:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


@contextmanager
def bare(database: str) -> Iterator[Site]:
    """A view that verifies and inserts; two sync workers, which is the fastest way to run it."""
    environment = {"BENCH_DATABASE": database, "BENCH_SECRET": SECRET}
    with _gunicorn("bare view", Path(sys.executable), "bare_view", ("--workers", "2"), environment) as site:
        yield site


@contextmanager
def djstripe(database: str, stripe: str) -> Iterator[Site]:
    """dj-stripe, in the same way; skips when it can't be installed."""
    environment = {
        "BENCH_DATABASE": database,
        "BENCH_SECRET": SECRET,
        "BENCH_STRIPE": stripe,
        "BENCH_API_KEY": API_KEY,
    }
    with _gunicorn("dj-stripe", _djstripe_python(), "djstripe_site", ("--workers", "2"), environment) as site:
        yield site


@contextmanager
def _gunicorn(
    name: str, python: Path, module: str, options: tuple[str, ...], environment: dict[str, str]
) -> Iterator[Site]:
    environment = {"PATH": os.environ["PATH"]} | environment
    made = subprocess.run(
        [python, HERE / f"{module}.py"], capture_output=True, env=environment, text=True, check=False
    )
    assert made.returncode == 0, made.stderr
    port = free_port()
    command = [str(python), "-m", "gunicorn", *options, "--bind", f"127.0.0.1:{port}", "--log-level", "error"]
    command += ["--keep-alive", "60", "--no-control-socket", f"{module}:application"]
    process = subprocess.Popen(command, cwd=HERE, env=environment)
    path = json.loads(made.stdout)["path"]
    with _running(process, f"http://127.0.0.1:{port}{path}"):
        yield Site(name, f"http://127.0.0.1:{port}{path}", SECRET, process)


@contextmanager
def gangway(
    portal: str, environment: dict[str, str], endpoint: tuple[str, str], name: str, *, folder: Path = ROOT
) -> Iterator[Site]:
    """`gangway serve` of the code in a folder; the path of its endpoint and its secret are known."""
    command = [sys.executable, "-m", "app", "serve", "--bind", portal.removeprefix("http://")]
    process = subprocess.Popen(
        command, cwd=folder, env={"PATH": os.environ["PATH"]} | environment, stderr=subprocess.DEVNULL
    )
    path, secret = endpoint
    with _running(process, f"{portal}/healthz"):
        yield Site(name, portal + path, secret, process)


@contextmanager
def _running(process: subprocess.Popen[bytes], url: str) -> Iterator[None]:
    try:
        until_it_answers(url, process)
        yield
    finally:
        process.terminate()
        process.wait(30)


def until_it_answers(url: str, process: subprocess.Popen[bytes]) -> None:
    """Wait until something answers there."""
    give_up = time.monotonic() + 60
    with requests.Session() as session:
        session.trust_env = False
        while time.monotonic() < give_up and process.poll() is None:
            try:
                session.get(url, timeout=5)
            except requests.RequestException:
                time.sleep(0.005)
            else:
                return
    raise AssertionError(f"nothing answers at {url}")


def _djstripe_python() -> Path:
    """The Python that has dj-stripe, in a virtual environment that is made for it."""
    python = VENV / "bin" / "python"
    if not (VENV / "complete").exists():
        subprocess.run([sys.executable, "-m", "venv", "--clear", VENV], check=True)
        installed = subprocess.run(
            [python, "-m", "pip", "install", "--quiet", *DJSTRIPE],
            capture_output=True,
            text=True,
            check=False,
        )
        if installed.returncode:
            raise Unavailable(f"it can't be installed: {installed.stderr.strip()[-300:]}")
        (VENV / "complete").touch()
    return python
