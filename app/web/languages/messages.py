"""The texts that the public pages show: found in the code, and kept in one catalogue for each language."""

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract
from babel.messages.pofile import read_po, write_po

from app.web.languages.catalogues import SOURCE_LANGUAGE, path_of
from app.web.languages.selection import NAMES

CODE = Path(__file__).resolve().parents[2]
ROOT = CODE.parent if (CODE.parent / "templates").is_dir() else CODE  # a checkout, else a wheel
TRANSLATED = tuple(name for name in NAMES if name != SOURCE_LANGUAGE)
# The console is in English. Its texts may be marked already.
ENGLISH_ONLY = {"console", "operators", "simulator", "migrations"}
KEYWORDS = {
    "_": None,
    "gettext": None,
    "lazy": None,
    "lazy_gettext": None,
    "mark": None,
    "ngettext": (1, 2),
    "pgettext": ((1, "c"), 2),
}
TEMPLATE_OPTIONS = {"trimmed": "true", "silent": "false"}
WIDTH = 110
VOLATILE = (
    "Project-Id-Version",
    "Report-Msgid-Bugs-To",
    "PO-Revision-Date",
    "POT-Creation-Date",
    "Last-Translator",
    "Language-Team",
    "Generated-By",
)


def find() -> Catalog:
    """Find every marked text of the public pages."""
    found = Catalog(project="gangway-portal", charset="utf-8", fuzzy=False)
    for path in _sources():
        method = "python" if path.suffix == ".py" else "jinja2"
        with path.open("rb") as source:
            entries = extract(
                method, source, KEYWORDS, options=TEMPLATE_OPTIONS if method == "jinja2" else {}
            )
            for line, text, comments, context in entries:
                name = path.relative_to(ROOT).as_posix()
                found.add(text, None, [(name, line)], auto_comments=comments, context=context)
    return found


def read(language: str) -> Catalog:
    """Read the catalogue of a language, fuzzy and obsolete entries included; empty when it has no file."""
    path = path_of(language)
    if not path.is_file():
        return Catalog(locale=language, project="gangway-portal", fuzzy=False)
    with path.open("rb") as source:
        return read_po(source, locale=language, abort_invalid=True)


def update(language: str, found: Catalog) -> None:
    """Bring a catalogue up to date: add what is new, guess where a text changed, drop what is unused."""
    catalogue = read(language)
    catalogue.update(found, update_header_comment=False)
    path = path_of(language)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(dump(catalogue))


def dump(catalogue: Catalog) -> bytes:
    """Write a catalogue in an order and with a header that only its texts change."""
    catalogue.header_comment, catalogue.fuzzy = "", False
    written = BytesIO()
    write_po(written, catalogue, width=WIDTH, no_location=True, sort_output=True, ignore_obsolete=True)
    lines = written.getvalue().splitlines(keepends=True)
    kept = (line for line in lines if not line.startswith(tuple(f'"{name}'.encode() for name in VOLATILE)))
    return b"".join(kept).lstrip(b"#\n")


def _sources() -> Iterator[Path]:
    """Yield the files with marked texts."""
    modules = (path for path in CODE.rglob("*.py") if b"languages import" in path.read_bytes())
    for path in sorted((*modules, *(ROOT / "templates").rglob("*.html"))):
        if not ENGLISH_ONLY & set(path.relative_to(ROOT).parts):
            yield path
