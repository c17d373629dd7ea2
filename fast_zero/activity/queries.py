"""The statements that read a page of activity from the log of changes.

They are written out, since a page has to be read along the indexes of the log: from the last
transaction to the one before, and never through all rows of one.
"""

from collections.abc import Sequence
from typing import Literal

from sqlalchemy import TextClause, exists, select, text

from fast_zero.activity.schemas import COUNTED, SHOWN, TEXT_LENGTH, ActivityParams
from fast_zero.core.database import AnyRow, Session
from fast_zero.core.types import MAX_BIGINT
from fast_zero.projects.queries import projects
from fast_zero.todos.expressions import todos

Subject = Literal["account", "project", "todo"]

RELATED_TO = "CAST(coalesce(after, before) ->> 'other_id' AS bigint)"
# Each condition is of one index. The second todo of a relation has its own.
CONDITIONS = {
    "account": ("true",),
    "project": ("project_id = :id",),
    "todo": (
        "entity_id = :id AND entity IN ('todos', 'todo_labels', 'todo_relations', 'occurrences')",
        f"entity = 'todo_relations' AND {RELATED_TO} = :id",
    ),
}


def select_from_log(subject: Subject, columns: str, rest: str) -> str:
    return " UNION ALL ".join(
        f"(SELECT {columns} FROM changes WHERE owner_id = :user_id AND {condition} AND {rest})"  # noqa: S608  # constants
        for condition in CONDITIONS[subject]
    )


def last_before(subject: Subject, xid: str) -> str:
    found = select_from_log(subject, "xid", f"xid < {xid} ORDER BY xid DESC, position DESC LIMIT 1")
    return f"SELECT xid FROM ({found}) AS found ORDER BY xid DESC LIMIT 1"  # noqa: S608  # constants


def read(subject: Subject, columns: str) -> str:
    """Return a statement for the last rows of one transaction, which are counted.

    The planner expects few rows of a transaction. If it knew the limit, it would read all of them
    and then sort.
    """
    limit = f"ORDER BY position DESC LIMIT (SELECT {COUNTED})"
    return select_from_log(subject, columns, f"xid = transactions.xid {limit}")


def shortened(fields: str) -> str:
    """Return fields with the beginning of the description, which bounds the size of a page."""
    short = f"to_jsonb(left({fields} ->> 'description', {TEXT_LENGTH}))"
    return (
        f"CASE WHEN {fields} ? 'description'"
        f" THEN jsonb_set({fields}, '{{description}}', {short}) ELSE {fields} END"
    )


def title_of(entity: str, id_: str) -> str:
    """Return the title of something as it is now, also in the trash."""
    name = "title" if entity == "todos" else "name"
    return f"(SELECT {name} FROM {entity} WHERE owner_id = :user_id AND id = {id_})"  # noqa: S608  # constants


ROW = """
position, at, actor_id, client, change_set_id, entity, entity_id,
CASE entity
    WHEN 'todo_labels' THEN CAST(coalesce(after, before) ->> 'label_id' AS bigint)
    WHEN 'todo_relations' THEN CAST(coalesce(after, before) ->> 'other_id' AS bigint)
END AS other_id,
CASE entity
    WHEN 'todo_relations' THEN coalesce(after, before) ->> 'kind'
    WHEN 'occurrences' THEN coalesce(after, before) ->> 'day'
END AS kind
"""
# What was done to a project is logged after what it does to the todos in it.
PLACE = """
CASE entity WHEN 'projects' THEN 1 WHEN 'sections' THEN 2 WHEN 'labels' THEN 3 ELSE 4 END,
min(position)
"""
ROWS = f"""
SELECT jsonb_agg(
    jsonb_build_array(operation, {shortened("before")}, {shortened("after")}) ORDER BY position
)
FROM changes
WHERE owner_id = :user_id AND entity_id = things.entity_id
    AND xid = transactions.xid AND position = ANY (things.positions)
"""  # noqa: S608  # a constant
# Nothing is kept of what is deleted for good: of its deletions, the last one is that.
IS_LAST = """
NOT EXISTS (
    SELECT FROM changes WHERE owner_id = :user_id AND entity_id = things.entity_id
    AND entity = things.entity
    AND (xid, position) > (transactions.xid, things.positions[1])
)
"""
THING = f"""
SELECT to_jsonb(thing) FROM (SELECT
    entity, entity_id, other_id, kind, ({ROWS}) AS rows, {IS_LAST} AS is_last,
    CASE entity
        WHEN 'projects' THEN {title_of("projects", "entity_id")}
        WHEN 'sections' THEN {title_of("sections", "entity_id")}
        WHEN 'labels' THEN {title_of("labels", "entity_id")}
        WHEN 'saved_filters' THEN {title_of("saved_filters", "entity_id")}
        ELSE {title_of("todos", "entity_id")}
    END AS title,
    CASE entity
        WHEN 'todo_labels' THEN {title_of("labels", "other_id")}
        WHEN 'todo_relations' THEN {title_of("todos", "other_id")}
    END AS other_title
) AS thing
"""  # noqa: S608  # constants


def page_statement(subject: Subject) -> TextClause:
    """Return the statement for the transactions that changed something, newest first.

    A transaction has one writer. Rows that were written before it was known have none.
    """
    return text(f"""
WITH RECURSIVE transactions AS (
    SELECT xid, 1 AS number FROM ({last_before(subject, "CAST(:before AS xid8)")}) AS newest
    UNION ALL
    SELECT earlier.xid, number + 1 FROM transactions CROSS JOIN LATERAL (
        {last_before(subject, "transactions.xid")}
    ) AS earlier
    WHERE number < :limit
)
SELECT CAST(CAST(transactions.xid AS text) AS bigint) AS xid, entry.*
FROM transactions CROSS JOIN LATERAL (
    SELECT max(at) AS at, max(actor_id) AS actor_id, max(client) AS client,
        CAST(max(change_set_id) AS uuid) AS change_set_id, max(total) AS count,
        jsonb_agg(thing ORDER BY place) AS things
    FROM (
        SELECT at, actor_id, client, change_set_id, total, place, ({THING}) AS thing
        FROM (
            SELECT entity, entity_id, other_id, kind, max(at) AS at, max(actor_id) AS actor_id,
                max(client) AS client, max(CAST(change_set_id AS text)) AS change_set_id,
                array_agg(position ORDER BY position DESC) AS positions,
                count(*) OVER () AS total, row_number() OVER (ORDER BY {PLACE}) AS place
            FROM ({read(subject, ROW)}) AS read
            GROUP BY entity, entity_id, other_id, kind
        ) AS things
        ORDER BY place LIMIT {SHOWN}
    ) AS shown
) AS entry
ORDER BY transactions.xid DESC
""")  # noqa: S608  # constants


PAGES: dict[Subject, TextClause] = {
    "account": page_statement("account"),
    "project": page_statement("project"),
    "todo": page_statement("todo"),
}


async def select_activity(
    session: Session, user_id: int, of: tuple[Subject, int], wanted: ActivityParams
) -> Sequence[AnyRow]:
    """Select a page of entries, plus one, which shows whether another page follows."""
    subject, id_ = of
    values: dict[str, int | str] = {"user_id": user_id, "limit": wanted.limit + 1}
    values["before"] = str(MAX_BIGINT if wanted.after is None else wanted.after)
    if subject != "account":
        values["id"] = id_
    return (await session.execute(PAGES[subject], values)).all()


async def is_stored(session: Session, user_id: int, of: tuple[Subject, int]) -> bool:
    """Whether a user has a project or todo, also in the trash."""
    subject, id_ = of
    table = projects if subject == "project" else todos
    found = exists().where(table.c.owner_id == user_id, table.c.id == id_)
    return bool(await session.scalar(select(found)))
