"""A load driver: posts signed events over connections that stay open, as fast as they are answered.

    python load.py URL SECRET SECONDS CONNECTIONS FILE

FILE holds the objects of the events, one JSON text a line. Prints how many were answered in a
second, how long that took, and with what status.
"""

import hashlib
import hmac
import json
import socket
import sys
import threading
import time
import uuid
from collections import Counter
from pathlib import Path
from urllib.parse import urlsplit

AHEAD = 100  # events that a connection has ready for each second


class Connection:
    """One connection, with a thread that uses it."""

    def __init__(self, url: str, secret: str, seconds: float, things: list[str]) -> None:
        self.times: list[float] = []
        self.statuses: Counter[int] = Counter()
        self._parts = urlsplit(url)
        self._secret = secret.encode()
        self._things = things
        self._seconds = seconds
        # Made and signed before, so that the load is not what takes the processor's time.
        self._made = [self._request(things[number % len(things)]) for number in range(int(seconds * AHEAD))]
        self.thread = threading.Thread(target=self._run)

    def _run(self) -> None:
        address = (self._parts.hostname, self._parts.port)
        with socket.create_connection(address) as wire:
            wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            number, end = 0, time.perf_counter() + self._seconds
            while time.perf_counter() < end:
                thing = self._things[number % len(self._things)]
                request = self._made[number] if number < len(self._made) else self._request(thing)
                began = time.perf_counter()
                wire.sendall(request)
                self.statuses[_status(wire)] += 1
                self.times.append(time.perf_counter() - began)
                number += 1

    def _request(self, thing: str) -> bytes:
        body = (
            f'{{"id": "evt_{uuid.uuid4().hex}", "object": "event", "type": "customer.updated", '
            f'"livemode": false, "api_version": "2026-10-28.endive", "created": {int(time.time())}, '
            f'"pending_webhooks": 1, '
            f'"request": {{"id": null, "idempotency_key": null}}, "data": {{"object": {thing}}}}}'
        ).encode()
        moment = int(time.time())
        digest = hmac.new(self._secret, f"{moment}.".encode() + body, hashlib.sha256).hexdigest()
        head = (
            f"POST {self._parts.path} HTTP/1.1\r\nHost: {self._parts.netloc}\r\n"
            f"Content-Type: application/json; charset=utf-8\r\nContent-Length: {len(body)}\r\n"
            f"Stripe-Signature: t={moment},v1={digest}\r\n\r\n"
        )
        return head.encode() + body


def _status(wire: socket.socket) -> int:
    """Read one answer; its status."""
    data = b""
    while b"\r\n\r\n" not in data:
        data += _received(wire)
    head, _, rest = data.partition(b"\r\n\r\n")
    lengths = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
    missing = int(lengths[0].split(b":")[1]) - len(rest) if lengths else 0
    while missing > 0:
        missing -= len(_received(wire))
    return int(head.split(b" ", 2)[1])


def _received(wire: socket.socket) -> bytes:
    data = wire.recv(65536)
    if not data:
        raise ConnectionError("the server hung up")
    return data


def main(url: str, secret: str, seconds: float, connections: int, file: Path) -> None:
    """Load it and print what came of it."""
    things = file.read_text().splitlines()
    wires = [Connection(url, secret, seconds, things) for _ in range(connections)]
    began = time.perf_counter()
    for wire in wires:
        wire.thread.start()
    for wire in wires:
        wire.thread.join()
    took = time.perf_counter() - began
    times = sorted(t for wire in wires for t in wire.times)
    statuses = sum((wire.statuses for wire in wires), Counter())
    result = {
        "rate": statuses[200] / took,
        "p50": times[len(times) // 2] * 1000,
        "p99": times[int(len(times) * 0.99)] * 1000,
        "statuses": dict(statuses),
    }
    print(json.dumps(result))  # noqa: T201


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], float(sys.argv[3]), int(sys.argv[4]), Path(sys.argv[5]))
