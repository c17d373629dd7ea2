"""Completes what is typed in a shell. It says nothing about errors, which would spoil the prompt.

Others may name projects that one sees, and shells insert a completion into the command line as it
is: names with characters that a shell interprets are not offered.
"""

import os
import re

import typer

from fast_zero.client.errors import ClientError

NAMED = re.compile(r"(?<!\S)([#@])(\S*)\Z")
HARMLESS = re.compile(r"[\w@+][\w .,+/@%-]*")


def complete_project(incomplete: str) -> list[str]:
    return [for_shell(name) for name in matching("projects", incomplete)]


def complete_label(incomplete: str) -> list[str]:
    return [for_shell(name) for name in matching("labels", incomplete)]


def complete_words(context: typer.Context, incomplete: str) -> list[str]:
    """Complete the last word of a text if it is the `#project` or the `@label` of a todo."""
    if (context.params.get("text") or [""])[-1] == "@":  # bash splits words at @
        return [name for name in matching("labels", incomplete) if " " not in name]
    found = NAMED.search(incomplete)
    if not found:
        return []
    sign, typed = found.groups()
    before = incomplete[: found.start()]
    if sign == "#":
        names = matching("projects", typed)
    else:  # with a space, a label needs quotation marks of its own
        names = [name for name in matching("labels", typed) if " " not in name]
    return [for_shell(f"{before}{sign}{name}") for name in names]


def matching(kind: str, incomplete: str) -> list[str]:
    try:
        from fast_zero.client import names

        known = sorted(names.known(kind), key=str.casefold)
    except ClientError:
        return []
    # In the case that was typed: Typer drops the others.
    return [name for name in known if name.startswith(incomplete) and HARMLESS.fullmatch(name)]


def for_shell(text: str) -> str:
    """Return a text as its shell wants it: bash alone inserts spaces as they are.

    (Behind an escaped space that was typed, bash gets no completions: what Typer compares with has
    no backslash. Between quotation marks it does.)
    """
    if os.environ.get("_FAST_ZERO_COMPLETE") != "complete_bash" or is_quoted():
        return text
    return text.replace(" ", "\\ ")


def is_quoted() -> bool:
    """Return whether the word at the cursor begins with a quotation mark, in bash."""
    words = os.environ.get("COMP_WORDS", "").split("\n")
    place = os.environ.get("COMP_CWORD", "")
    return place.isdecimal() and int(place) < len(words) and words[int(place)][:1] in {"'", '"'}
