"""Fixtures of these tests."""

from tests.support.world_fixtures import calls, clock, person, world

__all__ = ["calls", "clock", "person", "world"]
