"""An HTTP server for a simulator, with one thread for each connection. Connections stay open (keep-alive)."""

import json
import socket
import struct
import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO, StringIO
from typing import Any
from urllib.parse import unquote_to_bytes

from app.simulator.protocol.faults.next_calls import NoAnswer
from app.simulator.simulator import Simulator

_MAX_BODY = 1024 * 1024  # bytes


class Server:
    """A running server. `url` is its address."""

    def __init__(self, simulator: Simulator, host: str, port: int) -> None:
        self._http = _Http((host, port), _Handler, simulator)
        address = f"[{host}]" if ":" in host else host
        self.url = f"http://{address}:{self._http.server_port}"
        self._thread = threading.Thread(
            target=self._http.serve_forever,
            kwargs={"poll_interval": 0.05},
            name="simulator-http",
            daemon=True,
        )
        self._thread.start()

    def close(self) -> None:
        """Stop listening and cut all connections."""
        self._http.closing.set()
        self._http.shutdown()
        self._http.server_close()
        self._http.cut_all()
        self._thread.join()


def serve(simulator: Simulator, host: str, port: int) -> Server:
    """Start a server in a thread. Port 0 chooses a free port. Raises OSError when the port is taken."""
    return Server(simulator, host, port)


class _Http(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 256

    def __init__(
        self, address: tuple[str, int], handler: type[BaseHTTPRequestHandler], simulator: Simulator
    ) -> None:
        self.address_family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        self.wsgi = simulator.wsgi
        self.closing = threading.Event()
        self._connections: set[socket.socket] = set()
        self._lock = threading.Lock()
        super().__init__(address, handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._lock:
            self._connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        with self._lock:
            self._connections.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: object, client_address: object) -> None:
        """Report nothing: the caller has closed the connection."""

    def cut_all(self) -> None:
        with self._lock:
            connections = list(self._connections)
        for connection in connections:
            with suppress(OSError):  # already closed
                connection.shutdown(socket.SHUT_RDWR)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"  # keep-alive makes the SDK fast
    server_version = "GangwaySimulator"
    sys_version = ""
    disable_nagle_algorithm = True
    timeout = 120
    server: _Http

    def do_GET(self) -> None:
        self._serve()

    do_POST = do_DELETE = do_PUT = do_PATCH = do_HEAD = do_OPTIONS = do_GET  # noqa: N815

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's word
        """Log nothing, because a path or query may hold private data."""

    def _serve(self) -> None:
        try:
            size = int(self.headers.get("Content-Length") or 0)
        except ValueError:
            size = -1
        if not 0 <= size <= _MAX_BODY or "chunked" in self.headers.get("Transfer-Encoding", ""):
            self.close_connection = True
            self._send("413 Content Too Large", [("Content-Type", "text/plain")], b"")
            return
        body = self.rfile.read(size)
        head: list[Any] = []

        def start(
            status: str, headers: list[tuple[str, str]], _error: object = None
        ) -> Callable[[bytes], object]:
            head[:] = [status, headers]
            return lambda _: None  # the old `write`, which Flask does not use

        try:
            chunks: Iterable[bytes] = self.server.wsgi(self._environ(body), start)
            content = b"".join(chunks)
            getattr(chunks, "close", lambda: None)()
        except NoAnswer as fault:
            self.server.closing.wait(fault.seconds)
            self._reset()
        except ConnectionResetError:
            self._reset()
        except Exception as error:  # noqa: BLE001 - a bug must not look like a network problem
            message = f"The simulator failed: {type(error).__name__}"
            failure = {"error": {"type": "api_error", "message": message}}
            json_type = [("Content-Type", "application/json")]
            self._send("500 Internal Server Error", json_type, json.dumps(failure).encode())
        else:
            self._send(head[0], head[1], content)

    def _environ(self, body: bytes) -> dict[str, Any]:
        path, _, query = self.path.partition("?")
        environ: dict[str, Any] = {
            "REQUEST_METHOD": self.command,
            "SCRIPT_NAME": "",
            "PATH_INFO": unquote_to_bytes(path).decode("latin-1"),
            "QUERY_STRING": query,
            "SERVER_NAME": "127.0.0.1",
            "SERVER_PORT": str(self.server.server_port),
            "SERVER_PROTOCOL": self.request_version,
            "REMOTE_ADDR": self.client_address[0],
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": "http",
            "wsgi.input": BytesIO(body),
            "wsgi.errors": StringIO(),
            "wsgi.multithread": True,
            "wsgi.multiprocess": False,
            "wsgi.run_once": False,
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "CONTENT_LENGTH": str(len(body)),
        }
        for name, value in self.headers.items():
            key = "HTTP_" + name.upper().replace("-", "_")
            if key not in {"HTTP_CONTENT_TYPE", "HTTP_CONTENT_LENGTH"}:
                environ[key] = value
        return environ

    def _send(self, status: str, headers: list[tuple[str, str]], content: bytes) -> None:
        """Send head and body in one write, so that TCP does not delay the answer."""
        lines = [f"HTTP/1.1 {status}", *(f"{name}: {value}" for name, value in headers)]
        if not any(name.lower() == "content-length" for name, _ in headers):
            lines.append(f"Content-Length: {len(content)}")
        if self.close_connection:
            lines.append("Connection: close")
        text = "\r\n".join(lines) + "\r\n\r\n"
        self.wfile.write(text.encode("latin-1") + (b"" if self.command == "HEAD" else content))

    def _reset(self) -> None:
        """Cut the connection with a TCP reset, not with a normal end."""
        self.close_connection = True
        linger = struct.pack("ii", 1, 0)
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self.connection.close()
