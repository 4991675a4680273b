"""Countries by name, in the reader's language."""

from functools import cache

from babel import Locale

from app.core.collation import sort_key

NO_COUNTRIES = {"EU", "EZ", "UN", "XA", "XB", "ZZ"}  # CLDR has names of these, too


@cache
def choices(locale: str = "en") -> tuple[tuple[str, str], ...]:
    """Return code and name of each country, by name."""
    names = Locale.parse(locale).territories
    found = [(code, name) for code, name in names.items() if _is_country(code)]
    return tuple(sorted(found, key=lambda pair: sort_key(pair[1])))


def name(code: str, locale: str = "en") -> str:
    """Return a country's name, or its code when it has none."""
    return str(Locale.parse(locale).territories.get(code, code))


def _is_country(code: str) -> bool:
    return len(code) == 2 and code.isalpha() and code not in NO_COUNTRIES
