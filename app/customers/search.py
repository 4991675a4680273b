"""How customers are searched: each has one folded text, in which a part of any field is found."""

import re
import unicodedata
from collections.abc import Iterable

import sqlalchemy as sa

from app.customers.models import Customer

FIELD = "\n"  # comes before each field; no folded text contains one
WHOLE = 3  # letters from which on a word is looked for anywhere: the index knows groups of three
WORDS = 8  # as many are looked for each on its own
ALIKE = str.maketrans(  # written with one letter as often as with the other
    {"ı": "i", "ł": "l", "ø": "o", "đ": "d", "ð": "d", "ħ": "h", "æ": "ae", "œ": "oe", "þ": "th"}  # noqa: RUF001
)


def fold(text: str) -> str:
    """What a text has in common with the ways to write it: no letter case, no accents, single spaces.

    It goes letter by letter, so a part of a text folds to a part of the folded text.
    """
    if text.isascii():
        plain = text.lower()
    else:
        bare = unicodedata.normalize("NFKD", text.casefold()).casefold().translate(ALIKE)
        plain = "".join(c for c in bare if not unicodedata.combining(c) and unicodedata.category(c) != "Cf")
    return re.sub(r"[\s\x00-\x20\x7f]+", " ", plain)


def search_text(name: str, key: str | None, primary_email: str | None, subject_keys: Iterable[str]) -> str:
    """The text in which a customer is searched."""
    fields = (name, primary_email, key, *sorted(subject_keys))
    return "".join(FIELD + fold(text) for text in fields if text)


def holds(text: str) -> sa.ColumnElement[bool]:
    """May any field have this part? What does not fit here has it in no letter case; an index decides."""
    return Customer.search_text.contains(fold(text), autoescape=True)


def fits(text: str) -> sa.ColumnElement[bool]:
    """Does a customer have each of these words, in whichever field?

    A word of one or two letters must begin a field or a word. Many words are looked for as one text.
    """
    words = fold(text).split()
    if len(words) > WORDS:
        return holds(" ".join(words))
    return sa.and_(sa.true(), *map(_has, words))


def _has(word: str) -> sa.ColumnElement[bool]:
    if len(word) >= WHOLE:
        return Customer.search_text.contains(word, autoescape=True)
    return sa.or_(*(Customer.search_text.contains(before + word, autoescape=True) for before in (FIELD, " ")))
