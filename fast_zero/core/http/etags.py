"""Entity tags (RFC 9110, section 8.8.3), and the versions that they name.

A row's `version` is counted up by the database at each change, and is its tag: `"7"`. Another
view of the same row has other bytes, so its tag says which view it is: `"7-public"`. Where what
is answered tells of other rows besides, a digest of it follows: `"7-public.8d5e9a31c04b72f6"`.
A reader who may not know how often the row changed gets the digest alone:
`"public.8d5e9a31c04b72f6"`.
"""

import re

from sqlalchemy import ARRAY, BigInteger, ColumnElement, SQLColumnExpression, any_, literal, true

from fast_zero.core.errors import Malformed

Tags = tuple[str, ...] | None
"""The members of a condition, `*` among them; `None` where none was sent."""

Versions = tuple[int, ...] | None
"""The versions that a write accepts; `None` accepts any."""

TAG = r'(?:W/)?"[\x21\x23-\x7e\x80-\xff]*"'
# One member and what ends it. Read one by one: a pattern of the whole list would backtrack.
MEMBER = re.compile(rf"[ \t]*(?:({TAG})[ \t]*)?(?:,|\Z)")
# Up to 18 digits fit in a bigint.
VERSION = re.compile(r'"([1-9][0-9]{0,17})((?:-[a-z]+)?)(?:\.[0-9a-f]{16})?"')


def tag(version: int | None, view: str = "") -> str:
    """Write the tag of a version; None stands for one that the reader may not know."""
    return f'"{view.removeprefix("-")}"' if version is None else f'"{version}{view}"'


def parse(name: str, value: str) -> tuple[str, ...]:
    if value.strip(" \t") == "*":
        return ("*",)
    tags: list[str] = []
    position = 0
    while position < len(value):
        member = MEMBER.match(value, position)
        if member is None:
            raise Malformed(f'{name} has to be * or entity tags with commas between: "7", "8".')
        if member[1]:
            tags.append(member[1])
        position = member.end()
    return tuple(tags)


def seen_before(tags: Tags, current: str) -> bool:
    """Compare weakly, as `If-None-Match` does (RFC 9110, section 8.8.3.2)."""
    return tags is not None and ("*" in tags or current in {tag.removeprefix("W/") for tag in tags})


def versions(tags: Tags, *views: str) -> Versions:
    """Compare strongly, as `If-Match` does: keep the versions that a tag of ours names.

    Weak tags and those of other views than the given ones name none.
    """
    if tags is None or "*" in tags:
        return None
    named = map(VERSION.fullmatch, tags)
    return tuple(int(found[1]) for found in named if found and found[2] in ("", *views))


def one_of(version: SQLColumnExpression[int], accepted: Versions) -> ColumnElement[bool]:
    """Make the condition part of the statement that writes, so that no race comes between."""
    if accepted is None:
        return true()
    return version == any_(literal(list(accepted), ARRAY(BigInteger)))
