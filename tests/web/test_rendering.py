"""Markdown of users."""

import re
from html import unescape

import pytest

from fast_zero.web.rendering import links, markdown


@pytest.mark.parametrize(
    ("source", "shown"),
    [
        ("**bold** ~~gone~~", "<p><strong>bold</strong> <s>gone</s></p>\n"),
        ("<script>alert(1)</script>", "<p>&lt;script&gt;alert(1)&lt;/script&gt;</p>\n"),
        (
            "[a](https://example.com)",
            '<p><a href="https://example.com" rel="noopener nofollow">a</a></p>\n',
        ),
        ("[a](javascript:alert(1))", "<p>[a](javascript:alert(1))</p>\n"),
        ("[a](data:text/html,x)", "<p>[a](data:text/html,x)</p>\n"),
        (
            '[a](https://e.com"onmouseover=alert(1))',
            '<p><a href="https://e.com%22onmouseover=alert(1)" rel="noopener nofollow">a</a></p>\n',
        ),
    ],
)
def test_markdown_is_rendered_without_html(source, shown):
    assert markdown(source) == shown


def test_images_are_no_images():
    assert "<img" not in markdown("![a](https://example.com/a.png)")


@pytest.mark.parametrize(
    ("source", "addresses"),
    [
        ("no address", []),
        ("See https://example.com/a?b=1&c=2.", ["https://example.com/a?b=1&amp;c=2"]),
        ("(http://example.com), https://e.com!", ["http://example.com", "https://e.com"]),
        ("javascript:alert(1) data:x ftp://example.com www.example.com", []),
        ('https://e.com"onmouseover=x', ["https://e.com"]),
        ("https://e.com/\u202egpj.exe", ["https://e.com/"]),
        ("https://e.com/<b>", ["https://e.com/"]),
    ],
)
def test_addresses_in_plain_text_are_links(source, addresses):
    made = [f'<a href="{each}" rel="noopener nofollow" dir="ltr">{each}</a>' for each in addresses]
    found = re.findall("<a .*?</a>", links(source))

    assert found == made
    assert unescape(re.sub("</?a[^>]*>", "", links(source))) == source
