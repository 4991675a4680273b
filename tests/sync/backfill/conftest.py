"""Fixtures of these tests: no webhook arrives."""

import pytest

from tests.support.world import World


@pytest.fixture(autouse=True)
def _no_webhooks(world: World) -> None:
    world.simulator.fault_settings.drop_all = True
