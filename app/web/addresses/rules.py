"""The rules by which addresses are matched and built."""

from collections.abc import Callable
from functools import cache

from werkzeug.routing import Rule


class LateRule(Rule):
    """A rule that is compiled for building addresses when the first one is built.

    Werkzeug compiles two functions for each rule. For all rules that took most of the time in which a start
    makes the application.
    """

    def _compile_builder(self, append_unknown: bool = True) -> Callable[..., tuple[str, str]]:  # noqa: FBT001, FBT002 (as Werkzeug has it)
        compiled = cache(super()._compile_builder)
        return lambda rule, /, **values: compiled(append_unknown)(rule, **values)
