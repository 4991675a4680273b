"""The order of names in a list that people read."""

import unicodedata

# Letters that come after a letter in the alphabet of a language, and are not that letter with an accent.
# Source: CLDR's collation of each language; the other languages of the portal need none.
OWN_LETTERS = {
    "es": {"ñ": "n"},
    "pl": {"ą": "a", "ć": "c", "ę": "e", "ł": "l", "ń": "n", "ó": "o", "ś": "s", "ź": "z", "ż": "z"},
}
LAST = "\uffff"  # behind every letter that may follow


def sort_key(name: str, locale: str = "en") -> str:
    """Return what a name is sorted by for readers of a language.

    Letter case and accents do not count, so that Å sorts with A, except in letters of the language's own.
    Japanese has its characters in the order of JIS X 0208, which is by their reading for those in names.
    """
    text = unicodedata.normalize("NFC", name.casefold())
    own = OWN_LETTERS.get(locale, {})
    spread = "".join(f"{own[letter]}{LAST}{letter}" if letter in own else letter for letter in text)
    bare = "".join(letter for letter in _parts(spread, own) if not unicodedata.combining(letter))
    return bare.encode("euc_jp", "replace").decode("latin-1") if locale == "ja" else bare


def _parts(text: str, kept: dict[str, str]) -> str:
    return "".join(letter if letter in kept else unicodedata.normalize("NFKD", letter) for letter in text)
