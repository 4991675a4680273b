"""Many cases of one promise in one test: each is run, and every one that fails is reported."""

import inspect
from collections.abc import Callable, Iterable
from functools import wraps
from typing import Any

import pytest

TestFunction = Callable[..., None]


def for_each(names: str | tuple[str, ...], cases: Iterable[Any]) -> Callable[[TestFunction], TestFunction]:
    """Run a test once for each case, as `pytest.mark.parametrize` does, but in one application.

    Use it where no case leaves anything behind that another one would see: refusals, reads, plain functions.
    """
    arguments = (names,) if isinstance(names, str) else names
    chosen = [_as_arguments(arguments, case) for case in cases]

    def decorate(test: TestFunction) -> TestFunction:
        @wraps(test)
        def run_all(*positional: Any, subtests: pytest.Subtests, **fixtures: Any) -> None:
            if "subtests" in asked:
                fixtures["subtests"] = subtests
            for label, values in chosen:
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
