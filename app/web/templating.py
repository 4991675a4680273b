"""How templates are loaded."""

from threading import RLock
from typing import Any

from flask.templating import Environment
from jinja2 import Template


class Templates(Environment):
    """Compiles each template once, although all threads of a new process may ask for it at the same time.

    Without the lock each of them compiles it, and the first visitors after a restart wait for all of that.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._loading = RLock()  # a template loads those that it extends

    def select_template(self, *args: Any, **options: Any) -> Template:
        """Return the first of several templates that is there."""
        with self._loading:
            return super().select_template(*args, **options)

    def get_template(self, *args: Any, **options: Any) -> Template:
        """Return a template, from the cache if it was loaded before."""
        with self._loading:
            return super().get_template(*args, **options)
