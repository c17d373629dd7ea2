"""The names of projects and labels: those that a person typed, and those that a shell completes."""

import json
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from fast_zero.client import credentials, private_files
from fast_zero.client.errors import ClientError

if TYPE_CHECKING:
    from fast_zero.client.api import Api

FRESH_SECONDS = 60
COMPLETION_SECONDS = 2
MOST = 10_000

Projects = Mapping[int, str]


def projects(api: "Api") -> dict[int, str]:
    """Return the names of all projects by their IDs."""
    return {item["id"]: item["name"] for item in api.items("/projects", "projects", MOST)}


def of_projects(api: "Api", todos: Sequence[Mapping[str, Any]]) -> dict[int, str]:
    """Return the names of projects that todos are shown with; without an answer, none.

    The command itself has succeeded then: an error would say that it has not.
    """
    if any(todo["project_id"] for todo in todos):
        with suppress(ClientError):
            return projects(api)
    return {}


def find_project(api: "Api", typed: str) -> int | None:
    """Return the ID of a project that is given by ID or name; None for `none`, the inbox."""
    return None if typed.strip() == "none" else find("project", projects(api), typed)


def find_filter(api: "Api", typed: str) -> int:
    """Return the ID of a saved filter that is given by ID or name."""
    saved = {item["id"]: item["name"] for item in api.items("/filters", "filters", MOST)}
    return find("filter", saved, typed)


def find(what: str, known: Mapping[int, str], typed: str) -> int:
    """Return the ID of what has a name. A number is an ID."""
    typed = typed.strip()
    is_id = typed.isascii() and typed.isdecimal()
    found = [
        id_
        for id_, name in known.items()
        if (str(id_) == typed if is_id else name.casefold() == typed.casefold())
    ]
    if not found:
        raise ClientError(f"There is no {what} {typed}.")
    if len(found) > 1:
        ids = ", ".join(map(str, found))
        raise ClientError(f"Several {what}s are named {typed}. Use one of the IDs {ids}.")
    return found[0]


def known(kind: str) -> list[str]:
    """Return the names of `projects` or `labels`, at most a minute old."""
    access = credentials.load()
    file = private_files.folder() / "names.json"
    stored = read_stored(file, access.url) if access.stored else None
    if stored is None:
        stored = ask(access)
        if access.stored:
            values = {"url": access.url, "at": time.time(), **stored}
            with suppress(ClientError):  # then it is asked for the next time, too
                private_files.write(file, json.dumps(values))
    return stored[kind]


def read_stored(file: Any, url: str) -> dict[str, list[str]] | None:  # noqa: ANN401  # a path
    try:
        found = json.loads(private_files.read(file) or "{}")
        if found["url"] == url and 0 <= time.time() - found["at"] < FRESH_SECONDS:
            return {kind: list(map(str, found[kind])) for kind in ("projects", "labels")}
    except (ClientError, ValueError, TypeError, KeyError):
        return None
    return None


def ask(access: credentials.Credentials) -> dict[str, list[str]]:
    import httpx2

    from fast_zero.client.api import Api

    with Api(access, httpx2.Timeout(COMPLETION_SECONDS), patient=False) as api:
        listed = list(projects(api).values())
        labels = [item["name"] for item in api.items("/labels", "labels", MOST)]
    return {"projects": listed, "labels": labels}
