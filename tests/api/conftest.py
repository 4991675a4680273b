"""Fixtures of these tests."""

from tests.support.api import api
from tests.support.world_fixtures import clock, person, postbox, world

__all__ = ["api", "clock", "person", "postbox", "world"]
