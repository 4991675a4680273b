"""PgBouncer in transaction mode: each transaction may meet another connection of the database."""

import getpass
import os
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import sqlalchemy as sa
import structlog
from flask import Flask

from app.core import db
from app.sync import Worker
from tests.support import postgres
from tests.support.processes import PROCESS_MARKS, free_port, start, wait_until
from tests.support.tokens import bearer

pytestmark = PROCESS_MARKS

SETTINGS = """
[databases]
* = host={host} port={port}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {listen_port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = 2
ignore_startup_parameters = extra_float_digits
"""


@pytest.fixture
def database_url(server: postgres.Server | None, migrated: str, tmp_path: Path) -> Iterator[str]:
    """A database behind PgBouncer."""
    program = shutil.which("pgbouncer", path=f"{os.environ['PATH']}:/usr/sbin")
    if server is None or program is None:
        pytest.skip("needs PostgreSQL (--database postgresql) and Debian's pgbouncer")
    url, port = sa.make_url(server.empty_copy(migrated)), free_port()
    file = tmp_path / "pgbouncer.ini"
    host = str(url.query.get("host") or url.host)
    # It refuses to run as root; the owner of the server's socket may use it.
    user = Path(host).owner() if host.startswith("/") else getpass.getuser()
    file.write_text(
        SETTINGS.format(host=host, port=url.port or 5432, listen_port=port).replace(
            "[databases]\n* =", f"[databases]\n* = user={url.username or 'postgres'}"
        )
    )
    file.chmod(0o644)
    for folder in file.parents[:3]:
        folder.chmod(folder.stat().st_mode | 0o011)
    pooled = url.set(host="127.0.0.1", port=port, query={})
    with start(program, "-u", user, str(file)) as pgbouncer:
        pgbouncer.wait_until(lambda: _answers(pooled))
        yield pooled.render_as_string(hide_password=False)


def _answers(url: sa.URL) -> bool:
    engine = sa.create_engine(url, poolclass=sa.NullPool, connect_args={"prepare_threshold": None})
    try:
        with engine.connect() as connection:
            return bool(connection.scalar(sa.text("SELECT true")))
    except sa.exc.OperationalError:
        return False


def test_statements_are_known_on_any_connection(app: Flask) -> None:
    with app.app_context():
        engine = db.engine()
    with engine.connect() as one, engine.connect() as other:
        for _ in range(10):  # the driver prepares what it has sent five times
            for connection in (one, other):
                assert connection.scalar(sa.text("SELECT count(*) FROM customer")) == 0
                connection.commit()


def test_every_request_is_answered(app: Flask) -> None:
    headers = bearer(app)

    def work(number: int) -> set[int]:
        client, statuses = app.test_client(), set()
        for turn in range(25):
            key = f"key-{number}-{turn}"
            body = {"name": key, "key": key, "usageAttribution": {"subjectKeys": [key]}}
            statuses |= {
                client.post("/api/v1/customers", json=body, headers=headers).status_code,
                client.get(f"/api/v1/customers?key={key}", headers=headers).status_code,
                client.get("/signup").status_code,
            }
        return statuses

    with ThreadPoolExecutor(6) as threads:
        found = set().union(*threads.map(work, range(6)))

    assert found == {201, 200}


def test_a_worker_does_not_listen(app: Flask) -> None:
    """Its connection would listen for somebody else."""
    worker = Worker(app)

    with structlog.testing.capture_logs() as lines:
        worker.start()
        wait_until(lambda: any(line["event"] == "listener_ends" for line in lines))
        worker.stop()

    assert not any(line["event"] == "listener_trouble" for line in lines)
