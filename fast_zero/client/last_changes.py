"""Remembers what the last command changed, so that it can be undone."""

import json
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from fast_zero.client import private_files
from fast_zero.client.api import Api
from fast_zero.client.errors import ClientError

NOTHING = "Your last command is not known. Give the ID of a change set, from the activity."


def path() -> Path:
    return private_files.folder() / "last-changes.json"


@contextmanager
def remembered(api: Api) -> Iterator[None]:
    """Remember the change sets of a command, also if only a part of it succeeds."""
    try:
        yield
    finally:
        remember(api, api.change_sets)


def remember(api: Api, change_sets: Sequence[str]) -> None:
    """Remember what was changed. A script that brings its own token leaves people's alone."""
    if api.access.stored and change_sets:
        private_files.write(path(), json.dumps({"change_sets": change_sets}))


def to_undo(api: Api, given: str | None) -> list[str]:
    """Return the change sets to undo, the newest first."""
    if given is not None:
        try:
            return [str(uuid.UUID(given))]
        except ValueError:
            raise ClientError(f"{given!r} is not the ID of a change set.") from None
    content = private_files.read(path()) if api.access.stored else None
    try:
        found = [str(uuid.UUID(id_)) for id_ in json.loads(content or "{}")["change_sets"]]
    except (ValueError, TypeError, KeyError, AttributeError):
        raise ClientError(NOTHING) from None
    return found[::-1]


def undo(api: Api, change_set: str, *, force: bool) -> Any:  # noqa: ANN401  # as JSON
    """Undo a change set. If nothing was undone, there is nothing to redo, either."""
    known = len(api.change_sets)
    result = api.json(api.send("POST", f"/change-sets/{change_set}/undo", params={"force": force}))
    if not result["undone"]:
        del api.change_sets[known:]
    return result
