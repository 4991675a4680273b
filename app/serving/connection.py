"""A client's connection to the web server: no thread waits for what a client sends or reads.

Gunicorn lets a thread read from the socket, so twenty clients that send half a request hold all threads. Here
the main loop receives. A thread gets a request once all of it has arrived.
"""

import errno
import re
import select
import socket
from enum import Enum, auto
from typing import Any

from gunicorn import http
from gunicorn.config import Config
from gunicorn.workers.gthread import TConn

MAX_HEADER = 64 * 1024  # bytes; gunicorn's parser has stricter limits for each line
MAX_BODY = 1024 * 1024  # bytes; the application accepts less, and says so
MAX_CHUNK_LINE = 4096  # bytes
MAX_LENGTH_DIGITS = 15  # of a Content-Length, without leading zeros
MAX_UNSENT = 1024 * 1024  # bytes of an answer that wait for a slow client; a thread waits only beyond that
SEND_AT_ONCE = 64 * 1024  # bytes
SEND_TIMEOUT = 30.0  # seconds without progress until a thread gives up on a slow client
RECEIVE_SIZE = 64 * 1024  # bytes

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
CHUNK_SIZE = re.compile(rb"([0-9a-fA-F]{1,12})[ \t]*(;.*)?", re.DOTALL)


class Stage(Enum):
    """What the main loop waits for."""

    IDLE = auto()  # the first byte of a request
    HEADER = auto()
    BODY = auto()
    ANSWER = auto()  # a thread works
    SEND = auto()  # the client takes the rest of an answer
    LINGER = auto()  # the client reads an answer that came before the end of its request


class Outbox:
    """The socket as a thread sees it: writing does not wait for the client, and reading is impossible."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self.request = b""  # that the thread answers
        self.has_answer = False  # has the thread begun to answer it?
        self.unsent = bytearray()
        self.is_closed = False

    def sendall(self, data: bytes) -> None:
        """Keep data, send a lot of it, and wait for the client only when too much is unsent."""
        self.has_answer = True
        self.unsent += data
        if len(self.unsent) < SEND_AT_ONCE:
            return
        self.flush()
        while len(self.unsent) > MAX_UNSENT:
            poll = select.poll()
            poll.register(self._sock, select.POLLOUT)
            if not poll.poll(SEND_TIMEOUT * 1000):
                self.is_closed = True
                raise BrokenPipeError(errno.EPIPE, "The client does not read the answer.")
            self.flush()

    def send(self, data: bytes) -> int:
        """Swallow gunicorn's `100 Continue`, because the main loop has sent it."""
        return len(data)

    def flush(self) -> None:
        """Send as much as the client takes at once."""
        try:
            while self.unsent:
                del self.unsent[: self._sock.send(self.unsent)]
        except BlockingIOError:
            pass

    def gettimeout(self) -> float:
        """Return 0, because nothing here waits."""
        return 0.0

    def setblocking(self, flag: bool) -> None:  # noqa: FBT001 (as a socket has it)
        """Stay as it is."""

    def shutdown(self, _how: int) -> None:
        """Refuse: the main loop shuts the socket down."""
        raise OSError(errno.ENOTCONN, "The main loop closes the connection.")

    def close(self) -> None:
        """Have the main loop close the connection, because its answer has failed."""
        self.is_closed = True


class Connection(TConn):
    """A connection with the requests that arrive on it, one after another."""

    sock: Any
    timeout: float

    def __init__(self, cfg: Config, sock: socket.socket, client: Any, server: Any) -> None:
        super().__init__(cfg, sock, client, server)
        self.socket = sock
        self.sock = Outbox(sock)
        self.data_ready = True
        self.stage = Stage.IDLE
        self.is_whole = True  # has all of the request arrived that a thread has?
        self.has_long_header = False  # is its header longer than MAX_HEADER?
        self.keep = False  # does the connection stay open after the answer?
        self._inbox = bytearray()
        self._request = b""
        self._at = 0  # where the body begins, or its next chunk
        self._length: int | None = None  # of header and body; None while the body comes in chunks

    def init(self) -> None:
        """Let the thread parse what has arrived. It never reads from the socket."""
        self.parser = http.get_parser(self.cfg, iter((self._request,)), self.client)

    def receive(self) -> bool:
        """Take what has arrived, and say whether the client still sends."""
        try:
            data = self.socket.recv(RECEIVE_SIZE)
        except (BlockingIOError, InterruptedError):
            return True
        except OSError:
            return False
        if self.stage is not Stage.LINGER:
            self._inbox += data
        return bool(data)

    def advance(self) -> bool:
        """Look at what has arrived. When a thread can have a request, take it and return True."""
        if self.stage is Stage.IDLE and self._inbox:
            self.stage = Stage.HEADER
        if self.stage is Stage.HEADER and self._has_header():
            self.stage = Stage.BODY
        if self.stage is Stage.BODY and self._has_body():
            self.stage = Stage.ANSWER
        elif self.stage is Stage.HEADER and len(self._inbox) > MAX_HEADER:
            self.has_long_header = True
            self._take(len(self._inbox), is_whole=False)
        return self.stage is Stage.ANSWER

    def begin_next(self) -> None:
        """Forget the request that was answered."""
        self.stage, self._request = Stage.IDLE, b""

    @property
    def has_more(self) -> bool:
        """Has the client sent more than one request?"""
        return bool(self._inbox)

    def _has_header(self) -> bool:
        end = self._inbox.find(b"\r\n\r\n", max(0, self._at - 3))
        if end < 0:
            self._at = len(self._inbox)
            return False
        fields = dict(_fields(bytes(self._inbox[:end])))
        self._at = end + 4
        length = fields.get(b"content-length", b"0")
        is_chunked = b"chunked" in fields.get(b"transfer-encoding", b"").lower()
        if is_chunked:
            self._length = None
        else:
            self._length = self._at + _number(length)
        if fields.get(b"expect", b"").lower() == b"100-continue" and self._is_small():
            self.sock.unsent += CONTINUE
            self.sock.flush()
        return True

    def _is_small(self) -> bool:
        return self._length is None or self._length - self._at <= MAX_BODY

    def _has_body(self) -> bool:
        if not self._is_small():
            self._take(self._at, is_whole=False)  # the application refuses it by its length
            return True
        end = self._end_of_chunks() if self._length is None else self._length
        if end is not None and end <= len(self._inbox):
            self._take(end, is_whole=True)
            return True
        if self._length is None and (end is not None or len(self._inbox) > MAX_HEADER + MAX_BODY):
            self._take(len(self._inbox), is_whole=False)
            return True
        return False

    def _end_of_chunks(self) -> int | None:
        """Return where the last chunk ends. Past the end of what has arrived: the chunks make no sense."""
        while True:
            end = self._inbox.find(b"\r\n", self._at)
            if end < 0:
                is_bad = len(self._inbox) - self._at > MAX_CHUNK_LINE
                return len(self._inbox) + 1 if is_bad else None
            found = CHUNK_SIZE.fullmatch(self._inbox, self._at, end)
            if found is None:
                return len(self._inbox) + 1
            size = int(found[1], 16)
            if size == 0:
                last = self._inbox.find(b"\r\n\r\n", end)
                return None if last < 0 else last + 4
            if end + 2 + size + 2 > len(self._inbox):
                return None
            self._at = end + 2 + size + 2

    def _take(self, end: int, *, is_whole: bool) -> None:
        self._request, self.is_whole = bytes(self._inbox[:end]), is_whole
        self.sock.request, self.sock.has_answer = self._request, False
        del self._inbox[:end]
        self._at, self._length = 0, None
        self.stage = Stage.ANSWER


def _number(length: bytes) -> int:
    """Return what a Content-Length says, or a bit more than we take when it says more than anybody sends.

    What has other characters than digits is refused by gunicorn's parser.
    """
    digits = length.lstrip(b"0")
    if not digits.isdigit():
        return 0
    return int(digits) if len(digits) <= MAX_LENGTH_DIGITS else MAX_BODY + 1


def _fields(header: bytes) -> list[tuple[bytes, bytes]]:
    """Return name and value of each line, the names in lower case."""
    lines = (line.partition(b":") for line in header.split(b"\r\n")[1:])
    return [(name.strip().lower(), value.strip()) for name, _, value in lines]
