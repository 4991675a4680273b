"""The translations of our own texts and of WTForms'. They are read once, when a reader needs them."""

from functools import cache
from io import BytesIO
from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import NullTranslations, Translations
from flask_babel import Domain, get_locale
from wtforms.i18n import messages_path

FOLDER = Path(__file__).resolve().parents[2] / "translations"
SOURCE_LANGUAGE = "en"  # the texts in the code


class CatalogueDomain(Domain):
    """Finds the translations for a request. No compiled file is needed, in a checkout or in a wheel."""

    def get_translations(self) -> NullTranslations:
        """Return the translations into the language of this request."""
        return load(str(get_locale() or SOURCE_LANGUAGE))


def path_of(language: str) -> Path:
    """Return the file of a catalogue."""
    return FOLDER / language / "LC_MESSAGES" / "messages.po"


@cache
def load(language: str) -> NullTranslations:
    """Read a catalogue, without its fuzzy entries. English, and any language without a file, has none."""
    path = path_of(language)
    if language == SOURCE_LANGUAGE or not path.is_file():
        return NullTranslations()
    with path.open("rb") as source:
        catalogue = read_po(source, locale=language)
    compiled = BytesIO()
    write_mo(compiled, catalogue)
    compiled.seek(0)
    return Translations(compiled, domain="messages")


@cache
def load_wtforms(language: str) -> NullTranslations:
    """Read the catalogue of WTForms' own sentences. Flask-WTF would read it again for each request."""
    return Translations.load(messages_path(), [language], domain="wtforms")
