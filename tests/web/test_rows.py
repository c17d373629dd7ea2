"""What the menu of rows does, to one todo and to many."""

import asyncio
import re
from datetime import UTC, datetime, timedelta
from html import unescape
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select, text

from fast_zero.models import Todo
from fast_zero.web import links
from tests.factories import (
    ProjectFactory,
    SectionFactory,
    TodoFactory,
    UserFactory,
)
from tests.web.conftest import fault, follow, titles, toast, undo

TODAY = datetime.now(UTC).date()


@pytest.fixture
def todo(save, user):
    async def todo(title="Bread", owner=user, **values):
        [row] = await save(
            TodoFactory(owner_id=owner.id, title=title, **{"state": "todo"} | values)
        )
        return row

    return todo


@pytest.fixture
def press(reader):
    """Press a button of a list, and return the page that it leads to."""

    async def press(address="/app/inbox", /, **fields):
        form = {"next": address, **fields}
        return await follow(reader, await reader.post("/app/todos/act", data=form))

    return press


@pytest.fixture
def read(visitor, user, bearer):
    async def read(todo_id):
        return (await visitor.get(f"/todos/{todo_id}", headers=bearer(user))).json()

    return read


def said(page) -> str:
    return unescape(toast(page) or "")


async def test_delete_and_undo(press, todo, reader, read):
    row = await todo()
    await todo("Part", parent_id=row.id)
    page = await press(delete=row.id)

    assert said(page) == "Task moved to the trash: “Bread”"
    assert titles(page) == []
    page = await undo(reader, page, "/app/inbox")
    assert titles(page) == ["Bread"]


async def test_a_deleted_todo_is_no_longer_open_beside_its_list(press, todo):
    row, other = await todo(), await todo("Milk")
    page = await press(f"/app/inbox?select=&todo={row.id}", delete=f"{row.id}")
    assert page.status_code == 200
    assert said(page) == "Task moved to the trash: “Bread”"
    page = await press(f"/app/inbox?todo={other.id}", complete=other.id)
    assert page.url.query == f"todo={other.id}".encode()


@pytest.mark.parametrize(
    ("address", "without"),
    [
        ("/app/inbox?todo=1", "/app/inbox"),
        ("/app/inbox?after=x%3D&todo=1", "/app/inbox?after=x%3D"),
        ("/app/inbox?todo=2", "/app/inbox?todo=2"),
        ("/app/inbox", "/app/inbox"),
        ("/app/search?q=a%26b&todo=1", "/app/search?q=a%26b"),
    ],
)
def test_an_address_without_its_todo(address, without):
    assert links.without_todo(address, ["1", "3"]) == without


async def test_days_are_chosen_by_name(press, todo, read):
    row = await todo()
    days = {"today": TODAY, "tomorrow": TODAY + timedelta(1)}
    for name, day in days.items():
        page = await press(**{name: row.id})
        assert said(page) == f"Due {name}: “Bread”"
        assert (await read(row.id))["due_on"] == day.isoformat()
    await press(next_week=row.id)
    monday = TODAY + timedelta(7 - TODAY.weekday())
    assert (await read(row.id))["due_on"] == monday.isoformat()
    page = await press(no_date=row.id)
    assert said(page) == "Without a date: “Bread”"
    assert (await read(row.id))["due_on"] is None


async def test_a_due_keeps_its_hour_on_the_clock_of_the_reader(press, todo, sessions, read):
    async with sessions.begin() as session:
        await session.execute(text("UPDATE users SET time_zone = 'America/Sao_Paulo'"))
    zone = ZoneInfo("America/Sao_Paulo")
    was = datetime(2026, 3, 5, 22, 30, tzinfo=zone)
    row = await todo(due_at=was, time_zone="Europe/Lisbon")
    await press(tomorrow=row.id)

    found = await read(row.id)
    moment = datetime.fromisoformat(found["due_at"]).astimezone(zone)
    tomorrow = datetime.now(zone).date() + timedelta(1)
    assert (moment.date(), moment.time()) == (tomorrow, was.time())
    assert found["time_zone"] == "Europe/Lisbon"


async def test_what_recurs_moves_its_occurrence_and_keeps_its_date(
    press, reader, user, bearer, read
):
    new = {"title": "Run", "recurrence": {"rule": "FREQ=WEEKLY"}}
    row = (await reader.post("/todos", json=new, headers=bearer(user))).json()
    tick = f"{row['id']}/{row['occurrence_on']}"
    page = await press(tomorrow=tick)
    assert said(page) == "Due tomorrow: “Run”"
    found = await read(row["id"])
    assert found["due_on"] == (TODAY + timedelta(1)).isoformat()
    assert found["recurrence"]["rule"] == "FREQ=WEEKLY"
    page = await press(no_date=tick)
    assert fault(page) == "What repeats needs a date. Remove the repetition first."


async def test_move_to_a_project_and_to_the_inbox(press, todo, save, user, read):
    [project] = await save(ProjectFactory(owner_id=user.id, name="Home & garden"))
    [section] = await save(SectionFactory(owner_id=user.id, project_id=project.id, name="Kitchen"))
    row = await todo()
    page = await press(move_to=row.id, place=f"project/{project.id}")
    assert said(page) == "Moved to Home & garden: “Bread”"
    await press(move_to=row.id, place=f"section/{section.id}")
    found = await read(row.id)
    assert (found["project_id"], found["section_id"]) == (project.id, section.id)
    assert said(await press(move_to=row.id, place="inbox")) == "Moved to Inbox: “Bread”"
    assert (await read(row.id))["project_id"] is None


async def test_labels_are_added_to_those_that_it_has(press, todo, save, user, read):
    row = await todo()
    for name in ("errands", "@shop", "errands", "Errands"):
        await press(label=row.id, label_name=name)
    assert (await read(row.id))["labels"] == ["errands", "shop"]
    page = await press(label=row.id, label_name="@far")
    assert said(page) == "Labelled @far: “Bread”"


async def test_priority(press, todo, read):
    row = await todo()
    assert said(await press(priority=row.id, level="high")) == "Priority High: “Bread”"
    assert (await read(row.id))["priority"] == "high"
    assert said(await press(priority=row.id, level="none")) == "Priority None: “Bread”"


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"move_to": "{id}"}, "Choose where to move it."),
        ({"move_to": "{id}", "place": "project/x"}, "Choose where to move it."),
        ({"move_to": "{id}", "place": "project/999999"}, "This project does not exist any more."),
        ({"move_to": "{id}", "place": "section/999999"}, "This section does not exist any more."),
        ({"label": "{id}"}, "This cannot be a label. Write up to 50 characters."),
        (
            {"label": "{id}", "label_name": "a" * 51},
            "This cannot be a label. Write up to 50 characters.",
        ),
        (
            {"label": "{id}", "label_name": "a\x00b"},
            "This cannot be a label. Write up to 50 characters.",
        ),
        ({"priority": "{id}", "level": "x"}, "Choose a priority."),
        ({"delete": "selected"}, "Nothing is selected. Select tasks first."),
        ({"delete": "x"}, "This task does not exist any more."),
        ({"tomorrow": "999999"}, "This task does not exist any more."),
        ({"move": "{id}"}, "This task does not exist any more."),
        ({"move": "{id}/before/x"}, "This task does not exist any more."),
        ({"move": "{id}/beside/1"}, "This task does not exist any more."),
        ({"move": "{id}/into/x"}, "This section does not exist any more."),
        ({"move": "{id}/into/999999"}, "This section does not exist any more."),
        ({"move": "{id}/before/{id}"}, "The list has changed meanwhile. Try again."),
        ({"move_up": "999999"}, "This task does not exist any more."),
    ],
)
async def test_what_cannot_be_done_says_why(press, todo, read, fields, reason):
    row = await todo()
    before = await read(row.id)
    page = await press(**{name: value.format(id=row.id) for name, value in fields.items()})

    assert fault(page) == reason
    assert toast(page) is None
    assert await read(row.id) == before


@pytest.mark.parametrize(
    "name",
    [
        *("complete", "delete", "tomorrow", "no_date", "move_to"),
        *("label", "priority", "move_up", "move_down"),
    ],
)
async def test_a_strangers_todo_does_not_exist(press, todo, stranger, sessions, name):
    row = await todo("Secret", owner=stranger)
    more = {"place": "inbox", "label_name": "a", "level": "high"}
    page = await press(**{name: row.id}, **more)

    assert fault(page) == "This task does not exist any more."
    page = await press(**{name: "selected"}, selected=row.id, **more)
    assert fault(page) == "This task does not exist any more."
    async with sessions() as session:
        found = await session.get(Todo, row.id)
        assert (found.version, found.deletion_id) == (row.version, None)


async def test_nothing_is_moved_beside_or_into_what_is_a_strangers(
    press, todo, stranger, save, read
):
    row, theirs = await todo(), await todo("Secret", owner=stranger)
    [project] = await save(ProjectFactory(owner_id=stranger.id))
    [section] = await save(SectionFactory(owner_id=stranger.id, project_id=project.id))
    assert fault(await press(move=f"{row.id}/before/{theirs.id}"))
    assert fault(await press(move=f"{row.id}/into/{section.id}"))
    assert fault(await press(move_to=row.id, place=f"project/{project.id}"))
    assert (await read(row.id))["project_id"] is None


async def test_a_todo_is_moved_into_a_section(press, todo, save, user, read, reader):
    [project] = await save(ProjectFactory(owner_id=user.id))
    [section] = await save(SectionFactory(owner_id=user.id, project_id=project.id))
    row = await todo("Bread")
    page = await press(move=f"{row.id}/into/{section.id}")

    assert said(page) == "“Bread” is 1 of 1"
    moved = await read(row.id)
    assert (moved["project_id"], moved["section_id"]) == (project.id, section.id)
    await undo(reader, page, "/app/inbox")
    assert (await read(row.id))["project_id"] is None


async def test_up_and_down_by_one_among_the_open_todos(press, todo, reader):
    rows = [await todo(title) for title in "ABCD"]
    await press(complete=rows[1].id)
    page = await press(move_up=rows[2].id)
    assert said(page) == "“C” is 1 of 3"
    assert titles(page) == ["C", "A", "D"]
    page = await press(move_up=rows[2].id)
    assert said(page) == "“C” is 1 of 3"
    assert 'name="change_set"' not in page.text
    page = await press(move_down=rows[2].id)
    page = await press(move_down=rows[2].id)
    assert (said(page), titles(page)) == ("“C” is 3 of 3", ["A", "D", "C"])
    page = await press(move_down=rows[2].id)
    assert said(page) == "“C” is 3 of 3"
    page = await press(move=f"{rows[2].id}/before/{rows[0].id}")
    assert (said(page), titles(page)) == ("“C” is 1 of 3", ["C", "A", "D"])
    page = await undo(reader, page, "/app/inbox")
    assert titles(page) == ["A", "D", "C"]


async def test_steps_stay_within_a_section_and_within_subtasks(press, todo, save, user):
    [project] = await save(ProjectFactory(owner_id=user.id))
    [section] = await save(SectionFactory(owner_id=user.id, project_id=project.id))
    place = {"project_id": project.id, "section_id": section.id}
    await todo("Without section", project_id=project.id)
    first, second = await todo("First", **place), await todo("Second", **place)
    assert said(await press(move_up=first.id)) == "“First” is 1 of 2"
    assert said(await press(move_up=second.id)) == "“Second” is 1 of 2"
    [_, part] = [await todo(title, parent_id=first.id, **place) for title in ("One", "Two")]
    assert said(await press(move_up=part.id)) == "“Two” is 1 of 2"


async def test_only_lists_in_an_order_of_their_own_offer_to_move(reader, todo, save, user):
    [project] = await save(ProjectFactory(owner_id=user.id))
    await todo(due_on=TODAY)
    await todo(due_on=TODAY + timedelta(1), project_id=project.id)
    for path, is_ordered in (
        ("today", False),
        ("upcoming", False),
        ("inbox", True),
        (f"projects/{project.id}", True),
    ):
        page = await reader.get(f"/app/{path}")
        assert ('<ul class="todos" data-ordered>' in page.text) is is_ordered, path


async def test_many_are_changed_in_one_change_set(press, todo, reader, user, sessions):
    rows = [await todo(title) for title in "ABC"]
    chosen = [row.id for row in rows[:2]]
    page = await press(complete="selected", selected=chosen)
    assert said(page) == "Completed: 2 tasks"
    assert titles(page) == ["C"]
    page = await undo(reader, page, "/app/inbox")
    assert titles(page) == ["A", "B", "C"]
    page = await press(tomorrow="selected", selected=chosen)
    assert said(page) == "Due tomorrow: 2 tasks"
    page = await press(label="selected", label_name="x", selected=chosen)
    assert said(page) == "Labelled @x: 2 tasks"
    page = await press(priority="selected", level="low", selected=[*chosen, *chosen])
    assert said(page) == "Priority Low: 2 tasks"
    page = await press(delete="selected", selected=chosen)
    assert said(page) == "Moved to the trash: 2 tasks"
    page = await undo(reader, page, "/app/inbox")
    assert titles(page) == ["A", "B", "C"]


async def test_of_many_what_cannot_be_changed_is_counted(press, todo, reader, user, bearer):
    first, second, third = [await todo(title) for title in "ABC"]
    await reader.put(f"/todos/{third.id}/relations/blocks/{second.id}", headers=bearer(user))
    page = await press(complete="selected", selected=[first.id, second.id, 999_999])

    assert said(page) == "Completed: “A”. 2 could not be changed."
    assert titles(page) == ["B", "C"]
    page = await press(complete="selected", selected=[second.id])
    assert fault(page) == "Another task has to be completed first."


async def test_at_most_two_hundred_are_changed_at_once(press, save, user, statements):
    rows = await save(*(TodoFactory(owner_id=user.id, state="todo") for _ in range(201)))
    page = await press(delete="selected", selected=[row.id for row in rows])
    assert fault(page) == "These are too many. Select at most 200 tasks."
    with statements() as sent:
        page = await press(complete="selected", selected=[row.id for row in rows[:200]])
    assert said(page) == "Completed: 200 tasks"
    assert len(sent) < 20


async def test_all_that_is_overdue_is_moved_to_today_and_keeps_its_hours(
    press, save, user, sessions, reader, monkeypatch
):
    late = datetime.now(UTC).replace(hour=9, minute=15, second=0, microsecond=0)
    late -= timedelta(days=4)
    await save(
        *(
            TodoFactory(owner_id=user.id, state="todo", due_on=TODAY - timedelta(days))
            for days in range(1, 250)
        ),
        *(
            TodoFactory(owner_id=user.id, state="todo", due_at=late, time_zone="UTC")
            for _ in range(5)
        ),
    )
    page = await press("/app/today", postpone="overdue")
    assert said(page) == "Due today: 254 tasks"
    async with sessions() as session:
        days = set(await session.scalars(select(Todo.due_on).where(Todo.due_on.is_not(None))))
        hours = set(await session.scalars(select(Todo.due_at).where(Todo.due_at.is_not(None))))
    assert days == {TODAY}
    assert hours == {late + timedelta(days=4)}

    page = await undo(reader, page)
    monkeypatch.setattr("fast_zero.web.pages.todos.row_acts.MAX_OVERDUE", 200)
    page = await press("/app/today", postpone="overdue")
    assert said(page) == "Due today: 200 tasks. There are more. Do it again."
    page = await press("/app/today", postpone="overdue")
    assert said(page) == "Due today: 54 tasks"
    page = await press("/app/today", postpone="overdue")
    assert fault(page) == "This task does not exist any more."


async def test_the_panel_changes_the_order_without_a_script(reader, todo):
    row = await todo()
    page = await reader.get(f"/app/inbox?todo={row.id}")
    [form] = re.findall(r'<form class="row-acts".*?</form>', page.text, re.DOTALL)

    for name in ("move_up", "move_down"):
        assert f'name="{name}" value="{row.id}"' in form


async def test_rows_have_checkboxes_without_a_script(reader, todo):
    row = await todo()
    page = await reader.get("/app/inbox?select=1")

    assert "data-selecting" in page.text
    assert f'name="selected" value="{row.id}" form="many"' in page.text
    assert "data-selecting" not in (await reader.get("/app/inbox")).text


async def test_the_keys_are_a_page_and_can_be_switched_off(reader, sessions):
    page = await reader.get("/app/keys")
    assert "<kbd>q</kbd>" in page.text
    assert re.search(r"<html[^>]* data-keys", page.text)
    async with sessions.begin() as session:
        await session.execute(text("UPDATE users SET keyboard_shortcuts = false"))
    page = await reader.get("/app/keys")
    assert not re.search(r"<html[^>]* data-keys", page.text)
    assert "They are switched off in the settings." in page.text


@pytest.fixture
def settle(committing):
    """Wait until all transactions have ended that are open in the cluster, also those of tests."""

    async def settle():
        async with committing.begin() as session:
            newest = await session.scalar(text("SELECT pg_current_xact_id()::text"))
        ended = text("SELECT pg_snapshot_xmin(pg_current_snapshot()) > CAST(:newest AS xid8)")
        while True:
            async with committing.begin() as session:
                if await session.scalar(ended, {"newest": newest}):
                    return
            await asyncio.sleep(0.02)

    return settle


async def test_a_page_asks_whether_something_has_changed(open_live, commit, settle, statements):
    owner, other = await commit(UserFactory(), UserFactory())
    async with open_live(owner) as browser:
        await settle()
        asked = {"account": str(owner.id)}
        asked["since"] = (await browser.get("/app/changes")).json()["cursor"]
        with statements() as sent:
            response = await browser.get("/app/changes", params=asked)
        assert (response.status_code, response.content) == (204, b"")
        assert len(sent) <= 2

        await commit(TodoFactory(owner_id=owner.id))
        await settle()
        response = await browser.get("/app/changes", params=asked)
        assert response.status_code == 200
        asked["since"] = response.json()["cursor"]
        await commit(TodoFactory(owner_id=other.id))
        await settle()
        again = await browser.get("/app/changes", params=asked)
        assert again.status_code == 204


async def test_a_page_of_another_account_is_told_so(open_live, commit, settle):
    owner, other = await commit(UserFactory(), UserFactory())
    async with open_live(owner) as browser:
        await settle()
        cursor = (await browser.get("/app/changes")).json()["cursor"]
        for account, status in ((owner.id, 204), (other.id, 200), ("", 200), ("x", 200)):
            asked = {"since": cursor, "account": str(account)}
            response = await browser.get("/app/changes", params=asked)
            assert response.status_code == status


@pytest.mark.parametrize("since", ["x", "a" * 78, "%00", "é", ""])
async def test_an_unknown_cursor_is_replaced(reader, since):
    response = await reader.get("/app/changes", params={"since": since})

    assert response.status_code == 200
    assert response.json()["cursor"]


async def test_moves_at_once_end_in_one_order(open_live, commit):
    [owner] = await commit(UserFactory())
    rows = await commit(
        *(TodoFactory(owner_id=owner.id, title=f"Todo {i}", state="todo") for i in range(6))
    )
    async with open_live(owner) as browser:

        def press(**fields):
            return browser.post("/app/todos/act", data={"next": "/app/inbox", **fields})

        answers = await asyncio.gather(
            *(press(move_up=row.id) for row in rows),
            *(press(move=f"{row.id}/after/{rows[-1].id}") for row in rows[2:-1]),
            press(delete="selected", selected=[rows[0].id, rows[1].id]),
        )
        assert {answer.headers["location"] for answer in answers} == {"/app/inbox"}
        pages = [await browser.get("/app/inbox") for _ in range(3)]
        assert sorted(titles(pages[0])) == [f"Todo {i}" for i in range(2, 6)]
        assert len({tuple(titles(page)) for page in pages}) == 1


async def test_two_steps_at_once_are_two_steps(open_live, commit):
    [owner] = await commit(UserFactory())
    rows = await commit(
        *(TodoFactory(owner_id=owner.id, title=name, state="todo") for name in "ABCD")
    )
    async with open_live(owner) as browser:
        form = {"next": "/app/inbox", "move_up": rows[3].id}
        await asyncio.gather(*(browser.post("/app/todos/act", data=form) for _ in range(2)))
        assert titles(await browser.get("/app/inbox")) == ["A", "D", "B", "C"]
