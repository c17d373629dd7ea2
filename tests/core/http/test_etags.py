import re
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fast_zero.core.errors import Malformed
from fast_zero.core.http import etags

# Every character of a tag (RFC 9110, section 8.8.3), including commas and the W of weak tags.
characters = st.sampled_from(
    [chr(code) for code in (0x21, *range(0x23, 0x7F), *range(0x80, 0x100))]
)
tags = st.builds('{}"{}"'.format, st.sampled_from(["", "W/"]), st.text(characters, max_size=9))
spaces = st.text(" \t", max_size=3)
gaps = st.builds("{},{}".format, spaces, spaces)


@st.composite
def conditions(draw):
    """Generate a list of tags, and a header that contains it, with empty members and spaces."""
    members = draw(st.lists(st.one_of(tags, st.just("")), max_size=6))
    parts = [draw(spaces) + member + draw(spaces) for member in members]
    return tuple(filter(None, members)), ",".join(parts)


@given(conditions())
def test_a_list_of_tags_is_parsed(condition):
    expected, header = condition

    assert etags.parse("If-Match", header) == expected


@given(st.text(st.characters(max_codepoint=0xFF)))
def test_any_header_is_parsed_or_refused(header):
    with suppress(Malformed):
        parsed = etags.parse("If-None-Match", header)
        assert parsed == ("*",) or all(re.fullmatch(etags.TAG, tag) for tag in parsed)


@given(st.lists(st.integers(1, 10**18 - 1), max_size=5), st.integers(1, 10**18 - 1))
def test_a_tag_contains_its_version(versions, current):
    header = ", ".join(map(etags.tag, versions))
    parsed = etags.parse("If-Match", header)

    assert etags.versions(parsed) == tuple(versions)
    assert etags.seen_before(parsed, etags.tag(current)) == (current in versions)


@pytest.mark.parametrize(
    "header", ["7", '"7', '7"', '"7" "8"', '*, "7"', 'w/"7"', '"a b"', "W/7", "'7'"]
)
def test_an_invalid_list_of_tags_is_refused(header):
    with pytest.raises(Malformed):
        etags.parse("If-Match", header)


def test_a_long_malformed_list_is_refused_at_once():
    with pytest.raises(Malformed):
        etags.parse("If-Match", (" " * 50 + ",") * 1000 + "x")


@pytest.mark.parametrize(
    ("header", "accepted"),
    [
        ("*", None),
        ('"7"', (7,)),
        ('"7", "8"', (7, 8)),
        ('W/"7"', ()),
        ('"7-public"', ()),
        ('"07"', ()),
        ('"0"', ()),
        ('"9999999999999999999"', ()),
        ('"\u0667"', None),
        ("", ()),
    ],
)
def test_strong_comparison_accepts_only_our_tags(header, accepted):
    if header == '"\u0667"':  # an Arabic seven is not an `etagc`
        with pytest.raises(Malformed):
            etags.parse("If-Match", header)
        return
    assert etags.versions(etags.parse("If-Match", header)) == accepted


def test_tags_of_a_named_view_are_accepted():
    assert etags.versions(('"7-public"', '"8"', '"9-secret"'), "-public") == (7, 8)
    assert etags.versions(None, "-public") is None


@pytest.mark.parametrize(
    ("header", "seen"),
    [
        ("*", True),
        ('"7"', True),
        ('W/"7"', True),
        ('"6", W/"7"', True),
        ('"77"', False),
        ("", False),
    ],
)
def test_weak_comparison_ignores_the_weak_prefix(header, seen):
    assert etags.seen_before(etags.parse("If-None-Match", header), '"7"') is seen
