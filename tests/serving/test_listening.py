"""Before it starts, the web server says in a sentence why it could not listen at an address."""

import os
import socket
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

import click
import pytest

from app.serving.listening import MAX_SOCKET_PATH_LENGTH, refuse_taken
from tests.support.commands import run_command
from tests.support.processes import free_port

NOBODY = 65534
UNPRIVILEGED = Path("/proc/sys/net/ipv4/ip_unprivileged_port_start")


@pytest.fixture
def closed_folder() -> Iterator[Path]:
    """A folder that only an administrator may enter. Its name is short, because that of a socket must be."""
    with TemporaryDirectory(dir="/tmp") as name:
        folder = Path(name)
        folder.chmod(0)
        yield folder
        folder.chmod(0o700)


@pytest.fixture
def plain_user(closed_folder: Path) -> Iterator[None]:
    """Run the test as a user without special rights."""
    if os.geteuid() != 0:
        yield
        return
    os.setresuid(NOBODY, NOBODY, 0)
    try:
        yield
    finally:
        os.setresuid(0, 0, 0)


def problem(bind: str) -> str:
    """Why nothing can listen there."""
    with pytest.raises(click.ClickException) as refused:
        refuse_taken(bind)
    return refused.value.message


def listen(path: Path) -> socket.socket:
    """Listen at a path, as a server does."""
    server = socket.socket(socket.AF_UNIX)
    server.bind(str(path))
    server.listen()
    return server


@pytest.mark.parametrize(
    "bind", ["127.0.0.1", "127.0.0.1:", ":8000", "127.0.0.1:0", "127.0.0.1:65536", "unix:"]
)
def test_an_address_is_a_host_with_a_port_or_a_path(bind: str) -> None:
    answer = run_command("serve", "--bind", bind)

    assert answer.exit_code == 2
    assert "such as 127.0.0.1:8000, or unix:/a/path" in answer.output


def test_a_free_port_is_fine() -> None:
    refuse_taken(f"127.0.0.1:{free_port()}")


def test_a_port_of_another_server_is_taken() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]

        assert f"Port {port} of 127.0.0.1 is taken" in problem(f"127.0.0.1:{port}")


def test_an_address_of_another_machine_is_refused() -> None:
    assert "192.0.2.1 is not an address of this machine" in problem("192.0.2.1:8000")


@pytest.mark.usefixtures("plain_user")
def test_a_low_port_takes_more_rights() -> None:
    if not UNPRIVILEGED.exists() or int(UNPRIVILEGED.read_text()) <= 80:
        pytest.skip("every user may listen on low ports of this machine")

    assert problem("127.0.0.1:80") == (
        "This user may not listen on port 80: choose one above 1023 with --bind."
    )


def test_a_path_where_nothing_is_is_fine(tmp_path: Path) -> None:
    refuse_taken(f"unix:{tmp_path / 'socket'}")


def test_a_long_path_is_refused_by_its_bytes() -> None:
    long = Path("/") / ("é" * (MAX_SOCKET_PATH_LENGTH // 2 + 1))

    assert "is longer than 103 bytes" in problem(f"unix:{long}")


def test_a_socket_that_answers_is_taken(tmp_path: Path) -> None:
    path = tmp_path / "socket"
    with closing(listen(path)):
        assert problem(f"unix:{path}") == f"The socket {path} is taken: stop what listens there first."


def test_a_socket_that_an_ended_process_left_is_fine(tmp_path: Path) -> None:
    path = tmp_path / "socket"
    listen(path).close()

    refuse_taken(f"unix:{path}")


@pytest.mark.usefixtures("plain_user")
def test_a_folder_where_this_user_may_not_write_is_refused() -> None:
    assert problem("unix:/proc/socket") == "This user may not write to /proc: choose another --bind."


@pytest.mark.usefixtures("plain_user")
def test_a_folder_that_this_user_may_not_enter_is_refused(closed_folder: Path) -> None:
    for folder in (closed_folder, closed_folder / "folder"):
        assert problem(f"unix:{folder / 'socket'}") == (
            f"This user may not enter {folder}: choose another path with --bind."
        )
