"""The filters of GET /todos by place, label, priority and day."""

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import func, select

from fast_zero.models import Todo
from fast_zero.todos.models import Priority, TodoState
from tests.core.expect import invalid_fields
from tests.factories import ProjectFactory, SectionFactory, TodoFactory

DAY = date(2026, 12, 4)


async def listed(client, **params) -> list[str]:
    response = await client.get("/todos", params=params)
    assert response.status_code == 200, response.text
    return [todo["title"] for todo in response.json()["todos"]]


@pytest.fixture
async def places(save, user) -> dict[str, int]:
    """Save todos in all kinds of places; return the ids of the places."""
    [project, other] = await save(*ProjectFactory.build_batch(2, owner_id=user.id))
    [section] = await save(SectionFactory(owner_id=user.id, project_id=project.id))
    fields = [
        {},
        {"project_id": project.id},
        {"project_id": project.id, "section_id": section.id},
        {"project_id": other.id},
    ]
    names = ["inbox", "project", "section", "other"]
    todos = await save(
        *(
            TodoFactory(owner_id=user.id, title=title, state=TodoState.TODO, **place)
            for title, place in zip(names, fields, strict=True)
        )
    )
    await save(TodoFactory(owner_id=user.id, title="subtask", parent_id=todos[2].id))
    ids = {"project": project.id, "other": other.id, "section": section.id}
    return ids | {"parent": todos[2].id}


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ({"project_id": "project"}, ["project", "section", "subtask"]),
        ({"project_id": "other"}, ["other"]),
        ({"project_id": "none"}, ["inbox"]),
        ({"section_id": "section"}, ["section", "subtask"]),
        ({"section_id": "none"}, ["inbox", "project", "other"]),
        ({"section_id": "none", "project_id": "project"}, ["project"]),
        ({"section_id": "section", "project_id": "other"}, []),
        ({"parent_id": "parent"}, ["subtask"]),
        ({"parent_id": "none"}, ["inbox", "project", "section", "other"]),
        ({"parent_id": "none", "project_id": "project"}, ["project", "section"]),
    ],
    ids=str,
)
async def test_todos_are_filtered_by_place(client, places, wanted, expected):
    params = {name: places.get(value, value) for name, value in wanted.items()}

    assert await listed(client, **params) == expected


async def test_the_places_of_others_are_empty(client, save, stranger):
    [project] = await save(ProjectFactory(owner_id=stranger.id))
    [section] = await save(SectionFactory(owner_id=stranger.id, project_id=project.id))
    [parent] = await save(TodoFactory(owner_id=stranger.id, section_id=section.id))
    await save(TodoFactory(owner_id=stranger.id, parent_id=parent.id))

    assert await listed(client, project_id=project.id) == []
    assert await listed(client, section_id=section.id) == []
    assert await listed(client, parent_id=parent.id) == []


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        ("errands", ["a", "ab"]),
        ("ERRANDS", ["a", "ab"]),
        (" Errands ", ["a", "ab"]),
        (["errands", "Home"], ["ab"]),
        (["home", "errands", "ERRANDS"], ["ab"]),
        ("HOME", ["b", "ab"]),
        ("ﬁne", ["fine"]),
        ("unknown", []),
        (["errands", "unknown"], []),
    ],
    ids=str,
)
async def test_todos_are_filtered_by_labels(client, anonymous, bearer, stranger, labels, expected):
    carried = {"a": ["Errands"], "b": ["home"], "ab": ["errands", "home"], "fine": ["FINE"], "": []}
    for title, names in carried.items():
        await client.post("/todos", json={"title": title or "none", "labels": names})
    theirs = {"title": "Private", "labels": ["errands", "home", "unknown"]}
    await anonymous.post("/todos", json=theirs, headers=bearer(stranger))

    assert await listed(client, label=labels) == expected


async def test_todos_are_filtered_by_priority(client, save, user):
    await save(
        *(TodoFactory(owner_id=user.id, title=each.value, priority=each) for each in Priority)
    )

    assert await listed(client, priority="none") == ["none"]
    assert await listed(client, priority=["urgent", "low"]) == ["low", "urgent"]
    assert len(await listed(client, priority=[each.value for each in Priority])) == 5


@pytest.fixture
async def due(client, save, user) -> None:
    """Save todos that are due around a day in São Paulo, three hours behind UTC."""
    await client.patch("/users/me", json={"time_zone": "America/Sao_Paulo"})
    midnight = datetime(2026, 12, 4, 3, tzinfo=UTC)
    moments = {
        "last second before": midnight - timedelta(seconds=1),
        "midnight": midnight,
        "last second": midnight + timedelta(days=1, seconds=-1),
        "next midnight": midnight + timedelta(days=1),
    }
    days = {"day before": DAY - timedelta(1), "day": DAY, "day after": DAY + timedelta(1)}
    await save(
        *(TodoFactory(owner_id=user.id, title=title, due_on=day) for title, day in days.items()),
        *(
            TodoFactory(owner_id=user.id, title=title, due_at=moment, time_zone="Asia/Tokyo")
            for title, moment in moments.items()
        ),
        TodoFactory(owner_id=user.id, title="no day"),
    )


@pytest.mark.usefixtures("due")
async def test_todos_are_filtered_by_days_on_the_clock_of_the_account(client):
    assert set(await listed(client, due_before="2026-12-04")) == {
        "day before",
        "last second before",
    }
    assert set(await listed(client, due_after="2026-12-04")) == {"day after", "next midnight"}
    between = {"due_after": "2026-12-03", "due_before": "2026-12-05"}
    assert set(await listed(client, **between)) == {"day", "midnight", "last second"}
    assert len(await listed(client, due_after="1900-01-01")) == 7


async def test_overdue_todos_are_open_and_their_day_or_moment_has_passed(
    client, save, user, session
):
    await client.patch("/users/me", json={"time_zone": "Pacific/Kiritimati"})
    now = (await session.scalars(select(func.now()))).one()
    today = (now + timedelta(hours=14)).date()  # the clock of Kiritimati
    second = timedelta(seconds=1)
    dues = {
        "yesterday": {"due_on": today - timedelta(1)},
        "today": {"due_on": today},
        "a second ago": {"due_at": now - second, "time_zone": "UTC"},
        "in a second": {"due_at": now + second, "time_zone": "UTC"},
        "not due": {},
    }
    rows = [
        TodoFactory(owner_id=user.id, title=f"{state.value} {title}", state=state, **due)
        for state in TodoState
        for title, due in dues.items()
    ]
    await save(*rows)
    late = {
        f"{state} {title}"
        for state in ("draft", "todo", "doing")
        for title in ("yesterday", "a second ago")
    }

    assert set(await listed(client, overdue=True)) == late
    assert set(await listed(client, overdue=False)) == {row.title for row in rows} - late
    assert set(await listed(client, overdue="true", state="todo")) == {
        "todo yesterday",
        "todo a second ago",
    }


async def test_all_filters_are_combined_in_one_statement(client, places, statements):
    day, now = DAY.isoformat(), "2026-12-04T12:00:00Z"
    body = {"labels": ["a", "b"], "priority": "high", "due_at": now, "title": "Found"}
    found = (await client.post("/todos", json={**body, "section_id": places["section"]})).json()
    await client.post("/todos", json=body)
    wanted = {
        "project_id": places["project"],
        "section_id": places["section"],
        "parent_id": "none",
        "label": ["A", "b"],
        "priority": ["high", "urgent"],
        "due_before": (DAY + timedelta(1)).isoformat(),
        "due_after": (DAY - timedelta(1)).isoformat(),
        "overdue": datetime.now(UTC).isoformat() > now,
        "state": ["todo", "doing"],
        "title": "found",
        "sort": "due,-priority,title",
    }

    with statements() as sent:
        todos = (await client.get("/todos", params=wanted)).json()["todos"]

    assert (len(sent), sent.transactions) == (1, 0)
    assert todos == [found]
    assert await listed(client, **{**wanted, "due_after": day}) == []


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("project_id", ["", "0", "-1", "None", "inbox", 2**63, "1.5"]),
        ("section_id", ["", "0", "x"]),
        ("parent_id", ["", "0", "x"]),
        ("label", ["", " ", "a" * 51, "a\0"]),
        ("priority", ["", "HIGH", "1", "highest"]),
        ("due_before", ["", "2026-13-01", "tomorrow", "1899-12-31", "10000-01-01", "9999-12-31"]),
        ("due_after", ["", "2026-02-30", "1"]),
        ("overdue", ["", "maybe", "2"]),
    ],
)
async def test_a_list_names_the_filter_that_is_wrong(client, name, values):
    for value in values:
        response = await client.get("/todos", params={name: value})
        assert set(invalid_fields(response)) == {f"query.{name}"}, value


async def test_what_is_in_the_trash_is_in_no_list(client, save, user, places, session):
    await client.patch(f"/todos/{places['parent']}", json={"labels": ["a"], "due_on": "2000-01-01"})
    await client.delete(f"/todos/{places['parent']}")

    for wanted in ({"project_id": places["project"]}, {"label": "a"}, {"overdue": True}):
        assert {"section", "subtask"}.isdisjoint(await listed(client, **wanted))
    assert await listed(client, parent_id=places["parent"]) == []
    assert await session.scalar(select(Todo.id).where(Todo.id == places["parent"]))
