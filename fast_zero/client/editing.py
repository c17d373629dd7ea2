"""Changes a todo: the fields that a person gave, or all of it in an editor."""

import os
import shlex
import subprocess
import tempfile
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any

import typer
from rich.markup import escape

from fast_zero.client import display, forms, names, text
from fast_zero.client.api import Api
from fast_zero.client.errors import ClientError, RefusedError
from fast_zero.core.terminal import messages

INBOX = "none"


class KeptError(ClientError):
    """Nothing is changed, and what was edited is in a file."""


@dataclass
class Edit:
    """A todo in an editor: its values before, and the tag of that version."""

    api: Api
    todo_id: int
    before: forms.Form
    tag: str


def apply(api: Api, todo_id: int, given: forms.Given, tag: str | None = None) -> Any:  # noqa: ANN401  # as JSON
    """Change what is given. With `tag`, only the version of the todo that has it."""
    path = f"/todos/{todo_id}"
    headers = {"If-Match": tag} if tag else {}
    body = forms.body_of(given, display.now())
    place = None
    if "project" in given:  # first, since then nothing is changed if there is no such project
        place = {"project_id": names.find_project(api, str(given["project"]) or INBOX)}
    todo = None
    if body:
        response = api.send("PATCH", path, json=body, headers=headers)
        todo, headers = api.json(response), {}
    if place:
        todo = api.json(api.send("POST", f"{path}/move", json=place, headers=headers))
    return todo or api.get(path)


def edit(api: Api, todo_id: int) -> Any | None:  # noqa: ANN401  # as JSON
    """Change a todo in an editor. Return None if nothing was changed."""
    todo, tag = read(api, todo_id)
    before = forms.values_of(todo, project_of(api, todo))
    current, draft = Edit(api, todo_id, before, tag), forms.write(before)
    while True:
        draft = in_editor(draft, todo_id)
        try:
            given = forms.changed(before, forms.read(draft))
            return save(current, given, draft) if given else None
        except KeptError:
            raise
        except ClientError as error:
            messages.print(f"[bold red]error:[/] {escape(str(error))}")
            if not agreed("Edit again?", default=True):
                raise kept(draft) from None


def save(current: Edit, given: forms.Form, draft: str) -> Any:  # noqa: ANN401  # as JSON
    """Send what was edited. If the todo was changed meanwhile, say what, and ask."""
    while True:
        try:
            return apply(current.api, current.todo_id, given, current.tag)
        except RefusedError as error:
            if error.status != HTTPStatus.PRECONDITION_FAILED:
                raise
        if not resolve(current, given):
            raise kept(draft)


def read(api: Api, todo_id: int) -> tuple[Any, str]:
    response = api.send("GET", f"/todos/{todo_id}")
    return api.json(response), response.headers.get("ETag", "")


def project_of(api: Api, todo: text.Todo) -> str:
    """Return the project as it is typed: its name, or its ID if several have that name."""
    if todo["project_id"] is None:
        return INBOX
    known = names.projects(api)
    name = known.get(todo["project_id"], "")
    folded = [other.casefold() for other in known.values()]
    ambiguous = folded.count(name.casefold()) != 1 or name.isdecimal() or name == INBOX
    return str(todo["project_id"]) if ambiguous else name


def in_editor(draft: str, todo_id: int) -> str:
    """Have a text edited by the program that VISUAL or EDITOR names."""
    editor = os.environ.get("VISUAL") or os.environ.get("EDITOR") or "vi"
    with tempfile.TemporaryDirectory(prefix="fast-zero-") as folder:
        file = Path(folder) / f"todo-{todo_id}.txt"
        file.write_text(draft, encoding="utf-8")
        try:
            ended = subprocess.run([*shlex.split(editor), str(file)], check=False)
        except (OSError, ValueError) as error:
            raise ClientError(f"Cannot run {editor}: {error}. Set EDITOR.") from None
        if ended.returncode:
            raise ClientError(f"{editor} ended with status {ended.returncode}. Nothing is changed.")
        try:
            return file.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            raise ClientError("The edited text cannot be read. Nothing is changed.") from None


def agreed(question: str, *, default: bool) -> bool:
    """Ask. Ctrl-C and the end of the input mean no: what was edited is kept then."""
    try:
        return typer.confirm(question, default=default, err=True)
    except typer.Abort:
        messages.print()
        return False


def kept(draft: str) -> KeptError:
    number, name = tempfile.mkstemp(prefix="fast-zero-", suffix=".txt")
    with os.fdopen(number, "w", encoding="utf-8") as file:
        file.write(draft)
    return KeptError(f"Nothing is changed. Your text is in {name}.")


def resolve(current: Edit, given: forms.Form) -> bool:
    """Say what was changed meanwhile. Return whether to save all the same, on that version."""
    todo, current.tag = read(current.api, current.todo_id)
    values = forms.values_of(todo, project_of(current.api, todo))
    others = {
        name: value
        for name, value in values.items()
        if value not in {current.before[name], given.get(name)}
    }
    if not others:  # it has changed in what the form does not show, or as it was edited
        return True
    messages.print("It has changed since you began to edit:")
    for name, value in others.items():
        mine = f"; you entered {given[name]!r}" if name in given else ""
        messages.print(escape(f"  {name}: {current.before[name]!r} is now {value!r}{mine}"))
    return agreed("Save your changes all the same?", default=False)
