"""Where the web server listens: an address that makes sense, and that nobody has taken."""

import errno
import os
import socket
from pathlib import Path

import click

HIGHEST_PORT = 65535
MAX_SOCKET_PATH_LENGTH = 103  # bytes; Linux takes 107, macOS 103


def check_bind(_context: click.Context, _parameter: click.Parameter, bind: str) -> str:
    """Refuse an address that gunicorn could not listen on."""
    host, _, port = bind.rpartition(":")
    if host == "unix" and port:
        return bind
    if host and port.isdigit() and 1 <= int(port) <= HIGHEST_PORT:
        return bind
    raise click.BadParameter("give an address and a port, such as 127.0.0.1:8000, or unix:/a/path.")


def refuse_taken(bind: str) -> None:
    """Raise a ClickException that says why nothing can listen there."""
    kind, _, path = bind.partition(":")
    problem = _problem_of_path(Path(path)) if kind == "unix" else _problem_of_port(bind)
    if problem is not None:
        raise click.ClickException(problem)


def _problem_of_port(bind: str) -> str | None:
    host, _, port = bind.rpartition(":")
    try:
        found = socket.getaddrinfo(host.strip("[]"), int(port), type=socket.SOCK_STREAM)
    except OSError:
        return f"{host} is not an address of this machine: choose another with --bind."
    family, _, _, _, address = found[0]
    with socket.socket(family) as probe:
        # Ports that wait after a connection are free; SO_REUSEPORT would share the port with what listens.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(address)
        except OSError as error:
            return _explain(error, host, port)
    return None


def _explain(error: OSError, host: str, port: str) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"Port {port} of {host} is taken: stop what listens there, or choose another with --bind."
    if error.errno == errno.EACCES:
        return f"This user may not listen on port {port}: choose one above 1023 with --bind."
    return f"{host} is not an address of this machine: choose another with --bind."


def _problem_of_path(path: Path) -> str | None:
    if len(os.fsencode(path)) > MAX_SOCKET_PATH_LENGTH:
        return f"The path of the socket is longer than {MAX_SOCKET_PATH_LENGTH} bytes: choose a shorter one."
    try:
        has_folder, is_there = path.parent.is_dir(), path.exists()
    except PermissionError:
        return f"This user may not enter {path.parent}: choose another path with --bind."
    if not has_folder:
        return f"The folder {path.parent} does not exist: create it, or choose another path with --bind."
    if not is_there:
        is_allowed = os.access(path.parent, os.W_OK | os.X_OK)
        return None if is_allowed else f"This user may not write to {path.parent}: choose another --bind."
    if not path.is_socket():
        return f"{path} is not a socket: choose another path with --bind."
    return f"The socket {path} is taken: stop what listens there first." if _answers(path) else None


def _answers(path: Path) -> bool:
    """Return False for a socket that an earlier process left behind; gunicorn removes it."""
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(str(path))
        except OSError:
            return False
    return True
