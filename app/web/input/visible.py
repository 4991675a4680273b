"""Text that people can see: a name of zero-width spaces alone looks like no name at all."""

import re
import unicodedata

from app.core.errors import Invalid

MAX_NAME_LENGTH = 256

# Letters and symbols that are drawn as nothing: Hangul fillers and the empty Braille pattern.
BLANKS = {"\u115f", "\u1160", "\u2800", "\u3164", "\uffa0"}
# Controls, formats, surrogates, private and unassigned characters, separators, and marks without a letter.
INVISIBLE = {"Cc", "Cf", "Cs", "Co", "Cn", "Zs", "Zl", "Zp", "Mn", "Me"}
PADDING = "\u200b\u2060\ufeff"  # zero-width spaces that come along when text is copied

# What draws nothing, whatever stands beside it: joiners, Khmer vowels, variants, reserved characters.
# https://www.unicode.org/reports/tr44/#Default_Ignorable_Code_Point
HIDDEN_MARKS = re.compile(
    "[\u034f\u17b4\u17b5\u180b-\u180f\ufe00-\ufe0f\u2065\ufff0-\ufff8\U000e0000-\U000e0fff]"
)

# Joiners and choices of a variant belong to emoji and to some scripts, beside characters that show.
_SHOWN = r"[^\x00-\x7f\u00ad\u034f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]"
_VARIANT = r"[\ufe00-\ufe0f\U000e0100-\U000e01ef]"
JOINED = re.compile(rf"(?<={_SHOWN})[\u200c\u200d](?={_SHOWN})|(?<={_SHOWN})(?<!{_VARIANT}){_VARIANT}")


def hidden_character(text: str) -> str | None:
    """Return a character that nobody can see, such as a zero-width space, by its code point. None: all show.

    Two keys that differ in such a character look alike.
    """
    for character in JOINED.sub("", text):
        is_hidden = unicodedata.category(character) in {"Cc", "Cf", "Zl", "Zp"} or character in BLANKS
        if is_hidden or HIDDEN_MARKS.match(character):
            return f"U+{ord(character):04X}"
    return None


def is_visible(text: str) -> bool:
    """Is there a character that a reader can see?"""
    return any(
        unicodedata.category(character) not in INVISIBLE and character not in BLANKS for character in text
    )


def has_control_characters(text: str) -> bool:
    """Does text hold a line break, a NUL or the like?"""
    return any(unicodedata.category(character) in {"Cc", "Cs"} for character in text)


def checked_line(text: str) -> str:
    """Return text that is one line and shows. Raises ValueError, as validators of a body do."""
    if has_control_characters(text) or not is_visible(text):
        raise ValueError("must be one line that can be seen")
    return text


def trim(text: str) -> str:
    """Text without the spaces around it, visible or not; empty when nothing in it can be seen."""
    before = None
    while text != before:
        before, text = text, text.strip().strip(PADDING)
    return text if is_visible(text) else ""


def checked_name(text: str, owner: str) -> str:
    """Return the name of an owner, such as "A token", without padding.

    Raises Invalid for one that can't be seen, has several lines or is too long, and UnicodeEncodeError for
    bytes on a command line that are not UTF-8: `app.cli` explains it.
    """
    text.encode()
    name = trim(text)
    if len(name.splitlines()) != 1 or len(name) > MAX_NAME_LENGTH:
        told = f"{owner} needs a name on one line, of {MAX_NAME_LENGTH} characters or fewer."
        raise Invalid(told, fields={"name": told})
    return name
