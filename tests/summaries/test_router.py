"""GET /todos/summary."""

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from fast_zero.filter_language.parsing import MOST
from fast_zero.models import Deletion, Label, TodoLabel
from fast_zero.summaries.service import COUNTED
from fast_zero.todos.models import OPEN, TodoState
from tests.core.expect import problem
from tests.factories import ProjectFactory, SavedFilterFactory, TodoFactory, UserFactory

# At every moment, it is another day than in UTC in one of the first two.
ZONES = ["Pacific/Kiritimati", "Pacific/Pago_Pago", "UTC", "America/Sao_Paulo", "Asia/Kolkata"]
NAMES = ["a", "b", "Ç"]
EMPTY = {
    "inbox": 0,
    "today": 0,
    "overdue": 0,
    "next_seven_days": 0,
    "projects": [],
    "labels": [],
    "filters": [],
}

todos = st.fixed_dictionaries(
    {
        "state": st.sampled_from([*OPEN, *TodoState]),
        "project": st.sampled_from([None, 0, 1]),
        "labels": st.sets(st.sampled_from(range(len(NAMES)))),
        "days": st.none() | st.integers(-2, 9),
        "hours": st.none() | st.integers(-30, 220),
        "is_deleted": st.sampled_from([False, False, False, True]),
    }
)


def due_of(drawn: dict, now: datetime, zone: ZoneInfo) -> dict:
    if drawn["hours"] is not None:
        return {"due_at": now + timedelta(hours=drawn["hours"], minutes=7), "time_zone": "UTC"}
    if drawn["days"] is not None:
        return {"due_on": now.astimezone(zone).date() + timedelta(drawn["days"])}
    return {}


def expected(rows: list[tuple], now: datetime, zone: ZoneInfo) -> dict:
    """Compute the counts in plain Python, by index of project and label."""
    today = now.astimezone(zone).date()
    found = [(todo, drawn) for todo, drawn in rows if todo.state in OPEN and not todo.deletion_id]

    def day(todo) -> date | None:
        return todo.due_at.astimezone(zone).date() if todo.due_at else todo.due_on

    def is_late(todo) -> bool:
        return todo.due_at < now if todo.due_at else bool(todo.due_on and todo.due_on < today)

    week = [today + timedelta(days) for days in range(1, 8)]
    projects = Counter(drawn["project"] for _, drawn in found)
    return {
        "inbox": projects.pop(None, 0),
        "today": sum(day(todo) == today for todo, _ in found),
        "overdue": sum(is_late(todo) for todo, _ in found),
        "next_seven_days": sum(day(todo) in week for todo, _ in found),
        "projects": projects,
        "labels": Counter(label for _, drawn in found for label in drawn["labels"]),
    }


# Each example has a user of its own, so that it does not matter that all share a transaction.
@settings(
    max_examples=50,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(contents=st.lists(todos, min_size=3, max_size=15), name=st.sampled_from(ZONES))
async def test_a_summary_counts_as_plain_python_does(
    anonymous, save, bearer, sessions, contents, name
):
    zone = ZoneInfo(name)
    [user] = await save(UserFactory(time_zone=name))
    projects = await save(*ProjectFactory.build_batch(2, owner_id=user.id))
    labels = await save(*(Label(owner_id=user.id, name=label) for label in NAMES))
    [deletion] = await save(Deletion(owner_id=user.id, kind="todo", item_id=1, title=""))
    async with sessions() as session:
        now = (await session.scalars(select(func.now()))).one()
    rows = await save(
        *(
            TodoFactory(
                owner_id=user.id,
                state=drawn["state"],
                project_id=None if drawn["project"] is None else projects[drawn["project"]].id,
                deletion_id=deletion.id if drawn["is_deleted"] else None,
                **due_of(drawn, now, zone),
            )
            for drawn in contents
        )
    )
    drawn_rows = list(zip(rows, contents, strict=True))
    await save(
        *(
            TodoLabel(owner_id=user.id, todo_id=todo.id, label_id=labels[index].id)
            for todo, drawn in drawn_rows
            for index in drawn["labels"]
        )
    )

    summary = (await anonymous.get("/todos/summary", headers=bearer(user))).json()

    counts = expected(drawn_rows, now, zone)
    counts["projects"] = [
        {"project_id": project.id, "open": counts["projects"][index]}
        for index, project in enumerate(projects)
        if counts["projects"][index]
    ]
    counts["labels"] = [
        {"label_id": label.id, "name": label.name, "open": counts["labels"][index]}
        for index, label in enumerate(labels)
        if counts["labels"][index]
    ]
    assert summary == counts | {"filters": []}


async def test_a_summary_is_one_statement_and_counts_what_the_lists_show(
    client, save, user, statements
):
    now = datetime.now(UTC)
    dues = [{"due_at": now - timedelta(hours=1), "time_zone": "UTC"}, {"due_on": now.date()}, {}]
    await save(*(TodoFactory(owner_id=user.id, state=TodoState.DOING, **due) for due in dues))

    with statements() as sent:
        summary = (await client.get("/todos/summary")).json()

    assert (len(sent), sent.transactions) == (1, 0)
    states = {"state": [state.value for state in OPEN]}
    for count, wanted in (("inbox", {"project_id": "none"}), ("overdue", {"overdue": True})):
        listed = await client.get("/todos", params={**states, **wanted})
        assert summary[count] == len(listed.json()["todos"])


async def test_a_summary_shows_nothing_of_others(client, save, stranger):
    [project] = await save(ProjectFactory(owner_id=stranger.id))
    [label] = await save(Label(owner_id=stranger.id, name="Private"))
    today = datetime.now(UTC).date()
    [todo] = await save(
        TodoFactory(owner_id=stranger.id, project_id=project.id, state=TodoState.TODO, due_on=today)
    )
    await save(TodoLabel(owner_id=stranger.id, todo_id=todo.id, label_id=label.id))

    assert (await client.get("/todos/summary")).json() == EMPTY


async def test_todos_of_a_deleted_project_are_not_counted(client, save, user):
    [project] = await save(ProjectFactory(owner_id=user.id))
    body = {"title": "a", "project_id": project.id, "labels": ["b"], "due_on": "2000-01-01"}
    await client.post("/todos", json=body)
    assert (await client.get("/todos/summary")).json()["overdue"] == 1

    await client.delete(f"/projects/{project.id}")

    assert (await client.get("/todos/summary")).json() == EMPTY


@pytest.mark.parametrize("method", ["PATCH", "DELETE", "PUT"])
async def test_a_summary_can_only_be_read(client, method):
    response = await client.request(method, "/todos/summary", json={"title": "a"})

    assert problem(response)[0] == 405


async def test_a_summary_needs_a_token_and_takes_no_parameters(
    client, anonymous, open_log_in, user
):
    assert (await client.get("/todos/summary?day=1")).status_code == 422
    client.headers.update(await open_log_in(user, {"account:read"}))
    assert (await client.get("/todos/summary")).json()["code"] == "insufficient_scope"
    del anonymous.headers["Authorization"]
    assert (await anonymous.get("/todos/summary")).status_code == 401


async def test_a_summary_counts_what_saved_filters_find(client, save, user, stranger, statements):
    saved = await save(
        *(
            SavedFilterFactory(owner_id=user.id, filter=text)
            for text in ("bread", "not bread", "is:done", "priority>=high or label:none", "bread")
        ),
        SavedFilterFactory(owner_id=stranger.id),
    )
    await client.post(f"/filters/{saved[2].id}/move", json={"before": saved[0].id})
    await save(
        TodoFactory(owner_id=user.id, title="Bread", description="", state=TodoState.TODO),
        TodoFactory(owner_id=user.id, title="Rye bread", description="", state=TodoState.DOING),
        TodoFactory(owner_id=user.id, title="Salt", description="", state=TodoState.DRAFT),
        TodoFactory(owner_id=user.id, title="Bread", state=TodoState.DONE),
        TodoFactory(owner_id=stranger.id, title="Bread", state=TodoState.TODO),
    )

    with statements() as sent:
        summary = (await client.get("/todos/summary")).json()

    assert (len(sent), sent.transactions) == (2, 0)
    order = [saved[index].id for index in (2, 0, 1, 3, 4)]
    counts = [{"filter_id": id_, "open": n} for id_, n in zip(order, (0, 2, 1, 3, 2), strict=True)]
    assert summary["filters"] == counts


async def test_the_conditions_that_a_summary_counts_are_bounded(client, save, user):
    text = " or ".join(["bread"] * MOST)
    count = COUNTED // MOST
    await save(
        *(SavedFilterFactory(owner_id=user.id, filter=text) for _ in range(count)),
        SavedFilterFactory(owner_id=user.id, filter="a"),
    )

    assert len((await client.get("/todos/summary")).json()["filters"]) == count
