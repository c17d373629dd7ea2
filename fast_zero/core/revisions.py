"""Which migrations this code knows, read from their files.

Apart from `migrations`, since Alembic takes ten megabytes and a fifth of a second, and a process
that only serves runs none.
"""

import re
from functools import cache
from pathlib import Path

BEHIND = "The database is not migrated yet. Run: fast-zero migrate"
NAMED = re.compile(r'^(revision|down_revision) = "(\w+)"$', re.MULTILINE)


def folder() -> Path:
    """Find the migrations: within an installed package, or beside a checkout's."""
    package = Path(__file__).parents[1]
    inside = package / "migrations"
    return inside if inside.exists() else package.parent / "migrations"


@cache
def known() -> tuple[str, frozenset[str]]:
    """Give the newest revision, and all others."""
    named = [
        found
        for file in folder().glob("versions/*.py")
        for found in NAMED.findall(file.read_text())
    ]
    older = frozenset(name for which, name in named if which == "down_revision")
    [head] = {name for which, name in named if which == "revision"} - older
    return head, older


def is_behind(revision: str | None) -> bool:
    """Tell whether a database has still to be migrated for this code.

    One that is ahead has not: while a new version is rolled out, its migrations have run and the
    old processes still work.
    """
    head, older = known()
    return revision is None or (revision != head and revision in older)
