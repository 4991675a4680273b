"""A page as a browser sees it, and what must hold on every page."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from html import unescape

from werkzeug.test import TestResponse

VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}
# A closing tag; or an opening tag, its attributes and whether it ends at once; or a comment; or a doctype.
TOKEN = re.compile(
    r"""</([a-zA-Z][\w-]*)\s*>"""
    r"""|<([a-zA-Z][\w-]*)((?:[^"'<>/]|"[^"]*"|'[^']*'|/(?!>))*)(/?)>"""
    r"""|<!--.*?-->|<![^>-]*>""",
    re.DOTALL,
)
ATTRIBUTE = re.compile(r"""([^\s=/"'<>]+)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'<>]+)))?""")
LABELLED = {"input", "select", "textarea"}


@dataclass
class Element:
    """One element with what stands in it."""

    tag: str
    attributes: dict[str, str] = field(default_factory=dict)
    children: "list[Element | str]" = field(default_factory=list)

    def __getitem__(self, attribute: str) -> str:
        return self.attributes[attribute]

    def get(self, attribute: str) -> str:
        """An attribute, or nothing."""
        return self.attributes.get(attribute, "")

    @property
    def text(self) -> str:
        """The words in it, with single spaces between them."""
        return " ".join("".join(self._texts()).split())

    def all(self, tag: str | None = None, **attributes: str) -> "list[Element]":
        """The elements in it of that tag, and with those attributes; `for_` and `class_` end in a line."""
        found = self._elements if tag is None else [one for one in self._elements if one.tag == tag]
        for name, value in attributes.items():
            attribute = name.rstrip("_").replace("_", "-")
            found = [one for one in found if one.attributes.get(attribute) == value]
        return found

    def one(self, tag: str | None = None, **attributes: str) -> "Element":
        """The only such element."""
        found = self.all(tag, **attributes)
        assert len(found) == 1, f"{len(found)} elements are {tag} {attributes}, not one"
        return found[0]

    @cached_property
    def _elements(self) -> "list[Element]":
        """Every element in it, in order. A page is looked through dozens of times, and never changes."""
        found: list[Element] = []
        for child in self.children:
            if isinstance(child, Element):
                found.append(child)
                found += child._elements
        return found

    def _texts(self) -> Iterator[str]:
        for child in self.children:
            if isinstance(child, str):
                yield child
            elif child.tag not in {"script", "style"}:
                yield " "
                yield from child._texts()
                yield " "


class Page(Element):
    """A whole document."""

    def __init__(self, html: str) -> None:
        super().__init__("#document")
        self.html = html
        _read(html, self)

    @classmethod
    def of(cls, response: TestResponse) -> "Page":
        """The page of an answer, once it has passed the checks that hold for every page."""
        assert response.mimetype == "text/html", response.mimetype
        page = cls(response.get_data(as_text=True))
        page.check()
        return page

    @property
    def h1(self) -> str:
        """What the page calls itself."""
        return self.one("h1").text

    def tells(self, word: str) -> bool:
        """Whether a word, such as a card's last digits, stands in the page, be it in an attribute.

        Random ids hold any four digits now and then. Such digits are not a word.
        """
        return re.search(rf"(?<![\w-]){re.escape(word)}(?![\w-])", self.html) is not None

    def field(self, name: str) -> Element:
        """The only field of that name."""
        found = [element for element in self.all() if element.tag in LABELLED and element.get("name") == name]
        assert len(found) == 1, f"{len(found)} fields are called {name}"
        return found[0]

    def value(self, name: str) -> str:
        """What stands in a field."""
        found = self.field(name)
        if found.tag != "select":
            return found.get("value")
        chosen = [option for option in found.all("option") if "selected" in option.attributes]
        return chosen[0]["value"] if chosen else found.all("option")[0]["value"]

    def values(self, name: str) -> list[str]:
        """What stands in the fields of that name, in order."""
        return [element.get("value") for element in self.all("input", name=name)]

    def described(self, element: Element) -> str:
        """The words that a field points to with aria-describedby."""
        return " ".join(self.one(id=target).text for target in element.get("aria-describedby").split())

    def error(self, name: str) -> str:
        """The error beside a field: tied to it, and said to be one. Nothing when there is none."""
        found = self.field(name)
        return self.described(found) if found.get("aria-invalid") == "true" else ""

    def errors(self, name: str) -> list[str]:
        """The errors beside the fields of that name, in order."""
        return [
            self.described(element) if element.get("aria-invalid") == "true" else ""
            for element in self.all("input", name=name)
        ]

    def check(self) -> None:
        """What must hold on every page."""
        assert self.html.lstrip().lower().startswith("<!doctype html>")
        assert self.one("html").get("lang")
        assert len(self.all("main")) == 1
        self._check_headings()
        self._check_ids()
        self._check_labels()
        self._check_policy()

    def _check_headings(self) -> None:
        assert len(self.one("head").all("title")) == 1
        assert self.one("head").one("title").text
        assert len(self.all("h1")) == 1
        assert self.h1
        levels = [int(element.tag[1]) for element in self.all() if element.tag in {"h1", "h2", "h3", "h4"}]
        steps = zip([0, *levels], levels, strict=False)
        assert all(level <= before + 1 for before, level in steps), f"headings skip a level: {levels}"

    def _check_ids(self) -> None:
        all_ids = [element["id"] for element in self.all() if "id" in element.attributes]
        ids = set(all_ids)
        assert len(all_ids) == len(ids), f"duplicate ids in {sorted(all_ids)}"
        for element in self.all():
            for attribute in ("aria-describedby", "aria-labelledby", "for"):
                for target in element.get(attribute).split():
                    assert target in ids, f"{attribute} names {target}, which is not there"
            href = element.get("href")
            if href.startswith("#"):
                assert href[1:] in ids, f"a link leads to {href}, which is not there"

    def _check_labels(self) -> None:
        labels = {label.get("for"): label.text for label in self.all("label")}
        for element in self.all():
            if element.tag in LABELLED and element.get("type") != "hidden":
                assert labels.get(element.get("id")), f"{element.attributes} has no label"
            if element.tag in {"button", "a"}:
                assert element.text, f"{element.attributes} says nothing"
            if element.tag == "img":
                assert "alt" in element.attributes

    def _check_policy(self) -> None:
        """The Content-Security-Policy forbids all of these, so that they would not work."""
        assert not self.all("style")
        for element in self.all():
            assert "style" not in element.attributes, f"inline style on {element.tag}"
            handlers = [name for name in element.attributes if name.startswith("on")]
            assert not handlers, f"{handlers} on {element.tag}"
            assert not element.get("href").lower().startswith("javascript:")
            if element.tag == "script":
                assert element.get("src").startswith("/"), "inline or foreign script"
            if element.tag in {"link", "img", "iframe"}:
                source = element.get("href") + element.get("src")
                assert source.startswith("/"), f"a request to a third party: {source}"


def _read(html: str, page: Element) -> None:
    """Put the elements of a page in it. Every test reads several, and `html.parser` takes five times as long.

    It takes no HTML that has an error: browsers would guess what was meant.
    """
    opened, place = [page], 0
    for found in TOKEN.finditer(html):
        _add_text(opened[-1], html[place : found.start()])
        place = found.end()
        closed, tag, attributes, end = found.groups()
        if closed is not None:
            was = opened.pop()
            assert was.tag == closed.lower(), f"</{closed}> closes <{was.tag}>"
        elif tag is not None:
            element = Element(tag.lower(), _attributes(tag, attributes))
            opened[-1].children.append(element)
            if element.tag not in VOID and not end:
                opened.append(element)
    _add_text(opened[-1], html[place:])
    assert opened == [page], f"<{opened[-1].tag}> is never closed"


def _attributes(tag: str, text: str) -> dict[str, str]:
    found = [
        (name.lower(), double or single or bare) for name, double, single, bare in ATTRIBUTE.findall(text)
    ]
    attributes = {name: unescape(value) if "&" in value else value for name, value in found}
    assert len(attributes) == len(found), f"an attribute stands twice on {tag}"
    return attributes


def _add_text(element: Element, text: str) -> None:
    if text:
        assert "<" not in text, f"a tag that is none: {text[text.index('<') :][:80]}"
        element.children.append(unescape(text) if "&" in text else text)
