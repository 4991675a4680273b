"""Fixtures of these tests, and how many stories are told: more with `--hypothesis-profile thorough`."""

from hypothesis import HealthCheck, settings

from tests.support.sync_fixtures import calls, clock, person, postbox, world

__all__ = ["calls", "clock", "person", "postbox", "world"]

unhurried = settings(
    deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
settings.register_profile("default", unhurried, max_examples=30)
settings.register_profile("ci", unhurried, max_examples=60, print_blob=True)
settings.register_profile("thorough", unhurried, max_examples=500, print_blob=True)
