"""Many cases of one promise in one test: each is run, and every one that fails is reported."""

import inspect
from collections.abc import Callable, Iterable
from functools import wraps
from typing import Any

import pytest

TestFunction = Callable[..., None]


Cases = Iterable[Any] | Callable[[], Iterable[Any]]


def for_each(names: str | tuple[str, ...], cases: Cases) -> Callable[[TestFunction], TestFunction]:
    """Run a test once for each case, as `pytest.mark.parametrize` does, but in one application.

    Use it where no case leaves anything behind that another one would see: refusals, reads, plain functions.
    Cases that take time to find are given as a function, which is called when the test runs.
    """
    arguments = (names,) if isinstance(names, str) else names

    def decorate(test: TestFunction) -> TestFunction:
        @wraps(test)
        def run_all(*positional: Any, subtests: pytest.Subtests, **fixtures: Any) -> None:
            if "subtests" in asked:
                fixtures["subtests"] = subtests
            for case in cases() if callable(cases) else cases:
                label, values = _as_arguments(arguments, case)
                with subtests.test(label):
                    test(*positional, **(fixtures | values))

        asked = inspect.signature(test).parameters
        assert set(arguments) <= asked.keys(), f"{test.__name__} does not take {arguments}"
        kept = [parameter for name, parameter in asked.items() if name not in {*arguments, "subtests"}]
        own = inspect.Parameter("subtests", inspect.Parameter.KEYWORD_ONLY)
        run_all.__signature__ = inspect.Signature([*kept, own])  # type: ignore[attr-defined]
        return run_all

    return decorate


def _as_arguments(names: tuple[str, ...], case: Any) -> tuple[str, dict[str, Any]]:
    """What a case is called in a report, and its arguments."""
    values = (case,) if len(names) == 1 else case
    arguments = dict(zip(names, values, strict=True))
    return ", ".join(f"{name}={value!r}"[:80] for name, value in arguments.items()), arguments
