"""The type of the fixture `rows`."""

from collections.abc import Callable
from typing import Any

Rows = Callable[[type], list[Any]]
