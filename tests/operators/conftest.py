"""Fixtures of these tests."""

import pytest
from flask import Flask

from tests.support.api import api
from tests.support.operators import CountingHasher
from tests.support.world_fixtures import clock, frozen, noon

__all__ = ["api", "bare_app", "clock", "frozen", "hasher", "noon"]


@pytest.fixture
def hasher() -> CountingHasher:
    """What hashes passwords here, quickly."""
    return CountingHasher()


@pytest.fixture
def bare_app(bare_app: Flask, hasher: CountingHasher) -> Flask:
    """The application, with passwords that are quick to hash."""
    bare_app.extensions["gangway.passwords"] = hasher
    return bare_app
