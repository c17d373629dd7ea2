"""Lists of todos, and what their forms do."""

import re
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select, text

from fast_zero.labels.models import TodoLabel
from fast_zero.models import Todo
from tests.factories import LabelFactory, ProjectFactory, TodoFactory
from tests.web.conftest import NASTY, counts, fault, follow, heading, more, titles, toast, undo

STATEMENTS = 3


@pytest.fixture
def titles_of(sessions, user):
    async def titles_of():
        async with sessions() as session:
            found = select(Todo).where(Todo.owner_id == user.id).order_by(Todo.id)
            return [(todo.title, todo.state) for todo in await session.scalars(found)]

    return titles_of


async def test_today_shows_what_is_late_due_and_done(reader, todo):
    today = datetime.now(UTC).date()
    await todo("Late", due_on=today - timedelta(days=3))
    await todo("Now")
    await todo("Later", due_on=today + timedelta(days=1))
    await todo("Some day", due_on=None)
    await todo("Done", state="done", due_on=None)

    page = await reader.get("/app/today")

    assert heading(page) == "Today"
    assert titles(page) == ["Late", "Now", "Done"]
    assert ">3 days ago</time>" in page.text
    assert "1 of 3 completed" in page.text


async def test_the_other_lists_show_their_todos(reader, todo, save, user):
    today = datetime.now(UTC).date()
    [project] = await save(ProjectFactory(owner_id=user.id, name="Home", color="teal"))
    await todo("Tomorrow", due_on=today + timedelta(days=1))
    await todo("Next year", due_on=today + timedelta(days=400), project_id=project.id)
    await todo("Finished", state="done", due_on=today + timedelta(days=1))

    assert titles(await reader.get("/app/inbox")) == ["Tomorrow"]
    upcoming = await reader.get("/app/upcoming")
    assert titles(upcoming) == ["Tomorrow", "Next year"]
    assert ">Tomorrow, " in upcoming.text
    home = await reader.get(f"/app/projects/{project.id}")
    assert (heading(home), titles(home)) == ("Home", ["Next year"])
    assert '<i class="dot" data-color="teal"></i><span>Home</span><span class="num">1' in home.text


async def test_lists_show_nothing_of_strangers(reader, todo, stranger, save):
    [project] = await save(ProjectFactory(owner_id=stranger.id, name="Theirs"))
    row = await todo("Secret", owner=stranger)

    for path in ("/app/today", "/app/inbox", "/app/upcoming"):
        page = await reader.get(path)
        assert "Secret" not in page.text
        assert "Theirs" not in page.text
    assert (await reader.get(f"/app/projects/{project.id}")).status_code == 404
    for name in ("complete", "reopen"):
        response = await reader.post("/app/todos/act", data={name: row.id})
        assert fault(await follow(reader, response)) == "This task does not exist any more."
    response = await reader.post("/app/todos", data={"text": "Mine", "project_id": project.id})
    assert fault(await follow(reader, response)) == "This project does not exist any more."


@pytest.mark.parametrize("path", ["/app/today", "/app/inbox", "/app/upcoming"])
async def test_a_list_takes_three_statements(reader, todo, statements, path):
    for number in range(5):
        await todo(f"Todo {number}")
    with statements() as sent:
        assert (await reader.get(path)).status_code == 200

    assert len(sent) == STATEMENTS


async def test_an_empty_account_is_told_what_to_write(reader):
    page = await reader.get("/app/today")

    assert "Nothing for today" in page.text
    assert "<progress" not in page.text
    assert "The inbox is empty" in (await reader.get("/app/inbox")).text


async def test_when_all_is_done_it_says_so(reader, todo):
    await todo("Done", state="done")

    assert "All done for today." in (await reader.get("/app/today")).text


async def test_a_row_shows_what_a_todo_has(reader, todo, save, user):
    [project] = await save(ProjectFactory(owner_id=user.id, name="Work"))
    row = await todo("Report", project_id=project.id, priority="urgent", recurrence_rule=None)
    await todo("Part", parent_id=row.id, project_id=project.id, due_on=None, state="done")
    labels = await save(*(LabelFactory(owner_id=user.id, name=f"l{i}") for i in range(5)))
    await save(*(TodoLabel(owner_id=user.id, todo_id=row.id, label_id=each.id) for each in labels))

    page = await reader.get("/app/today")

    assert '<button class="tick urgent" name="complete"' in page.text
    for shown in ("Urgent", "Work", "@l0", "@l2", "+2", "and 2 more labels", "1/1"):
        assert shown in page.text
    assert "@l3" not in page.text


async def test_complete_and_undo(reader, todo, titles_of):
    row = await todo("Bread")
    form = {"complete": row.id, "next": "/app/today"}
    page = await follow(reader, await reader.post("/app/todos/act", data=form))

    assert toast(page) == "Completed: “Bread”"
    assert await titles_of() == [("Bread", "done")]
    assert toast(await reader.get("/app/today")) is None

    page = await undo(reader, page)
    assert toast(page) == "Undone"
    assert f'data-focus="t{row.id}"' in page.text
    assert await titles_of() == [("Bread", "todo")]


async def test_reopen(reader, todo, titles_of):
    row = await todo("Bread", state="done")
    response = await reader.post("/app/todos/act", data={"reopen": row.id})

    assert toast(await follow(reader, response)) == "Reopened: “Bread”"
    assert await titles_of() == [("Bread", "todo")]


async def test_a_second_click_completes_no_second_occurrence(reader, client_todo):
    row = await client_todo({"title": "Run", "recurrence": {"rule": "FREQ=DAILY"}})
    page = await reader.get("/app/today")
    [tick] = re.findall(r'class="tick " name="complete" value="([^"]+)"', page.text)
    assert tick == f"{row['id']}/{row['occurrence_on']}"
    for _ in range(2):
        response = await reader.post("/app/todos/act", data={"complete": tick})
        assert toast(await follow(reader, response)) == "Completed: “Run” · next: tomorrow"

    after = await client_todo(None, row["id"])
    assert date.fromisoformat(after["due_on"]) - date.fromisoformat(row["due_on"]) == timedelta(1)


@pytest.mark.parametrize(
    ("language", "rule", "words"),
    [
        ("en", "FREQ=WEEKLY;BYDAY=MO", "every Monday"),
        ("pt-BR", "FREQ=WEEKLY;BYDAY=MO", "toda segunda"),
        ("en", "FREQ=YEARLY;BYMONTH=1;BYMONTHDAY=1;BYDAY=MO", "repeats"),
    ],
)
async def test_a_row_says_in_words_when_it_comes_back(
    reader, bearer, user, client_todo, language, rule, words
):
    await reader.patch("/users/me", json={"language": language}, headers=bearer(user))
    await client_todo({"title": "Run", "recurrence": {"rule": rule}})

    page = await reader.get("/app/inbox")
    assert re.findall(r"#repeat.*?</svg>(?:<span.*?</span>)?(.*?)</li>", page.text) == [words]


@pytest.fixture
def client_todo(visitor, user, bearer):
    async def client_todo(new, todo_id=None):
        if new is None:
            return (await visitor.get(f"/todos/{todo_id}", headers=bearer(user))).json()
        response = await visitor.post("/todos", json=new, headers=bearer(user))
        assert response.status_code == 201
        return response.json()

    return client_todo


async def test_a_blocked_todo_says_why_it_stays_open(reader, todo, user, bearer):
    first, second = await todo("First"), await todo("Second")
    await reader.put(f"/todos/{first.id}/relations/blocks/{second.id}", headers=bearer(user))
    response = await reader.post("/app/todos/act", data={"complete": second.id})
    page = await follow(reader, response)

    assert fault(page) == "Another task has to be completed first."
    assert toast(page) is None
    assert "waits" in page.text


async def test_overdue_todos_are_moved_to_today(reader, todo, user, sessions):
    today = datetime.now(UTC).date()
    await todo("Late", due_on=today - timedelta(days=3))
    await todo("Later", due_on=today + timedelta(days=3))
    response = await reader.post("/app/todos/act", data={"postpone": "overdue"})
    page = await follow(reader, response)

    assert toast(page) == "Due today: “Late”"
    async with sessions() as session:
        found = await session.scalars(select(Todo.due_on).order_by(Todo.id))
        assert found.all() == [today, today + timedelta(days=3)]


async def test_days_begin_in_the_zone_of_the_account(reader, sessions, todo):
    async with sessions.begin() as session:
        await session.execute(text("UPDATE users SET time_zone = 'Pacific/Kiritimati'"))
    await reader.post("/app/todos", data={"text": "Bread", "list": "today"})

    local = (datetime.now(UTC) + timedelta(hours=14)).date()
    async with sessions() as session:
        assert await session.scalar(select(Todo.due_on)) == local
    assert titles(await reader.get("/app/today")) == ["Bread"]


@pytest.mark.parametrize(
    "form",
    [
        {},
        {"complete": ""},
        {"complete": "x"},
        {"complete": "0"},
        {"complete": str(2**70)},
        {"complete": "1/x"},
        {"complete": "999999/2026-12-04"},
        {"reopen": "-1"},
        {"postpone": "all"},
        {"delete": "1"},
    ],
)
async def test_a_button_that_nobody_has_changes_nothing(reader, todo, titles_of, form):
    await todo("Bread")
    response = await reader.post("/app/todos/act", data=form)

    assert response.headers["location"] == "/app/today"
    assert await titles_of() == [("Bread", "todo")]


@pytest.mark.parametrize("change_set", ["", "x", "00000000-0000-0000-0000-000000000001"])
async def test_there_is_nothing_to_undo(reader, change_set):
    response = await reader.post("/app/undo", data={"change_set": change_set})

    assert fault(await follow(reader, response)) == "There is nothing to undo any more."


@pytest.mark.parametrize("title", NASTY)
async def test_what_a_user_writes_is_text(reader, todo, save, user, title):
    await save(ProjectFactory(owner_id=user.id, name=title))
    row = await todo(title)
    page = await reader.get("/app/today")
    assert titles(page) == [title]
    assert "<img" not in page.text
    assert "<script>" not in page.text
    done = await follow(reader, await reader.post("/app/todos/act", data={"complete": row.id}))
    assert "<script>" not in done.text
    assert (await undo(reader, done)).status_code == 200


async def test_a_long_list_has_pages(reader, save, user):
    await save(
        *(TodoFactory(owner_id=user.id, title=f"Todo {i}", state="todo") for i in range(250))
    )
    first = await reader.get("/app/inbox")
    second = await reader.get(more(first))

    assert (len(titles(first)), len(titles(second))) == (200, 50)
    assert not set(titles(first)) & set(titles(second))
    assert more(second) is None
    assert counts(first) == counts(second) == {"In no project": "250"}


async def test_the_inbox_counts_its_rows(reader, todo):
    parent = await todo("Bread")
    await todo("Flour", parent_id=parent.id)

    assert counts(await reader.get("/app/inbox")) == {"In no project": "1"}


async def test_today_has_pages_in_order_and_counts_them_all(reader, save, user, statements):
    today = datetime.now(UTC).date()
    due = [None, None, *(today - timedelta(days=number % 2) for number in range(430))]
    states = ["done", "done", *("todo" for _ in range(430))]
    await save(
        *(
            TodoFactory(owner_id=user.id, title=f"{number}", state=state, due_on=day)
            for number, (day, state) in enumerate(zip(due, states, strict=True))
        )
    )
    page = await reader.get("/app/today")
    pages = [page]
    while address := more(page):
        with statements() as sent:
            page = await reader.get(address)
        assert len(sent) == STATEMENTS
        pages.append(page)

    assert [len(titles(page)) for page in pages] == [200, 200, 32]
    shown = [int(title) for page in pages for title in titles(page)]
    assert shown[:215] == list(range(3, 432, 2))
    assert shown[215:] == [*range(2, 432, 2), 0, 1]
    assert [counts(page) for page in pages] == [
        {"Overdue": "215"},
        {"Overdue": "215", "For today": "215"},
        {"For today": "215", "Completed": "2"},
    ]
    assert all("2 of 432 completed" in page.text for page in pages)


async def test_a_page_of_today_that_was_emptied_says_so(reader, save, user, sessions):
    today = datetime.now(UTC).date()
    await save(*(TodoFactory(owner_id=user.id, state="todo", due_on=today) for _ in range(201)))
    address = more(await reader.get("/app/today"))
    async with sessions.begin() as session:
        await session.execute(text("DELETE FROM todos WHERE id = (SELECT max(id) FROM todos)"))
    page = await reader.get(address)

    assert "Nothing more here" in page.text
    assert "Back to the start" in page.text
    assert "Nothing for today" not in page.text
    assert "<progress" not in page.text


async def test_what_was_done_today_was_done_after_midnight_of_the_account(reader, todo, sessions):
    zone = ZoneInfo("Pacific/Kiritimati")
    midnight = datetime.now(zone).replace(hour=0, minute=0, second=0, microsecond=0)
    before, at = [await todo(title, state="done", due_on=None) for title in ("Before", "At")]
    async with sessions.begin() as session:
        await session.execute(text("UPDATE users SET time_zone = 'Pacific/Kiritimati'"))
        moved = text("UPDATE todos SET completed_at = :moment WHERE id = :id")
        for row, moment in ((before, midnight - timedelta(microseconds=1)), (at, midnight)):
            await session.execute(moved, {"id": row.id, "moment": moment})
    page = await reader.get("/app/today")

    assert titles(page) == ["At"]
    assert "1 of 1 completed" in page.text


@pytest.mark.parametrize("after", ["x", "AAAAAAAAAAc", "WyJkdWUiLFtdLDFd"])
async def test_a_cursor_of_another_list_is_refused(reader, after):
    assert (await reader.get(f"/app/today?after={after}")).status_code == 422


async def test_a_day_that_goes_on_says_at_least_how_much_it_has(reader, save, user):
    first = datetime.now(UTC).date() + timedelta(days=1)
    days = [first, *(first + timedelta(days=1) for _ in range(200)), first + timedelta(days=2)]
    await save(*(TodoFactory(owner_id=user.id, state="todo", due_on=day) for day in days))
    page = await reader.get("/app/upcoming")

    assert list(counts(page).values()) == ["1", "199+"]
    assert list(counts(await reader.get(more(page))).values()) == ["1+", "1"]


async def test_numbers_are_written_as_the_language_does(reader, save, user, bearer):
    await save(*(TodoFactory(owner_id=user.id, state="todo") for _ in range(1001)))
    assert counts(await reader.get("/app/inbox")) == {"In no project": "1,001"}
    await reader.patch("/users/me", json={"language": "pt-BR"}, headers=bearer(user))
    assert counts(await reader.get("/app/inbox")) == {"Sem projeto": "1.001"}


async def test_times_are_written_as_the_account_wants(reader, todo, sessions):
    moment = datetime.now(UTC).replace(hour=15, minute=5)
    await todo("Call", due_on=None, due_at=moment, time_zone="UTC")

    assert ">15:05</time>" in (await reader.get("/app/today")).text
    async with sessions.begin() as session:
        await session.execute(text("UPDATE users SET clock = 12"))
    assert re.search(r">3:05\sPM</time>", (await reader.get("/app/today")).text)


async def test_changes_of_the_page_are_logged_with_its_session(reader, user, todo, bearer):
    row = await todo("Bread")
    await reader.post("/app/todos/act", data={"complete": row.id})
    activity = await reader.get(f"/todos/{row.id}/activity", headers=bearer(user))

    assert activity.json()["activity"][0]["client"]["kind"] == "session"
