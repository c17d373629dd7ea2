"""What a sentence is understood with: the account, and the projects and labels that it may name."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    BindParameter,
    ColumnElement,
    Select,
    Text,
    any_,
    bindparam,
    cast,
    func,
    literal_column,
    select,
)
from sqlalchemy.dialects.postgresql import JSONB

from fast_zero.core.database import Prepared, PreparedRow, Session, prepare
from fast_zero.identity.models import User
from fast_zero.labels import queries as label_queries
from fast_zero.labels.models import Label
from fast_zero.projects import queries as project_queries
from fast_zero.projects.models import Project, Section
from fast_zero.search.expressions import unaccented

users, labels = User.__table__, Label.__table__
projects, sections = Project.__table__, Section.__table__

USER_ID: BindParameter[int] = bindparam("user_id", type_=BigInteger)


def is_named(name: ColumnElement[str], keys: str) -> ColumnElement[bool]:
    """Whether a name is one of the keys in a parameter, without regard to case and accents."""
    return unaccented(name) == any_(cast(bindparam(keys), ARRAY(Text)))


def as_list(rows: Select[Any], *columns: ColumnElement[Any]) -> ColumnElement[Any]:
    """Return rows as a list of objects. Null: there are none."""
    parts = [part for column in columns for part in (literal_column(f"'{column.key}'"), column)]
    found = func.jsonb_agg(func.jsonb_build_object(*parts), type_=JSONB())
    return rows.with_only_columns(found).scalar_subquery()


@lru_cache
def statement(*, names_projects: bool, names_labels: bool) -> Prepared:
    columns: list[ColumnElement[Any]] = [
        users.c.time_zone,
        users.c.language,
        users.c.week_starts_on,
    ]
    if names_projects:
        inside = select(sections).where(
            sections.c.owner_id == USER_ID,
            sections.c.project_id == projects.c.id,
            is_named(sections.c.name, "section_names"),
        )
        found = as_list(inside.correlate(projects), sections.c.id, sections.c.name)
        own = select(projects).where(
            project_queries.visible_to(USER_ID), is_named(projects.c.name, "project_names")
        )
        shown = (
            *(projects.c.id, projects.c.name, projects.c.color, projects.c.archived),
            found.label("sections"),
        )
        columns.append(as_list(own, *shown).label("projects"))
    if names_labels:
        carried = select(labels).where(
            label_queries.visible_to(USER_ID), is_named(labels.c.name, "label_names")
        )
        columns.append(as_list(carried, labels.c.id, labels.c.name).label("labels"))
    return prepare(select(*columns).where(users.c.id == USER_ID))


async def select_account(
    session: Session,
    user_id: int,
    project_names: Sequence[str],
    section_names: Sequence[str],
    label_names: Sequence[str],
) -> PreparedRow | None:
    """Select the account, and what has one of these names. None: the account is gone."""
    values: dict[str, Any] = {"user_id": user_id}
    if project_names:
        values |= {"project_names": project_names, "section_names": section_names}
    if label_names:
        values["label_names"] = label_names
    prepared = statement(names_projects=bool(project_names), names_labels=bool(label_names))
    return await session.fetch_one(prepared, values)
