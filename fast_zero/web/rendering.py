"""Renders templates. There is one environment for each language, with its texts."""

import re
from collections.abc import Sequence
from functools import cache, lru_cache, partial
from typing import Any

from babel.numbers import format_decimal
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from jinja2.ext import Extension
from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markdown_it.utils import EnvType, OptionsDict
from markupsafe import Markup, escape

from fast_zero.core.languages import Language
from fast_zero.web import static_files
from fast_zero.web.presentation.rows import COLORS, PRIORITIES
from fast_zero.web.texts import locale_of, translations_of

# Without characters that are invisible or turn the direction: an address has to be what it shows.
ADDRESS = re.compile(
    r"https?://[^\s<>\"'\x00-\x1f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]+"
)
AFTER_ADDRESS = ".,:;!?)]}"
"""What ends a sentence around an address is not of it."""
LINK = Markup('<a href="{0}" rel="noopener nofollow" dir="ltr">{0}</a>')

NUMBERS = 1024
"""How many numbers are cached for each language."""
FORM = re.compile(
    r'(<form\b(?:(?!</form>).)*?\bmethod="post"(?:(?!</form>).)*)(?=</form>)', re.DOTALL
)
ACCOUNT = (
    r"\1{% if reader.is_known %}"
    r'<input type="hidden" name="account" value="{{ reader.id }}">'
    r"{% endif %}"
)

TEMPLATES = static_files.FOLDER.parent / "templates"


class AccountFields(Extension):
    """Puts into each form for whom its page was rendered: see `dependencies.user_page`.

    Somebody else may have logged in since, in another tab.
    """

    def preprocess(self, source: str, name: str | None, filename: str | None = None) -> str:  # noqa: ARG002  # as Jinja calls it
        return FORM.sub(ACCOUNT, source)


@cache
def environment(language: Language) -> Environment:
    made = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        extensions=["jinja2.ext.i18n", AccountFields],
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    catalogue = translations_of(language)
    made.globals.update(
        language=language,
        COLORS=COLORS,
        static=static_files.address_of,
        priority_name=lambda name: catalogue.gettext(PRIORITIES[name]),
    )
    made.filters["markdown"] = markdown
    made.filters["links"] = links
    made.filters["number"] = lru_cache(NUMBERS)(partial(format_decimal, locale=locale_of(language)))
    install = made.install_gettext_callables  # type: ignore[attr-defined]  # the extension adds it
    install(catalogue.gettext, catalogue.ngettext, newstyle=True, pgettext=catalogue.pgettext)
    return made


def render(language: Language, template: str, values: dict[str, Any]) -> str:
    return environment(language).get_template(template).render(values)


def open_link(
    renderer: RendererHTML,
    tokens: Sequence[Token],
    index: int,
    options: OptionsDict,
    environment: EnvType,
) -> str:
    tokens[index].attrSet("rel", "noopener nofollow")
    return renderer.renderToken(tokens, index, options, environment)


@cache
def markdown_parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": False}).enable("strikethrough").disable("image")
    parser.add_render_rule("link_open", open_link)
    return parser


def markdown(text: str) -> Markup:
    """Render Markdown of a user. HTML in it is text."""
    return Markup(markdown_parser().render(text))  # noqa: S704  # markdown-it escapes all text


def links(text: str) -> Markup:
    """Turn the addresses in a plain text of a user into links."""
    parts, end = [], 0
    for found in ADDRESS.finditer(text):
        address = found[0].rstrip(AFTER_ADDRESS)
        parts += [escape(text[end : found.start()]), LINK.format(address)]
        end = found.start() + len(address)
    return Markup("").join([*parts, escape(text[end:])])
