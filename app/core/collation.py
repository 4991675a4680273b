"""The order of names in a list that people read."""

import unicodedata


def sort_key(name: str) -> str:
    """Return what a name is sorted by: no letter case and no accents, so that Å stands with A."""
    bare = unicodedata.normalize("NFKD", name.casefold())
    return "".join(character for character in bare if not unicodedata.combining(character))
