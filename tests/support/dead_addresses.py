"""Addresses of this machine that do not answer, as those of a server that is gone."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager

from app.core.connecting import Address


@contextmanager
def silent_address() -> Iterator[Address]:
    """Give an address where nobody answers: its queue is full, so the kernel drops new connections."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(0)
        waiting = [socket.socket() for _ in range(4)]
        for one in waiting:
            one.settimeout(0)
            one.connect_ex(listening.getsockname())
        yield address_of(listening)
        for one in waiting:
            one.close()


@contextmanager
def refusing_address() -> Iterator[Address]:
    """Give an address that is bound, but where nobody listens."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield address_of(bound)


def address_of(bound: socket.socket) -> Address:
    """Return what a resolver says of it."""
    return socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", bound.getsockname()
