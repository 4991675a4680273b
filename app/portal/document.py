"""The JSON document of an export, and what is wrong with one that somebody wants to import."""

import json
import re
from collections.abc import Iterator
from itertools import islice
from typing import Any

from pydantic import ValidationError

from app.core.errors import Invalid
from app.portal.settings import PortalSettings
from app.portal.texts import TEXTS

MAX_BYTES = 4_000_000
MAX_SHOWN = 50  # problems of one file
WHOLE = "the file"  # where something is wrong with all of it
UNSTORABLE = re.compile(r"[\x00\ud800-\udfff]")
CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
LINES = re.compile(r"[\t\n\r]")
TEXT_OF_PROFILE = re.compile(r"profiles\.[^.]*\.texts\.")  # what may have several lines


def dump(settings: PortalSettings) -> str:
    """Write settings as JSON that version control can compare line by line."""
    return json.dumps(settings.model_dump(mode="json"), ensure_ascii=False, indent=2, sort_keys=True) + "\n"


def load(text: str) -> PortalSettings:
    """Read a document. Raises Invalid, with each wrong field and what to do, for one that is no settings."""
    if len(text.encode(errors="replace")) > MAX_BYTES:
        raise Invalid("The file is too large: use one under 4 MB.")
    try:
        document = json.loads(text)
        problems = dict(_unstorable(document))  # it may be nested too deeply for this, too
    except (ValueError, RecursionError) as error:
        raise Invalid(f"The file is not valid JSON: {error}.") from error
    try:
        settings = PortalSettings.model_validate(document)
    except ValidationError as error:
        for problem in error.errors(include_input=False, include_url=False):
            where = ".".join(str(part) for part in problem["loc"]) or WHOLE
            problems.setdefault(where, problem["msg"].removeprefix("Value error, "))
    else:
        known = settings.model_dump(mode="json")
        problems |= dict.fromkeys(_unknown(document, known), "There is no such setting.")
        problems |= dict(_bad_texts(settings))
    if problems:
        shown = {_printable(where): _printable(said) for where, said in islice(problems.items(), MAX_SHOWN)}
        lines = [f"{where}: {said}" for where, said in shown.items()]
        if len(problems) > MAX_SHOWN:
            lines.append(f"And {len(problems) - MAX_SHOWN} more.")
        raise Invalid("\n".join(lines), fields=shown)
    return settings


def _printable(text: str) -> str:
    """Spell out half of a surrogate pair, which no terminal and no page can show."""
    return text.encode(errors="backslashreplace").decode()


def _unknown(document: object, known: object, path: str = "") -> Iterator[str]:
    """Return the path of each key that the settings do not have."""
    if isinstance(document, dict) and isinstance(known, dict):
        for name, value in document.items():
            where = f"{path}.{name}" if path else str(name)
            if name in known:
                yield from _unknown(value, known[name], where)
            else:
                yield where
    elif isinstance(document, list) and isinstance(known, list):
        for index, (value, same) in enumerate(zip(document, known, strict=False)):
            yield from _unknown(value, same, f"{path}.{index}")


def _bad_texts(settings: PortalSettings) -> Iterator[tuple[str, str]]:
    """Return each text that no page shows, and each that is too long for its place."""
    for slug, profile in settings.profiles.items():
        for name, texts in profile.texts.items():
            where = f"profiles.{slug}.texts.{name}"
            if name not in TEXTS:
                yield where, "There is no such text."
                continue
            limit = TEXTS[name].limit
            for language, text in texts.items():
                if len(text) > limit:
                    yield f"{where}.{language}", f"Use {limit} characters or fewer."


def _unstorable(document: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Return each text that PostgreSQL can't store or no page can show, by its path.

    A line break may stand in a text of the company, and nowhere else: a name is put into subjects of emails.
    """
    if isinstance(document, dict):
        for name, value in document.items():
            yield from _unstorable(name, path)
            yield from _unstorable(value, f"{path}.{name}" if path else str(name))
    elif isinstance(document, list):
        for index, value in enumerate(document):
            yield from _unstorable(value, f"{path}.{index}")
    elif isinstance(document, str) and UNSTORABLE.search(document):
        yield path or WHOLE, "This has characters that can't be stored."
    elif isinstance(document, str) and _has_controls(document, path):
        yield path or WHOLE, "This has characters that can't be shown."


def _has_controls(text: str, path: str) -> bool:
    is_long = TEXT_OF_PROFILE.match(path)
    return bool(CONTROLS.search(text) or (LINES.search(text.strip()) and not is_long))
