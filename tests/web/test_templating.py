"""A template is compiled once, however many threads ask for it after a start."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import Any

import pytest
from flask import Flask
from jinja2 import BaseLoader, Environment

from app.web.templating import Templates

MOMENT = 0.2  # seconds in which a second thread would come in


class SlowLoader(BaseLoader):
    """Gives a template once somebody else asks for it, too, or after a moment."""

    def __init__(self) -> None:
        self.asked = 0
        self._second = Event()

    def get_source(self, environment: Environment, template: str) -> tuple[str, None, Callable[[], bool]]:
        """Return the source."""
        self.asked += 1
        if self.asked == 1:
            self._second.wait(MOMENT)
        else:
            self._second.set()
        return f"This is {template}", None, lambda: True


@pytest.mark.parametrize("name", ["a.html", ["a.html", "b.html"]])
def test_compiles_once_what_many_ask_for(name: Any) -> None:
    templates = Templates(Flask(__name__))
    templates.loader = loader = SlowLoader()

    with ThreadPoolExecutor(4) as threads:
        drawn = list(threads.map(lambda _: templates.get_or_select_template(name).render(), range(4)))

    assert drawn == ["This is a.html"] * 4
    assert loader.asked == 1


def test_the_application_draws_its_pages_so(app: Flask) -> None:
    assert isinstance(app.jinja_env, Templates)
