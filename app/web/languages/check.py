"""What is wrong with the catalogues, before a reader meets it."""

import re
from collections.abc import Iterator

from babel.messages.catalog import Catalog, Message

from app.core.values import frozen
from app.web.languages import messages

PLACEHOLDER = re.compile(r"%\((\w+)\)s")
NUMBER = "num"  # a plural form may write it as a word


@frozen
class Fault:
    """One fault of one message in one language."""

    language: str
    kind: str  # missing, fuzzy, unused, placeholders or plural
    text: str

    def __str__(self) -> str:
        """Return the fault as a line of the command."""
        return f"{self.language}: {self.kind}: {self.text}"


def check_all(languages: tuple[str, ...] = messages.TRANSLATED) -> list[Fault]:
    """Compare every catalogue with the texts in the code."""
    found = messages.find()
    return [fault for language in languages for fault in check(language, messages.read(language), found)]


def check(language: str, catalogue: Catalog, found: Catalog) -> list[Fault]:
    """Compare one catalogue with the texts in the code."""
    faults = [
        Fault(language, kind, _source(message))
        for message in found
        if message.id
        for kind in _faults(catalogue, message)
    ]
    unused = [message for message in catalogue if message.id and not _has(found, message)]
    unused += catalogue.obsolete.values()
    return faults + [Fault(language, "unused", _source(message)) for message in unused]


def _faults(catalogue: Catalog, message: Message) -> Iterator[str]:
    entry = catalogue.get(message.id, message.context)
    forms = _forms(entry)
    if entry is None or not any(forms):
        yield "missing"
        return
    if entry.fuzzy:
        yield "fuzzy"
    expected = 1 if isinstance(message.id, str) else catalogue.num_plurals
    if len(forms) != expected or not all(forms):
        yield "plural"
    if any(_differ(message, form) for form in forms if form):
        yield "placeholders"


def _differ(message: Message, form: str) -> bool:
    """Does a form fill in other values than its source, or can't it be filled in?"""
    sources = (message.id,) if isinstance(message.id, str) else tuple(message.id)
    names = {name for source in sources for name in PLACEHOLDER.findall(source)}
    own = set(PLACEHOLDER.findall(form))
    optional = set() if isinstance(message.id, str) else {NUMBER}
    if not names:
        return "%" in form
    rest = PLACEHOLDER.sub("", form).replace("%%", "")
    return "%" in rest or not names - optional <= own or not own <= names


def _forms(entry: Message | None) -> list[str]:
    if entry is None:
        return []
    return [entry.string] if isinstance(entry.string, str) else list(entry.string or ())


def _has(found: Catalog, message: Message) -> bool:
    return found.get(message.id, message.context) is not None


def _source(message: Message) -> str:
    text = message.id if isinstance(message.id, str) else message.id[0]
    return f"[{message.context}] {text}" if message.context else text
