"""The catalogues: complete, compiled, and of the texts that there are."""

import io
import re
import tomllib
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

from fast_zero.core.languages import KNOWN
from fast_zero.web import texts

ROOT = Path(__file__).parents[2]
WEB = ROOT / "fast_zero/web"
KEYWORDS = {
    "_": None,
    "gettext": None,
    "ngettext": (1, 2),
    "pgettext": ((1, "c"), 2),
    "mark": None,
}
PLACEHOLDER = re.compile(r"%\((\w+)\)[sd]")
ENGLISH = {"Menu"}
"""Texts that are the same in both languages."""


def catalogue(language: str) -> Catalog:
    path = texts.FOLDER / str(texts.locale_of(language)) / "LC_MESSAGES/messages.po"
    return read_po(io.BytesIO(path.read_bytes()))


def messages(language: str):
    return [message for message in catalogue(language) if message.id]


def translated() -> list[str]:
    return [language for language in KNOWN if language != "en"]


def extracted() -> set[tuple]:
    mappings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["babel"]["mappings"]
    methods = [(each["pattern"], each["method"]) for each in mappings]
    options = {each["pattern"]: {"silent": "false"} for each in mappings}
    found = extract_from_dir(WEB, methods, options, KEYWORDS)
    return {(message, context) for _, _, message, _, context in found}


def test_every_text_is_in_each_catalogue():
    wanted = extracted()

    assert len(wanted) > 100
    for language in translated():
        known = {(message.id, message.context) for message in messages(language)}
        assert known == wanted, "run: task messages"


def test_every_text_is_translated():
    for language in translated():
        for message in messages(language):
            assert not message.fuzzy, message.id
            for text in [message.string] if isinstance(message.string, str) else message.string:
                assert text, message.id
                assert text != message.id or text in ENGLISH, message.id


def test_translations_have_the_placeholders_of_their_texts():
    for language in translated():
        for message in messages(language):
            ids = message.id if isinstance(message.id, tuple) else (message.id,)
            strings = message.string if isinstance(message.string, tuple) else (message.string,)
            wanted = set(PLACEHOLDER.findall(" ".join(ids)))
            for string in strings:
                assert set(PLACEHOLDER.findall(string)) == wanted, message.id


def test_the_catalogues_are_compiled():
    for language in translated():
        compiled = io.BytesIO()
        write_mo(compiled, catalogue(language))
        path = texts.FOLDER / str(texts.locale_of(language)) / "LC_MESSAGES/messages.mo"
        assert path.read_bytes() == compiled.getvalue(), "run: task messages"


def test_templates_have_no_words_of_their_own():
    """What stands between two elements is a text of the catalogues, or a mark."""
    for path in (WEB / "templates").rglob("*.html"):
        source = re.sub(r"\{#.*?#\}|\{%.*?%\}|\{\{.*?\}\}", "", path.read_text(), flags=re.DOTALL)
        outside = re.sub(r"<[^>]*>|[\w-]+=\"[^\"]*\"", " ", source)
        words = set(re.findall(r"[A-Za-zÀ-ú_]{2,}", outside))
        assert words <= {"fast_zero", "Português", "English", "autofocus"}, path
        attributes = re.findall(r'(?:aria-label|title|placeholder)="([^"]*)"', source)
        assert not [text for text in attributes if text.strip()], path
