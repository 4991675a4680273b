"""Fixtures of these tests."""

from tests.support.world_fixtures import calls, clock, person, postbox, world

__all__ = ["calls", "clock", "person", "postbox", "world"]
