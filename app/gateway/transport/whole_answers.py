"""Connections to Stripe that give connecting and the whole answer a deadline, not only each piece of them.

A timeout of a socket begins again with each byte, and with each address of a name. A Stripe that sends one
byte a second, or a proxy before it that does, would hold a page for minutes.
"""

import io
import socket
from http.client import HTTPResponse
from time import monotonic
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from requests.utils import get_environ_proxies
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import ConnectTimeoutError, NameResolutionError, NewConnectionError

from app.core.config import is_loopback
from app.core.connecting import connect


class _ReaderWithDeadline(io.RawIOBase):
    """What arrives on a socket, until its timeout has passed once for everything together."""

    def __init__(self, wire: socket.socket, raw: io.RawIOBase) -> None:
        super().__init__()
        self._wire, self._raw = wire, raw
        timeout = wire.gettimeout()
        assert timeout is not None  # our client sets one for every call
        self._timeout = timeout
        self._deadline = monotonic() + timeout

    def readable(self) -> bool:
        """It can be read."""
        return True

    def readinto(self, buffer: Any) -> int | None:
        """Read what is there. Raises TimeoutError when too little came in time."""
        left = self._deadline - monotonic()
        if left <= 0:
            raise TimeoutError("the answer took too long")
        self._wire.settimeout(left)
        try:
            return self._raw.readinto(buffer)
        finally:
            self._wire.settimeout(self._timeout)

    def close(self) -> None:
        """Release the socket, too."""
        self._raw.close()
        super().close()


class _WholeAnswer(HTTPResponse):
    """An answer: its last byte must come within the timeout of its first."""

    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        self.fp = io.BufferedReader(_ReaderWithDeadline(sock, self.fp.detach()))


class _Connecting:
    """For a connection of urllib3: one deadline for the name, all addresses and the handshake of TLS.

    urllib3 has no public way to say how to open its socket. Its own connection through a SOCKS proxy
    overrides the same method: https://github.com/urllib3/urllib3/blob/main/src/urllib3/contrib/socks.py
    """

    def _new_conn(self: Any) -> socket.socket:
        try:
            return connect(self.host, self.port, self.timeout, self.socket_options or ())
        except socket.gaierror as error:
            raise NameResolutionError(self.host, self, error) from error
        except TimeoutError as error:
            told = f"Connection to {self.host} timed out. (connect timeout={self.timeout})"
            raise ConnectTimeoutError(self, told) from error
        except OSError as error:
            raise NewConnectionError(self, f"Failed to establish a new connection: {error}") from error


class _Connection(_Connecting, HTTPConnection):
    response_class = _WholeAnswer


class _SecureConnection(_Connecting, HTTPSConnection):
    response_class = _WholeAnswer


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _SecureConnection


POOLS = {"http": _Pool, "https": _SecurePool}


class _Adapter(HTTPAdapter):
    """The usual adapter, with our connections: straight to Stripe, or through a proxy of the environment."""

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """Make the pools of direct connections."""
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = POOLS

    def proxy_manager_for(self, *args: Any, **kwargs: Any) -> Any:
        """Make the pools of connections through a proxy."""
        manager = super().proxy_manager_for(*args, **kwargs)
        manager.pool_classes_by_scheme = POOLS
        return manager


def session(url: str) -> requests.Session:
    """Return a session for Stripe's API at an address. It follows no redirect, because Stripe sends none.

    It goes through the proxy that the environment names for that address, but not to a simulator on this
    machine, which a proxy could not reach. Requests would look for one before each call, and would send a
    password of ~/.netrc in place of the API key.
    """
    made = requests.Session()
    made.trust_env = False
    made.proxies = {} if is_loopback(url) else get_environ_proxies(url)
    made.max_redirects = 0
    for scheme in ("https://", "http://"):
        made.mount(scheme, _Adapter())
    return made
