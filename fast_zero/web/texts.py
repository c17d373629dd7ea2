"""The texts of the page in each language, from the catalogues in `translations`."""

from functools import cache
from gettext import NullTranslations
from pathlib import Path

from babel import Locale
from babel.support import Translations

from fast_zero.core.languages import Language

FOLDER = Path(__file__).parent / "translations"
DOMAIN = "messages"


def mark(text: str) -> str:
    """Mark a text for the catalogues; it is translated where it is shown."""
    return text


@cache
def locale_of(language: Language) -> Locale:
    return Locale.parse(language, sep="-")


@cache
def translations_of(language: Language) -> NullTranslations:
    """Return the catalogue of a language. English has none: the texts are written in it."""
    return Translations.load(FOLDER, [locale_of(language)], DOMAIN)
