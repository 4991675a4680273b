"""Countries by name, in the reader's language."""

from functools import cache

from babel import Locale

from app.core.reference.collation import sort_key

# CLDR has names of these, too: unions, tests, and islands to which ISO 3166-1 assigns no code.
NO_COUNTRIES = {"CP", "CQ", "DG", "EA", "EU", "EZ", "IC", "QO", "UN", "XA", "XB", "ZZ"}


@cache
def choices(locale: str = "en") -> tuple[tuple[str, str], ...]:
    """Return code and name of each country, by name."""
    names = Locale.parse(locale).territories
    found = [(code, name) for code, name in names.items() if _is_country(code)]
    return tuple(sorted(found, key=lambda pair: sort_key(pair[1], locale)))


def name(code: str, locale: str = "en") -> str:
    """Return a country's name, or its code when it has none."""
    return str(Locale.parse(locale).territories.get(code, code))


def _is_country(code: str) -> bool:
    return len(code) == 2 and code.isalpha() and code not in NO_COUNTRIES
