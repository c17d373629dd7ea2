"""Markdown of users."""

import pytest

from fast_zero.web.rendering import markdown


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
