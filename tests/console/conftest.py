"""Fixtures of these tests."""

from tests.support.api import api
from tests.support.world_fixtures import calls, clock, noon, person, postbox, world

__all__ = ["api", "calls", "clock", "noon", "person", "postbox", "world"]
