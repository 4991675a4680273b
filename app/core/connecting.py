"""Open a connection within one deadline, however many addresses a name has.

The standard way gives the whole time to each address, and any time at all to the resolver. A name with
eight dead addresses, or a resolver that is silent, would hold a page for half a minute.
"""

import socket
from collections.abc import Callable, Sequence
from contextlib import suppress
from ipaddress import ip_address
from queue import Empty, SimpleQueue
from threading import Thread
from time import monotonic
from typing import Any

SHORTEST_WAIT = 0.05  # seconds; a socket takes 0 for another thing: not to wait at all

Address = tuple[int, int, int, str, Any]  # as socket.getaddrinfo returns it
SocketOptions = Sequence[tuple[int, int, int | bytes]]


def connect(host: str, port: int, seconds: float, options: SocketOptions) -> socket.socket:
    """Connect to a host within this many seconds, for its name and all its addresses together.

    Raises gaierror for a name that nobody knows, TimeoutError at the deadline, and else the last OSError.
    """
    deadline = monotonic() + seconds
    return connect_to_any(resolve(host.strip("[]"), port, seconds), deadline, options)


def resolve(host: str, port: int, seconds: float) -> list[Address]:
    """Return the addresses of a host. Raises gaierror, or TimeoutError when the resolver is too slow.

    The system's call takes no timeout, so it waits in a thread.
    """
    with suppress(ValueError):
        ip_address(host)
        return _look_up(host, port)
    return in_time(lambda: _look_up(host, port), seconds)


def in_time(look_up: Callable[[], list[Address]], seconds: float) -> list[Address]:
    """Return what a thread finds. Raises its error, and TimeoutError when it takes too long."""
    answers: SimpleQueue[list[Address] | OSError] = SimpleQueue()
    Thread(target=lambda: answers.put(_outcome(look_up)), name="gangway-resolve", daemon=True).start()
    try:
        answer = answers.get(timeout=seconds)
    except Empty:
        raise TimeoutError("the name was not resolved in time") from None
    if isinstance(answer, OSError):
        raise answer
    return answer


def connect_to_any(addresses: Sequence[Address], deadline: float, options: SocketOptions) -> socket.socket:
    """Connect to the first address that answers. Raises the last error, TimeoutError at the deadline.

    Each address gets an equal share of the time that is left, so that a living one behind dead ones has
    its turn. What is left then is the socket's timeout.
    """
    failure: OSError = OSError("the name has no addresses")
    for tried, address in enumerate(addresses):
        left = deadline - monotonic()
        if left <= 0:
            raise TimeoutError("no address answered in time")
        try:
            return _connected(address, left / (len(addresses) - tried), deadline, options)
        except OSError as error:
            failure = error
    raise failure


def _connected(address: Address, seconds: float, deadline: float, options: SocketOptions) -> socket.socket:
    family, kind, protocol, _, where = address
    wire = socket.socket(family, kind, protocol)
    try:
        for option in options:
            wire.setsockopt(*option)
        wire.settimeout(seconds)
        wire.connect(where)
    except OSError:
        wire.close()
        raise
    wire.settimeout(max(deadline - monotonic(), SHORTEST_WAIT))
    return wire


def _look_up(host: str, port: int) -> list[Address]:
    try:
        return list(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
    except UnicodeError as error:  # an empty part, or one of more than 63 letters
        raise socket.gaierror(socket.EAI_NONAME, f"{host} cannot be a name") from error


def _outcome(look_up: Callable[[], list[Address]]) -> list[Address] | OSError:
    try:
        return look_up()
    except OSError as error:
        return error
