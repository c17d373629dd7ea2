"""The migrations that this release contains, read from their files.

Separate from `migrations`, since importing Alembic takes ten megabytes and a fifth of a second, and
a process that only serves requests does not need it.
"""

import re
from functools import cache
from pathlib import Path
from typing import NamedTuple

BEHIND = "The database is not migrated yet. Run: fast-zero migrate"
AHEAD = (
    "The database has the revision {0}, which is newer than {1}, the newest that this release "
    "contains. The newer migrations are compatible, so this release can use the database."
)
TOO_OLD = (
    "The database has the revision {0}, which requires a release with the revision {2}. The newest "
    "revision that this release contains is {1}. Start a newer release."
)
NAMED = re.compile(r'^(revision|down_revision) = "(\w+)"$', re.MULTILINE)


def folder() -> Path:
    """Return the folder of migrations: inside an installed package, or next to it in a checkout."""
    package = Path(__file__).parents[2]
    inside = package / "migrations"
    return inside if inside.exists() else package.parent / "migrations"


@cache
def known() -> tuple[str, frozenset[str]]:
    """Return the newest revision, and the set of all older ones."""
    named = [
        found
        for file in folder().glob("versions/*.py")
        for found in NAMED.findall(file.read_text())
    ]
    older = frozenset(name for which, name in named if which == "down_revision")
    [head] = {name for which, name in named if which == "revision"} - older
    return head, older


class Schema(NamedTuple):
    """The revision of a database.

    `needed` is the oldest revision whose code still works with the database. A migration that
    removes something sets it, as the comment of the table `alembic_version`.
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
    """Return whether a database must be migrated before this release can use it.

    A newer database need not be: during a rolling update the migrations of the new release have
    run, and processes of the old release still work.
    """
    head, older = known()
    return revision is None or (revision != head and revision in older)
