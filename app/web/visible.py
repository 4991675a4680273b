"""Text that people can see: a name of zero-width spaces alone looks like no name at all."""

import unicodedata

# Letters and symbols that are drawn as nothing: Hangul fillers and the empty Braille pattern.
BLANKS = {"\u115f", "\u1160", "\u2800", "\u3164", "\uffa0"}
# Controls, formats, surrogates, private and unassigned characters, separators, and marks without a letter.
INVISIBLE = {"Cc", "Cf", "Cs", "Co", "Cn", "Zs", "Zl", "Zp", "Mn", "Me"}
PADDING = "\u200b\u2060\ufeff"  # zero-width spaces that come along when text is copied


def is_visible(text: str) -> bool:
    """Is there a character that a reader can see?"""
    return any(
        unicodedata.category(character) not in INVISIBLE and character not in BLANKS for character in text
    )


def trim(text: str) -> str:
    """Text without the spaces around it, visible or not; empty when nothing in it can be seen."""
    before = None
    while text != before:
        before, text = text, text.strip().strip(PADDING)
    return text if is_visible(text) else ""


def one_line(text: str, longest: int = 256) -> str:
    """Text as a name in one line; empty when it can't be seen, has several lines or is too long.

    Raises UnicodeEncodeError for bytes on a command line that are not UTF-8.
    """
    text.encode()
    name = trim(text)
    return name if len(name.splitlines()) == 1 and len(name) <= longest else ""
