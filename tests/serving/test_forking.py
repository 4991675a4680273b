"""`gangway serve` makes the application once and then forks: its processes share memory and nothing else."""

import os
import signal
import sys
from pathlib import Path

import pytest

from app.sync import WorkerHeartbeat
from tests.support.commands import environment, rows
from tests.support.processes import PROCESS_MARKS, Program, free_port, gangway, start

pytestmark = PROCESS_MARKS

CONNECTIONS = """
from sqlalchemy import text
from app import create_app
from app.core import db
from app.core.config import Settings
from app.serving.server import Server

server = Server(create_app, Settings.load(), "127.0.0.1:0")
server.prepare(lambda: db.session().execute(text("SELECT 1")))
with server.application.app_context():
    print(db.engine().pool.checkedin())
"""

# The worker's thread waits for the database, so that `stop` must wait for the thread.
STOPPING = """
import os
from threading import Event, Thread
from sqlalchemy import event
from app import create_app
from app.core import db
from app.core.config import Settings
from app.serving.server import Server

has_begun, may_go_on = Event(), Event()

def block(*_):
    has_begun.set()
    may_go_on.wait()

server = Server(create_app, Settings.load(), "127.0.0.1:0")
with server.application.app_context():
    event.listen(db.engine(), "connect", block)
process = os.fork()
if process:
    raise SystemExit(os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]))
worker = server.application.extensions["gangway.worker"]
worker.start()
has_begun.wait()
stopper = Thread(target=worker.stop)
stopper.start()
stopper.join(0.5)
waits = stopper.is_alive()
may_go_on.set()
stopper.join()
os._exit(0 if waits else 5)
"""


def test_leaves_no_connection_to_share(database_url: str) -> None:
    with start(sys.executable, "-c", CONNECTIONS, environment=environment(database_url)) as program:
        assert program.line() == "0\n"


def test_a_process_waits_for_its_worker_to_stop(database_url: str) -> None:
    with start(sys.executable, "-c", STOPPING, environment=environment(database_url)) as program:
        assert program.end()[0] == 0


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux lists the children of a process")
def test_a_process_that_was_killed_is_replaced(database_url: str) -> None:
    address = f"127.0.0.1:{free_port()}"
    with gangway("serve", "--bind", address, **environment(database_url, WORKER_THREADS="1")) as server:
        server.wait_until(lambda: len(rows(database_url, WorkerHeartbeat)) == 1)
        [first] = children(server)

        os.kill(first, signal.SIGKILL)

        server.wait_until(lambda: len(rows(database_url, WorkerHeartbeat)) == 2)
        server.wait_for(f"http://{address}/readyz")
        assert first not in children(server)
        assert server.tell(signal.SIGTERM) == 0

    assert len(rows(database_url, WorkerHeartbeat)) == 1  # that of the process that could not remove it


def children(program: Program) -> list[int]:
    """Return the processes that a program has forked."""
    pid = program.process.pid
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
