"""The demo data: what people have planned, in their language, and when it was written."""

import pytest
from sqlalchemy import select as query
from sqlalchemy import text

from fast_zero.models import User
from fast_zero.operations import lives
from fast_zero.operations.seed import ZONES, usernames, write_demo

PEOPLE, TODOS = 4, 40
LATE = """
SELECT 'todos', count(*) FROM todos WHERE greatest(created_at, updated_at, completed_at) >= now()
UNION ALL
SELECT 'completions', count(*) FROM completions JOIN todos ON todos.id = todo_id
WHERE finished_at <> completed_at OR finished_at < todos.created_at
UNION ALL
SELECT 'subtasks', count(*) FROM todos JOIN todos AS parent ON parent.id = todos.parent_id
WHERE (todos.project_id, todos.section_id) IS DISTINCT FROM (parent.project_id, parent.section_id)
    OR todos.created_at < parent.created_at OR parent.state = 'done' AND todos.state <> 'done'
UNION ALL
SELECT 'posts', count(*) FROM posts WHERE created_at >= now() OR hidden OR edited_at IS NOT NULL
UNION ALL
SELECT 'trash', count(*) FROM deletions WHERE deleted_at >= now()
    OR deleted_at < now() - interval '30 days'
"""


@pytest.fixture
async def written(session):
    return await write_demo(session, "", people=PEOPLE, todos=TODOS, progress=lambda *_: None)


async def select(session, statement: str, **values) -> list[tuple]:
    return [tuple(row) for row in await session.execute(text(statement), values)]


async def test_the_demo_is_dated_in_the_past_and_in_order(session, written):
    assert written["todo"] == PEOPLE * TODOS
    assert {count for _, count in await select(session, LATE)} == {0}


@pytest.mark.parametrize("language", [0, 1])
async def test_everybody_has_plans_in_their_own_language(session, written, language):
    names = usernames(PEOPLE)[language :: len(lives.LANGUAGES)]
    owned = "WHERE owner_id IN (SELECT id FROM users WHERE username = ANY (:names))"

    def words(*pairs) -> set[str]:
        return {pair[language] for pair in pairs}

    for table, column, expected in (
        ("projects", "name", words(*(plan.name for plan in lives.PLANS))),
        ("labels", "name", words(*(words for words, _ in lives.LABELS))),
        ("sections", "name", words(*(name for plan in lives.PLANS for name in plan.sections))),
        (
            "todos",
            "title",
            words(*lives.CHORES, *(task.title for plan in lives.PLANS for task in plan.tasks)),
        ),
    ):
        found = await select(session, f"SELECT {column} FROM {table} {owned}", names=names)
        assert found
        assert {name for (name,) in found} <= expected
    found = await select(
        session, "SELECT DISTINCT language FROM users WHERE username = ANY (:names)", names=names
    )
    assert found == [(lives.LANGUAGES[language],)]


async def test_the_plans_show_every_kind_of_todo(session, written, client, bearer):
    everything = []
    for user in (await session.scalars(query(User).where(User.username.like("demo-%")))).all():
        headers = bearer(user)
        found = (await client.get("/todos?limit=100", headers=headers)).json()["todos"]
        overdue = (await client.get("/todos?overdue=true", headers=headers)).json()["todos"]
        everything += found
        for shown in (
            overdue,
            [todo for todo in found if todo["blocked"]],
            [todo for todo in found if todo["open_subtasks"]],
            [todo for todo in found if todo["subtasks"] > todo["open_subtasks"]],
            [todo for todo in found if todo["labels"]],
            [todo for todo in found if todo["section_id"]],
            [todo for todo in found if todo["project_id"] is None],
        ):
            assert shown, user.username
        trash = select(session, "SELECT * FROM deletions WHERE owner_id = :id", id=user.id)
        assert len(await trash) == TODOS - len(found) > 0
    assert {todo["priority"] for todo in everything} >= {"none", "medium", "high"}
    zones = {todo["time_zone"] for todo in everything if todo["due_at"]}
    assert zones <= set(ZONES)
    assert zones


async def test_few_todos_are_the_first_of_a_project(session):
    done = []
    written = await write_demo(
        session, "", people=2, todos=3, progress=lambda *progress: done.append(progress)
    )

    assert (written["person"], written["project"], written["todo"]) == (2, 2, 6)
    assert done[-1][0] == done[-1][1] == len(done)
