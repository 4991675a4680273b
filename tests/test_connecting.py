"""A name with dead addresses, or a resolver that is silent, holds nobody longer than one dead address."""

import socket
import threading
from collections.abc import Iterator
from time import monotonic

import pytest
import requests
from redis import Connection, Redis, SSLConnection
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeout
from urllib3.connection import HTTPConnection, HTTPSConnection

from app.core import connecting
from app.core.connecting import Address
from app.gateway.transport import whole_answers
from app.web import redis
from tests.support.dead_addresses import address_of, refusing_address, silent_address
from tests.support.processes import PATIENCE

SECONDS = 0.3  # for all addresses together
MANY = 2 * int(PATIENCE / SECONDS)  # with so much for each of them, nobody would wait for the end


@pytest.fixture
def silent() -> Iterator[Address]:
    with silent_address() as address:
        yield address


@pytest.fixture
def refusing() -> Iterator[Address]:
    with refusing_address() as address:
        yield address


class TestSeveralAddresses:
    def test_many_silent_ones_share_one_deadline(self, silent: Address) -> None:
        raised: list[Exception] = []

        def connect() -> None:
            try:
                connecting.connect_to_any([silent] * MANY, monotonic() + SECONDS, ())
            except TimeoutError as error:
                raised.append(error)

        thread = threading.Thread(target=connect, daemon=True)
        thread.start()
        thread.join(PATIENCE)

        assert len(raised) == 1

    def test_a_living_one_behind_a_silent_one_is_found(self, silent: Address) -> None:
        with socket.create_server(("127.0.0.1", 0)) as listening:
            addresses = [silent] + [address_of(listening)] * MANY  # so that the silent one has a short time
            with connecting.connect_to_any(addresses, monotonic() + PATIENCE, ()) as wire:
                assert wire.getpeername() == listening.getsockname()
                assert 0 < (wire.gettimeout() or 0) <= PATIENCE  # the handshake has what is left

    def test_the_reason_of_a_refusal_is_told(self, refusing: Address) -> None:
        with pytest.raises(ConnectionRefusedError):
            connecting.connect_to_any([refusing] * 2, monotonic() + PATIENCE, ())


class TestName:
    @pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
    def test_is_resolved_and_an_address_needs_no_resolver(self, host: str) -> None:
        assert {address[4][1] for address in connecting.resolve(host, 4711, PATIENCE)} == {4711}

    def test_is_given_up_when_the_resolver_is_silent(self) -> None:
        over = threading.Event()

        def look_up() -> list[Address]:
            over.wait(PATIENCE)
            return []

        try:
            with pytest.raises(TimeoutError, match="the name was not resolved in time"):
                connecting.in_time(look_up, 0.05)
        finally:
            over.set()


class TestStripe:
    def test_urllib3_opens_its_sockets_by_the_method_that_we_replace(self) -> None:
        for theirs in (HTTPConnection, HTTPSConnection):
            assert hasattr(theirs, "_new_conn"), (
                "urllib3 opens its sockets by another method: replace that one"
            )

    def test_a_name_that_cannot_be_is_a_failure_to_connect(self) -> None:
        """By the standard way it is a URL that cannot be read, so this passes through ours."""
        url = f"http://{'a' * 64}/v1/account"
        with whole_answers.session(url) as session, pytest.raises(requests.ConnectionError):
            session.get(url, timeout=(PATIENCE, PATIENCE))

    def test_an_address_where_nobody_answers_is_a_timeout(self, silent: Address) -> None:
        url = f"http://127.0.0.1:{silent[4][1]}/v1/account"
        with whole_answers.session(url) as session, pytest.raises(requests.ConnectTimeout):
            session.get(url, timeout=(SECONDS, PATIENCE))

    def test_an_address_that_refuses_is_a_failure_to_connect(self, refusing: Address) -> None:
        url = f"http://127.0.0.1:{refusing[4][1]}/v1/account"
        with whole_answers.session(url) as session, pytest.raises(requests.ConnectionError, match="refused"):
            session.get(url, timeout=(PATIENCE, PATIENCE))


class TestRedis:
    def test_redis_py_opens_its_sockets_by_the_method_that_we_replace(self) -> None:
        for theirs in (Connection, SSLConnection):
            assert "_connect" in vars(theirs), (
                "redis-py opens its sockets by another method: replace that one"
            )

    @pytest.mark.parametrize("scheme", ["redis", "rediss"])
    def test_an_address_where_nobody_answers_is_a_timeout(self, scheme: str, silent: Address) -> None:
        pool = redis.pool(f"{scheme}://127.0.0.1:{silent[4][1]}", SECONDS)

        with pytest.raises(RedisTimeout):
            Redis(connection_pool=pool).ping()

    @pytest.mark.parametrize("scheme", ["redis", "rediss"])
    def test_a_name_that_cannot_be_is_a_failure_to_connect(self, scheme: str) -> None:
        """By the standard way it is a UnicodeError, which nobody expects, so this passes through ours."""
        pool = redis.pool(f"{scheme}://{'a' * 64}:1", PATIENCE)

        with pytest.raises(RedisConnectionError):
            Redis(connection_pool=pool).ping()
