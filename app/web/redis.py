"""Connections to Redis, which answers a request or is left alone: a person waits."""

import socket
from typing import Any

from redis import Connection, ConnectionPool, SSLConnection
from redis.backoff import NoBackoff
from redis.retry import Retry

from app.core.connecting import connect

OPTIONS = ((socket.IPPROTO_TCP, socket.TCP_NODELAY, 1),)


class _Connecting:
    """One deadline for the name and all its addresses, where redis-py gives the whole time to each.

    Each kind of connection in redis-py overrides this method.
    """

    def _connect(self: Any) -> socket.socket:
        wire = connect(self.host, self.port, self.socket_connect_timeout, OPTIONS)
        wire.settimeout(self.socket_timeout)
        return wire


class _PlainConnection(_Connecting, Connection):
    pass


class _TlsConnection(SSLConnection, _PlainConnection):
    pass


def pool(uri: str, seconds: float) -> ConnectionPool:
    """Return connections that may take so long to open, and as long for each answer."""
    return ConnectionPool.from_url(
        uri,
        connection_class=_TlsConnection if uri.startswith("rediss:") else _PlainConnection,
        socket_connect_timeout=seconds,
        socket_timeout=seconds,
        retry=Retry(NoBackoff(), 0),  # its own retries take seconds
    )
