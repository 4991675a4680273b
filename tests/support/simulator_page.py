"""Read the simulator's pages, and check what all of them must have."""

import re
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urlsplit


class Page(HTMLParser):
    """The parts of a page that the tests look at."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.labels: set[str] = set()
        self.controls: list[dict[str, str | None]] = []
        self.tags: list[str] = []
        self.has_inline_style = False
        self.text = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", text))
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.tags.append(tag)
        if given.get("id"):
            self.ids.append(str(given["id"]))
        if tag == "label":
            self.labels.add(given.get("for") or "")
        if tag in {"input", "select"} and given.get("type") not in {"hidden", "radio", "checkbox"}:
            self.controls.append(given)
        self.has_inline_style = (
            self.has_inline_style or "style" in given or any(name.startswith("on") for name in given)
        )

    def control(self, name: str) -> dict[str, str | None]:
        return next(control for control in self.controls if control["name"] == name)


def read(answer: Any) -> Page:
    """Parse a page and check what every page must have: one title, one h1, labels, no script or style."""
    text = answer.get_data(as_text=True)
    page = Page(text)
    assert page.tags.count("title") == page.tags.count("h1") == 1
    assert len(page.ids) == len(set(page.ids))
    assert all(control["id"] in page.labels for control in page.controls)
    assert not page.has_inline_style
    assert "script" not in page.tags
    assert "style" not in page.tags
    assert "Simulator" in page.text
    assert "Test" in page.text
    policy = answer.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'")
    assert "unsafe" not in policy
    assert answer.headers["Cache-Control"] == "no-store"
    return page


def path(session: Any) -> str:
    """Return the path of a session's page."""
    return str(urlsplit(session.url).path)
