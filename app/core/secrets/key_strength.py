"""Whether a secret key could be guessed: typed by hand, copied from an example, or made from a pattern."""

import base64
import hashlib
import re
from contextlib import suppress
from functools import cache
from itertools import pairwise

LOOKED_AT = 72  # characters; zxcvbn takes no more
ENOUGH_GUESSES_LOG10 = 20  # of a key; its 43 random characters need far more
TOKEN_GUESSES_LOG10 = 12  # of a token; 16 random characters need about 16
VARIETY = 22  # different characters of 43; random ones have about 31
MIN_DIFFERENT_CHARACTERS = 8  # of 32 characters or bytes; random keys have many more
# What examples and hurried people write. Random keys practically never contain a word of six letters.
WORDS = re.compile(
    r"changeme|changethis|changeit|replaceme|replacethis|placeholder|example|insecure|password|passphrase"
    r"|secretkey|yoursecret|mysecret|topsecret|supersecret|secret(here|value|phrase)|encryptionkey|signingkey"
    r"|random(string|characters|secret)|(put|insert|enter|goes|your)key|keygoeshere|development|production"
    r"|testing|testkey|default|gangway|billing|correcthorse|loremipsum|quickbrownfox"
    r"|metrics|prometheus|grafana|monitor|bearer|token|scrape|thisisa|thisismy|nobodywill|verysecret|verylongsecret"
    # Sentences that everybody knows
    r"|tobeornottobe|bestoftimes|worstoftimes|inthebeginning|onceuponatime|theforcebewith|maytheforce|wethepeople"
    r"|fourscoreandseven|ihaveadream|callmeishmael|holdthesetruths|allthatglitters|thinkthereforeiam"
    r"|happyfamilies|onesmallstep|elementarymydear|hitchhikersguide|ourfatherwhoart|jackandjill|twinkletwinkle"
)
# Examples in the manuals of Flask, FastAPI and cryptography, and in tutorials about tokens. They look random.
PUBLISHED = {
    "192b9bdd22ab9ed4d12e236c78afcb9a393ec15f71bbf5dc987d54727823bcbf",
    "cw_0x689rpi-jtrr7oe8h_eqskimvjaplesbxpwf4e4",
    "09d25e094faa6ca2556c818166b7a9563b93f7099f6f0f4caa6cf63b88e8d3e7",
    "404e635266556a586e3272357538782f413f4428472b4b6250645367566b5970",
    "3cfa76ef14937c1c0ea519f8fc057a80fcd04a7420f8e8bcd0a7567c272e007b",
}
DIGESTS = {32: "md5", 40: "sha1", 56: "sha224", 64: "sha256", 96: "sha384", 128: "sha512"}  # by hex digits
COMMON_PASSWORDS = 2000  # so many of a long list, and what stands in examples
HASHED_IN_EXAMPLES = ("", "key", "token", "foo", "root", "flask", "django", "stripe", "mysecret", "gangway")


@cache
def is_guessable(key: str, enough: float = ENOUGH_GUESSES_LOG10) -> bool:
    """Could somebody guess this key? Looks at what it encodes, too: Base64 of a bad key is no better."""
    return (
        _is_published(key)
        or _is_typed(key, enough)
        or any(_is_pattern(found) or _is_text(found, enough) for found in _decoded(key))
    )


def _is_published(key: str) -> bool:
    """Does it stand in a manual, or is it the digest of nothing or of a common password?"""
    if key.rstrip("=").lower() in PUBLISHED:
        return True
    digest = DIGESTS.get(len(key)) if re.fullmatch(r"[0-9a-fA-F]+", key) else None
    if digest is None:
        return False
    from zxcvbn.frequency_lists import FREQUENCY_LISTS  # noqa: PLC0415  (they take long to load)

    found = bytes.fromhex(key)
    words = (*HASHED_IN_EXAMPLES, *FREQUENCY_LISTS["passwords"][:COMMON_PASSWORDS])
    return any(hashlib.new(digest, word.encode(), usedforsecurity=False).digest() == found for word in words)


def _is_typed(text: str, enough: float) -> bool:
    text = text[:LOOKED_AT]
    letters = re.sub(r"[^a-z]", "", text.lower().translate(str.maketrans("013457@$", "oleastas")))
    if _is_pattern(text.encode()) or WORDS.search(letters):
        return True
    if _looks_made_by_us(text):
        return False
    from zxcvbn import zxcvbn  # noqa: PLC0415  (its word lists take long to load)

    return float(zxcvbn(text)["guesses_log10"]) < enough


def _looks_made_by_us(text: str) -> bool:
    """Is it as varied as what `gangway key` prints? Then the word lists need not be loaded."""
    is_mixed = all(re.search(kind, text) for kind in ("[a-z]", "[A-Z]", "[0-9]"))
    return is_mixed and re.fullmatch(r"[\w-]{43}=?", text, re.ASCII) is not None and len(set(text)) >= VARIETY


def _is_text(found: bytes, enough: float) -> bool:
    return found.isascii() and found.decode().isprintable() and _is_typed(found.decode(), enough)


def _is_pattern(found: bytes) -> bool:
    """Does it repeat itself, count, or use few different characters?"""
    steps = {(right - left) % 256 for left, right in pairwise(found)}
    repeats = any(found[period:] == found[:-period] for period in range(1, len(found) * 2 // 3))
    fewest = min(MIN_DIFFERENT_CHARACTERS, len(found) // 4)
    return repeats or len(steps) < fewest or len(set(found)) < fewest


def _decoded(key: str) -> list[bytes]:
    found = []
    if re.fullmatch(r"[0-9a-fA-F]+", key) and len(key) % 2 == 0:
        found.append(bytes.fromhex(key))
    bare = key.rstrip("=")
    with suppress(ValueError):
        found.append(base64.b64decode(bare + "=" * (-len(bare) % 4), altchars=b"-_", validate=True))
    return found
