"""Which migrations this code knows, read from their files.

Apart from `migrations`, since Alembic takes ten megabytes and a fifth of a second, and a process
that only serves runs none.
"""

import re
from functools import cache
from pathlib import Path
from typing import NamedTuple

BEHIND = "The database is not migrated yet. Run: fast-zero migrate"
AHEAD = (
    "The database has the revision {0}, and this release knows none after {1}: a newer one has "
    "migrated it. What came since only adds, so this one serves on it."
)
TOO_OLD = (
    "The database has the revision {0} and can be used from the revision {2} on; this release "
    "knows none after {1}. Start a newer release."
)
NAMED = re.compile(r'^(revision|down_revision) = "(\w+)"$', re.MULTILINE)


def folder() -> Path:
    """Find the migrations: within an installed package, or beside a checkout's."""
    package = Path(__file__).parents[2]
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


class Schema(NamedTuple):
    """How far a database is migrated.

    `needed` is the oldest revision whose code still works on it, where a migration took something
    away: such a one notes it, as the comment of the table `alembic_version`.
    """

    revision: str | None
    needed: str | None

    def is_newest(self) -> bool:
        return self.revision == known()[0]

    def is_ahead(self) -> bool:
        return not (self.is_newest() or is_behind(self.revision))

    def is_too_new(self) -> bool:
        head, older = known()
        return self.is_ahead() and self.needed is not None and self.needed not in older | {head}

    def words(self, sentence: str) -> str:
        return sentence.format(self.revision, known()[0], self.needed)


def is_behind(revision: str | None) -> bool:
    """Tell whether a database has still to be migrated for this code.

    One that is ahead has not: while a new version is rolled out, its migrations have run and the
    old processes still work.
    """
    head, older = known()
    return revision is None or (revision != head and revision in older)
