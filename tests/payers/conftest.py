"""Fixtures of these tests."""

from tests.support.sync_fixtures import calls, world

__all__ = ["calls", "world"]
