"""Fixtures of these tests."""

from tests.support.world_fixtures import calls, clock, frozen, person, postbox, world

__all__ = ["calls", "clock", "frozen", "person", "postbox", "world"]
