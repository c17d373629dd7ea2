"""What surrounds every page of somebody who is logged in: the sidebar with its counts."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from fastapi import Response

from fast_zero.core.database import Session
from fast_zero.core.errors import DomainError, NotFound
from fast_zero.labels.models import NO_LABEL
from fast_zero.projects.models import NO_PROJECT
from fast_zero.saved_filters.models import NO_FILTER
from fast_zero.summaries import queries
from fast_zero.summaries.queries import Opened
from fast_zero.web.dependencies import Page
from fast_zero.web.forms import Form
from fast_zero.web.presentation.rows import Place

MISSING = {"project": NO_PROJECT, "label": NO_LABEL, "filter": NO_FILTER}


@dataclass(frozen=True)
class SidebarProject:
    place: Place
    open: int
    level: int
    parent_id: int | None


@dataclass(frozen=True)
class Shell:
    """What the sidebar shows. Projects are in their order, each below its parent.

    `inbox_rows` leaves out subtasks; `late` are those of `today` that were due on a day before.
    """

    inbox: int
    inbox_rows: int
    today: int
    late: int
    upcoming: int
    projects: list[SidebarProject]
    filters: list[Place]
    unread: int
    place: Mapping[str, Any] | None = None
    """What the page is about, if it is a project, a label or a saved filter."""

    @property
    def places(self) -> dict[int, Place]:
        return {project.place.id: project.place for project in self.projects}

    @classmethod
    def of(cls, overview: Mapping[str, Any]) -> Self:
        found = overview["projects"]
        return cls(
            overview["inbox"],
            overview["inbox_rows"],
            overview["today"],
            overview["late"],
            overview["upcoming"],
            [project for root in roots_of(found) for project in tree(root, found, 0)],
            [Place(each["id"], each["name"], each["color"]) for each in overview["filters"]],
            overview["unread"],
            overview.get("place"),
        )


def roots_of(projects: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the projects without a parent, and those whose parent is not shown."""
    shown = {project["id"] for project in projects}
    return [project for project in projects if project["parent_id"] not in shown]


def tree(
    project: dict[str, Any], projects: list[dict[str, Any]], level: int
) -> list[SidebarProject]:
    place = Place(project["id"], project["name"], project["color"])
    below = [
        inner
        for child in projects
        if child["parent_id"] == project["id"]
        for inner in tree(child, projects, level + 1)
    ]
    return [SidebarProject(place, project["open"], level, project["parent_id"]), *below]


async def read_shell(session: Session, user_id: int, opened: Opened | None = None) -> Shell:
    return Shell.of(await queries.select_overview(session, user_id, opened))


async def read_place(session: Session, user_id: int, opened: Opened) -> tuple[Shell, Place]:
    """Return what surrounds the page of a place, and the place; `shell.place` has more of it."""
    shell = await read_shell(session, user_id, opened)
    if shell.place is None:
        raise NotFound(MISSING[opened.kind])
    return shell, Place(opened.id, shell.place["name"], shell.place["color"])


async def show(page: Page, session: Session, template: str, /, **values: object) -> Response:
    shell = await read_shell(session, page.reader.id)
    return page.render(template, shell=shell, **values)


async def show_errors(
    page: Page,
    session: Session,
    template: str,
    form: Form,
    error: DomainError | None = None,
    /,
    **values: object,
) -> Response:
    """Render a form again. `error` is why it was refused, unless its fields say so already."""
    shell = await read_shell(session, page.reader.id)
    return page.show_errors(template, form, error, shell=shell, **values)
