"""The code of an earlier commit, to be measured in the same run: HEAD~1, or the one in BENCH_COMMIT."""

import os
import subprocess
import sys
import tarfile
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path

import sqlalchemy as sa

from tests.support.processes import ROOT

INSTALLED = ("app", "signing_secret")  # the tables with the Stripe app and what its events are signed with


def extract(folder: Path) -> str:
    """Put the code into a folder, and return the commit's short name."""
    commit = os.environ.get("BENCH_COMMIT", "HEAD~1")
    archive = _git("archive", commit)
    with tarfile.open(fileobj=BytesIO(archive)) as files:
        files.extractall(folder, filter="data")
    return _git("rev-parse", "--short", commit).decode().strip()


def _git(*arguments: str) -> bytes:
    command = ["git", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, check=True).stdout


def install(folder: Path, environment: Mapping[str, str], *, like: str) -> None:
    """Make the tables of that code, and install the Stripe app of another database in them."""
    command = [sys.executable, "-m", "app", "db", "upgrade"]
    subprocess.run(command, cwd=folder, env={"PATH": os.environ["PATH"], **environment}, check=True)
    source, target = (sa.create_engine(url) for url in (like, environment["GANGWAY_DATABASE_URL"]))
    with source.connect() as reading, target.begin() as writing:
        for name in INSTALLED:
            tables = [sa.Table(name, sa.MetaData(), autoload_with=each) for each in (reading, writing)]
            shared = set(tables[0].c.keys()) & set(tables[1].c.keys())
            for row in reading.execute(sa.select(tables[0])).mappings():
                writing.execute(tables[1].insert().values({key: row[key] for key in shared}))
    source.dispose()
    target.dispose()
