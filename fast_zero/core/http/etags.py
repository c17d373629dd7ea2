"""Entity tags (RFC 9110, section 8.8.3), and the versions that they contain.

The database increments the `version` of a row on each update. It is the tag of the row: `"7"`.
Another view of the same row has other content, so its tag contains the name of the view:
`"7-public"`. If the response depends on other rows too, a digest follows:
`"7-public.8d5e9a31c04b72f6"`. A reader who may not know how often the row has changed gets only
the digest: `"public.8d5e9a31c04b72f6"`.
"""

import re

from sqlalchemy import ARRAY, BigInteger, ColumnElement, SQLColumnExpression, any_, literal, true

from fast_zero.core.errors import DomainError, Malformed, Stale

Tags = tuple[str, ...] | None
"""The entity tags of a condition, or `*`. `None` if no condition was sent."""

Versions = tuple[int, ...] | None
"""The versions that a write accepts; `None` accepts any."""

TAG = r'(?:W/)?"[\x21\x23-\x7e\x80-\xff]*"'
# One member and its separator. Members are matched one by one, since a pattern for the whole list
# would backtrack.
MEMBER = re.compile(rf"[ \t]*(?:({TAG})[ \t]*)?(?:,|\Z)")
# Up to 18 digits fit in a bigint.
VERSION = re.compile(r'"([1-9][0-9]{0,17})((?:-[a-z]+)?)(?:\.[0-9a-f]{16})?"')


def tag(version: int | None, view: str = "") -> str:
    """Return the tag of a version. None stands for a version that the reader may not know."""
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
    """Return the versions in the tags. This is the strong comparison that `If-Match` needs.

    Weak tags and tags of other views than the given ones are ignored.
    """
    if tags is None or "*" in tags:
        return None
    named = map(VERSION.fullmatch, tags)
    return tuple(int(found[1]) for found in named if found and found[2] in ("", *views))


def one_of(version: SQLColumnExpression[int], accepted: Versions) -> ColumnElement[bool]:
    """Return the condition for the WHERE clause of a write, which makes check and write atomic."""
    if accepted is None:
        return true()
    return version == any_(literal(list(accepted), ARRAY(BigInteger)))


def refusal(missing: DomainError, version: int | None) -> DomainError:
    """Return why a write found no row: it is `missing`, or its current version is another one."""
    return missing if version is None else Stale(tag(version))
