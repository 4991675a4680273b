"""A test has the same name in every process, or those of one run refuse to share the work."""

import re
import time

import pytest

NEAR = 30 * 24 * 3600  # seconds; what a test reckons from now is rarely further away


def test_no_name_holds_the_time_of_its_collection(request: pytest.FixtureRequest) -> None:
    now = time.time()

    names = [item.nodeid for item in request.session.items]

    numbers = [(name, int(number)) for name in names for number in re.findall(r"\d{10,}", name)]
    assert [name for name, number in numbers if abs(number - now) < NEAR] == []
