"""What surrounds every page of somebody who is logged in: the sidebar with its counts."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from fast_zero.core.database import Session
from fast_zero.summaries import queries
from fast_zero.web.rows import Place


@dataclass(frozen=True)
class SidebarProject:
    place: Place
    open: int
    level: int


@dataclass(frozen=True)
class Shell:
    """The counts of open todos, and the projects in their order, each below its parent."""

    inbox: int
    today: int
    upcoming: int
    projects: list[SidebarProject]

    @property
    def places(self) -> dict[int, Place]:
        return {project.place.id: project.place for project in self.projects}

    @classmethod
    def of(cls, overview: Mapping[str, Any]) -> Self:
        found = overview["projects"]
        return cls(
            overview["inbox"],
            overview["today"],
            overview["upcoming"],
            [project for root in roots_of(found) for project in tree(root, found, 0)],
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
    return [SidebarProject(place, project["open"], level), *below]


async def read_shell(session: Session, user_id: int) -> Shell:
    return Shell.of(await queries.select_overview(session, user_id))
