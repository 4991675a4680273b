"""Prose stays plain: code, pages and documents hardly use the phrases that made them hard to read."""

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
MAX_PER_1000_LINES = 1
MIN_LENGTH = 20  # characters of a text; shorter ones are names, or phrases such as these
PHRASES = (
    ("any more", "anew", "for ever", "once more", "in vain", "beforehand"),
    ("whoever", "whom", "whose", "of whom", "of which", "on which", "by which"),
    ("of ours", "of theirs", "of its own", "of their own", "of our making", "by itself", "by themselves"),
    ("stand for", "stands for", "as good as", "at the most", "be it", "may be had", "which is as well"),
    ("is wanted", "are wanted", "is told", "are told", "told of", "tells of", "it is what", "that is what"),
    ("goes on where", "let go of", "thereby", "therein", "how-many-eth"),
)


def any_phrase(between: str) -> re.Pattern[str]:
    """A pattern of the phrases, with this pattern between their words."""
    phrases = (phrase.replace(" ", between) for row in PHRASES for phrase in row)
    return re.compile(rf"\b(?:{'|'.join(phrases)})\b", re.IGNORECASE)


ODD = any_phrase(r"\s+")
# The same in a module that nobody has parsed, which takes long: words of a phrase may lie in two lines.
ODD_IN_SOURCE = any_phrase(r"""(?:\\[nt]|[rbfu]+(?=["'])|\W)+""")


def files(folders: tuple[str, ...], kind: str) -> list[Path]:
    """Return the files of a kind in some folders of the repository."""
    return sorted(path for folder in folders for path in (ROOT / folder).rglob(f"*.{kind}"))


SOURCES = files(("app", "tests"), "py")
TEMPLATES = files(("app", "templates"), "html")
DOCUMENTS = [ROOT / "README.md", *files((".docs",), "md")]


def python_prose(text: str) -> Iterator[str]:
    """Yield the docstrings, sentences and comments of a module, if it may have an odd phrase."""
    if not ODD_IN_SOURCE.search(text):
        return
    for node in ast.walk(ast.parse(text)):
        value = node.value if isinstance(node, ast.Constant) else None
        if isinstance(value, str) and " " in value and len(value) > MIN_LENGTH:
            yield value
    tokens = tokenize.generate_tokens(io.StringIO(text).readline)
    comments = (token.string.lstrip("# ") for token in tokens if token.type == tokenize.COMMENT)
    yield "\n".join(comments)


def odd_phrases(text: str, *, is_python: bool) -> list[str]:
    """Return the odd phrases of a text, each with the words around it."""
    return [
        " ".join(prose[max(match.start() - 30, 0) : match.end() + 30].split())
        for prose in (python_prose(text) if is_python else [text])
        for match in ODD.finditer(prose)
    ]


def found_in(paths: list[Path]) -> list[str]:
    """Return the odd phrases of files, each with its file."""
    return [
        f"{path.relative_to(ROOT)}: {found}"
        for path in paths
        for found in odd_phrases(path.read_text(), is_python=path.suffix == ".py")
    ]


def test_code_and_documents_have_almost_no_odd_phrases() -> None:
    paths = [*SOURCES, *DOCUMENTS]
    lines = sum(path.read_text().count("\n") for path in paths)

    found = found_in(paths)

    assert len(found) * 1000 < MAX_PER_1000_LINES * lines, "\n".join(found)


def test_pages_and_readme_have_no_odd_phrases() -> None:
    assert found_in([*TEMPLATES, *DOCUMENTS]) == []


@pytest.mark.parametrize(
    "text", ['"""Says {} enough."""', "x = 1  # says {}", 'raise Error("We say it {} here")']
)
def test_a_phrase_counts_in(text: str) -> None:
    phrase = PHRASES[0][0]

    assert len(odd_phrases(text.format(phrase), is_python=True)) == 1
    assert odd_phrases(text.format("again"), is_python=True) == []


def test_a_phrase_counts_across_lines() -> None:
    first, second = PHRASES[0][0].split()

    assert len(odd_phrases(f"# It is not so {first}\n# {second}.\n", is_python=True)) == 1
    assert len(odd_phrases(f"<p>It is not so {first}\n   {second}.</p>", is_python=False)) == 1
