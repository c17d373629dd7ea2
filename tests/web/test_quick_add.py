"""The line at the top: what it understands, where it adds, and that it adds once."""

import asyncio
import re
import secrets
from datetime import UTC, datetime, timedelta
from html import unescape

import pytest
from sqlalchemy import func, select, text

from fast_zero.core import security
from fast_zero.models import Todo
from fast_zero.web import cookies
from fast_zero.web.notices import Notice
from tests.factories import (
    LabelFactory,
    LoginSessionFactory,
    ProjectFactory,
    SectionFactory,
    UserFactory,
)
from tests.web.conftest import NASTY, OWN, fault, follow, titles, undo

NOT_ADDED = "This could not be added. Open the list again, then send it once more."
LISTS = ["/app/today", "/app/inbox", "/app/upcoming"]


def today():
    return datetime.now(UTC).date()


def said(response) -> str:
    """Return the words of the toast, without its elements."""
    [found] = re.findall(r'<div class="toasts".*?<p>(.*?)</p>', response.text, re.DOTALL)
    return unescape(re.sub(r"<[^>]*>", "", found))


def link(response) -> str | None:
    found = re.search(r'<div class="toasts".*?<p>.*?<a href="([^"]+)"', response.text, re.DOTALL)
    return found and unescape(found[1])


def chips(response) -> list[str]:
    found = re.findall(r'<span class="chip[^>]*>(.*?)</span>', response.text, re.DOTALL)
    return [unescape(re.sub(r"<[^>]*>", "", each)) for each in found]


def key_of(page) -> str:
    [key] = re.findall(r'name="key"[^>]* value="([^"]+)"', page.text)
    return key


def line_of(page) -> str:
    [line] = re.findall(r'<input name="text"[^>]* value="([^"]*)"', page.text)
    return unescape(line)


async def add(reader, line, **fields):
    form = {"text": line, "list": "today", "next": "/app/today", **fields}
    return await follow(reader, await reader.post("/app/todos", data=form))


@pytest.fixture
def rows(sessions, user):
    async def rows(*columns):
        async with sessions() as session:
            found = select(*columns).where(Todo.owner_id == user.id).order_by(Todo.id)
            return [tuple(row) for row in await session.execute(found)]

    return rows


@pytest.fixture
def speak(sessions):
    async def speak(language):
        async with sessions.begin() as session:
            await session.execute(text("UPDATE users SET language = :it"), {"it": language})

    return speak


async def test_the_list_says_what_the_line_does_not(reader, rows, save, user):
    [project] = await save(ProjectFactory(owner_id=user.id))
    [label] = await save(LabelFactory(owner_id=user.id, name="errands"))
    for name, more in (
        ("today", {}),
        ("upcoming", {}),
        ("inbox", {}),
        ("project", {"project_id": project.id}),
        ("label", {"label_id": label.id}),
        ("filter", {}),
    ):
        page = await add(reader, "  Bread ", list=name, **more)
        assert said(page).startswith("Added: “Bread”")
        assert (link(page) is None) == (name != "filter")

    assert await rows(Todo.due_on, Todo.project_id) == [
        (today(), None),
        (today() + timedelta(days=1), None),
        (None, None),
        (None, project.id),
        (None, None),
        (None, None),
    ]
    assert titles(await reader.get("/app/search?filter=label:errands")) == ["Bread"]
    assert said(page) == "Added: “Bread” · Inbox Show"
    assert link(page).startswith("/app/inbox?todo=")


async def test_what_the_line_says_counts_more_than_the_list(reader, rows, save, user):
    work, home = await save(
        ProjectFactory(owner_id=user.id, name="Work"),
        ProjectFactory(owner_id=user.id, name="Home", color="teal"),
    )
    page = await add(reader, "Buy bread tomorrow 9am #Home", list="project", project_id=work.id)

    assert said(page) == "Added: “Buy bread” · tomorrow, 09:00 · Home Show"
    [(id_, project_id)] = await rows(Todo.id, Todo.project_id)
    assert project_id == home.id
    assert link(page) == f"/app/projects/{home.id}?todo={id_}"
    assert titles(await reader.get(link(page))) == ["Buy bread"]


async def test_what_is_due_on_another_day_is_named_with_a_link(reader, speak):
    await speak("pt-BR")
    page = await add(reader, "Pão amanhã às 9h")

    assert said(page) == "Adicionada: “Pão” · amanhã, 09:00 Mostrar"
    assert link(page).startswith("/app/upcoming?todo=")
    assert titles(page) == []
    here = await add(reader, "Leite hoje")
    assert said(here) == "Adicionada: “Leite” · hoje"
    assert link(here) is None


async def test_an_addition_is_undone(reader):
    page = await add(reader, "Bread @errands !high")
    assert titles(page) == ["Bread"]
    page = await undo(reader, page)

    assert said(page) == "Undone"
    assert titles(page) == []


async def test_what_is_understood_is_shown_in_its_order(reader, save, user, statements):
    await save(ProjectFactory(owner_id=user.id, name="Home", color="teal"))
    line = "Buy !high bread @errands #Home every 2 weeks starting tomorrow 9am for 30 min"
    with statements() as sent:
        page = await reader.get("/app/quick-add", params={"text": line})

    assert len(sent) == 2
    assert "<strong>Buy bread</strong>" in page.text
    assert 'class="dot" data-color="teal"' in page.text
    tomorrow = today() + timedelta(days=1)
    shown = chips(page)
    assert shown[:4] == ["tomorrow, 09:00", "Home", "errands", "High"]
    assert shown[4] == f"every 2 weeks on {tomorrow:%A}" or shown[4] == "every 2 weeks"
    assert shown[5:] == ["30 min"]
    assert "<html" not in page.text


@pytest.mark.parametrize(
    ("language", "line", "shown"),
    [
        ("en", "Call Ana, remind me 90 min before", ["Reminder 1 h 30 min before"]),
        ("pt-BR", "Ligar, avisar 1 dia antes", ["Lembrete 1 dia antes"]),
        ("en", "Call Ana, remind me 2 days before", ["Reminder 2 days before"]),
        ("pt-BR", "Correr todo dia útil", ["todo dia útil"]),
        ("en", "Bread #nope", ["there is no project #nope"]),
        ("pt-BR", "Pão #nope", ["não há projeto #nope"]),
        ("en", 'Read "Tomorrow" tomorrow', ["tomorrow"]),
        ("en", "Bread", []),
    ],
)
async def test_it_speaks_the_language_of_the_account(reader, speak, language, line, shown):
    await speak(language)
    page = await reader.get("/app/quick-add", params={"text": line})

    assert [chip for chip in chips(page) if chip in shown] == shown
    assert bool(chips(page)) == bool(shown)


async def test_an_unknown_project_stays_in_the_title_and_is_named(reader):
    page = await add(reader, "Bread #nope")

    assert titles(page) == ["Bread #nope"]
    assert said(page) == "Added: “Bread #nope” · there is no project #nope"


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("", "Nothing is left for a title."),
        ("   ", "Nothing is left for a title."),
        ("tomorrow 9am", "Nothing is left for a title."),
        ("a" * 201, "This title is too long."),
        ("a" * 501, "This line is too long."),
        ("a\x00b", "This text cannot be a task."),
    ],
)
async def test_a_line_that_is_no_task_is_refused_and_stays(reader, rows, line, why):
    page = await add(reader, line)

    assert fault(page).startswith(why)
    assert await rows(Todo.id) == []
    stays = line if len(line) <= 500 else f"{line[:499]}…"
    if "\x00" not in line:
        assert line_of(page) == stays
        assert 'id="quick-text"' in page.text
        assert ('aria-invalid="true" autofocus' in page.text) == bool(line)
        asked = await reader.get("/app/quick-add", params={"text": line})
        assert why in asked.text
    assert line_of(await reader.get("/app/today")) == ""


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"project_id": "x"}, "This project does not exist any more."),
        ({"project_id": str(2**70)}, "This project does not exist any more."),
        ({"project_id": "999999"}, "This project does not exist any more."),
        ({"label_id": "x"}, "This label does not exist any more."),
        ({"label_id": "999999"}, "This label does not exist any more."),
        ({"section_id": "0"}, "This section does not exist any more."),
        ({"key": "a b"}, NOT_ADDED),
        (
            {"key": "a" * 256},
            NOT_ADDED,
        ),
    ],
)
async def test_a_form_that_nobody_was_shown_adds_nothing(reader, rows, fields, why):
    page = await add(reader, "Bread", **fields)

    assert fault(page) == why
    assert line_of(page) == "Bread"
    assert await rows(Todo.id) == []


@pytest.mark.parametrize("line", NASTY)
async def test_what_is_typed_is_text(reader, line):
    asked = await reader.get("/app/quick-add", params={"text": line})
    added = await add(reader, line)
    refused = await add(reader, line, project_id="x")

    assert titles(added) == [line]
    assert said(added) == f"Added: “{line}”"
    assert line_of(refused) == line
    for page in (asked, added, refused):
        assert "<script>" not in page.text
        assert "<img" not in page.text


async def test_each_page_has_a_key_of_its_own(reader):
    keys = {key_of(await reader.get(path)) for path in LISTS * 2}

    assert len(keys) == 6


async def test_the_same_key_adds_once_and_gets_the_same_answer(reader, rows):
    page = await reader.get("/app/today")
    form = {"text": "Bread tomorrow", "list": "today", "key": key_of(page), "next": "/app/today"}
    first = await reader.post("/app/todos", data=form)
    notice = first.cookies[cookies.NOTICE]
    again = await reader.post("/app/todos", data=form)

    assert [first.status_code, again.status_code] == [303, 303]
    assert first.headers["location"] == again.headers["location"]
    assert again.cookies[cookies.NOTICE] == notice
    assert await rows(Todo.title) == [("Bread",)]
    assert said(await follow(reader, again)) == "Added: “Bread” · tomorrow Show"


async def test_the_key_may_come_in_the_header(reader, rows):
    for _ in range(2):
        headers = {"Idempotency-Key": '"abc"'}
        form = {"text": "Bread", "key": "ignored"}
        assert (await reader.post("/app/todos", data=form, headers=headers)).status_code == 303

    assert await rows(Todo.title) == [("Bread",)]
    malformed = await reader.post("/app/todos", data=form, headers={"Idempotency-Key": "a b"})
    assert malformed.status_code == 400


async def test_a_key_with_other_words_says_that_the_first_were_added(reader, rows):
    await add(reader, "Bread", key="abc")
    page = await add(reader, "Bread and milk", key="abc")

    assert fault(page).startswith("This was added already")
    assert line_of(page) == "Bread and milk"
    assert key_of(page) != "abc"
    assert await rows(Todo.title) == [("Bread",)]


async def test_a_long_line_with_many_labels_fits(reader, save, user):
    [label] = await save(LabelFactory(owner_id=user.id, name="errands"))
    labels = " ".join(f"@l{number}" for number in range(50))
    page = await add(reader, f"{'é' * 190} {labels}", list="label", label_id=label.id)

    assert said(page).endswith("…")
    assert titles(await reader.get("/app/search?filter=label:errands")) == ["é" * 190]


async def test_a_section_that_does_not_exist_is_named(reader, save, user):
    await save(ProjectFactory(owner_id=user.id, name="Home"))
    page = await reader.get("/app/quick-add", params={"text": "Bread #Home/Nope"})

    assert chips(page) == ["there is no section #Home/Nope"]


async def test_a_section_is_shown_behind_its_project(reader, save, user, rows):
    [project] = await save(ProjectFactory(owner_id=user.id, name="Home"))
    [section] = await save(SectionFactory(owner_id=user.id, project_id=project.id, name="Week"))
    page = await add(reader, "Bread #home/week")
    assert said(page) == "Added: “Bread” · Home / Week"
    page = await add(reader, "Milk", list="project", project_id=project.id, section_id=section.id)

    assert said(page) == "Added: “Milk”"
    assert await rows(Todo.section_id) == [(section.id,), (section.id,)]


async def test_a_line_that_was_refused_does_not_use_up_its_key(reader, rows):
    await add(reader, "Bread", key="abc", project_id="999999")
    await add(reader, "Bread", key="abc")

    assert await rows(Todo.title) == [("Bread",)]


async def test_a_line_that_waited_is_refused_in_the_answer_itself(reader, rows):
    """Behind a redirect, another tab may have shown the notice before."""
    form = {"text": "Bread", "key": "abc", "project_id": "999999"}
    answer = await reader.post("/app/todos", data=form, headers={"X-Waited": "true"})

    assert answer.status_code == 200
    assert fault(answer) == "This project does not exist any more."
    assert "set-cookie" not in answer.headers
    assert await rows(Todo.id) == []


async def test_the_key_of_somebody_else_is_another_one(reader, log_in_page, stranger, rows):
    await add(reader, "Bread", key="abc")
    await log_in_page(stranger)
    page = await add(reader, "Bread", key="abc")

    assert titles(page) == ["Bread"]
    assert len(await rows(Todo.title)) == 1


async def test_ten_at_once_add_one(live, commit, engine):
    [user] = await commit(UserFactory())
    secret = secrets.token_urlsafe(32)
    await commit(
        LoginSessionFactory(
            owner_id=user.id, refresh_digest=None, cookie_digest=security.digest(secret)
        )
    )
    form = {"text": "Bread tomorrow", "list": "today", "key": "abc", "next": "/app/today"}
    headers = OWN | {"Cookie": f"{cookies.SESSION}={secret}"}
    async with live() as client:
        sent = [client.post("/app/todos", data=form, headers=headers) for _ in range(10)]
        answers = await asyncio.gather(*sent)
    async with engine.connect() as other:
        count = await other.scalar(select(func.count()).select_from(Todo))

    assert {answer.status_code for answer in answers} == {303}
    assert len({answer.headers["set-cookie"] for answer in answers}) == 1
    assert count == 1


async def test_asking_needs_a_user_and_leaves_a_notice_for_the_next_page(reader, visitor):
    await reader.post("/app/todos", data={"text": "Bread"})
    await reader.get("/app/quick-add", params={"text": "Milk"})

    assert said(await reader.get("/app/inbox")).startswith("Added: “Bread”")
    visitor.cookies.clear()
    response = await visitor.get("/app/quick-add", params={"text": "Milk"})
    assert response.headers["location"].startswith("/app/login")


@pytest.mark.parametrize("language", ["en", "pt-BR"])
@pytest.mark.parametrize("path", [*LISTS, "project"])
async def test_the_examples_are_understood_and_shown_where_they_stand(
    reader, speak, save, user, language, path
):
    await speak(language)
    [project] = await save(ProjectFactory(owner_id=user.id))
    path = f"/app/projects/{project.id}" if path == "project" else path
    empty = await reader.get(path)
    [example] = re.findall(r'<input name="text"[^>]* placeholder="([^"]+)"', empty.text)
    assert f"<em>{example}</em>" in empty.text
    asked = await reader.get("/app/quick-add", params={"text": unescape(example)})
    assert chips(asked) != []
    [title] = re.findall(r"<strong>(.*?)</strong>", asked.text)
    assert re.fullmatch(r"[\w ]+", title), "a part was not understood"
    assert "9" not in title
    fields = dict(re.findall(r'type="hidden" name="(list|project_id)" value="([^"]+)"', empty.text))
    page = await add(reader, unescape(example), next=path, **fields)
    assert link(page) is None
    assert len(titles(page)) == 1


def test_a_notice_with_a_link_off_the_page_is_not_shown():
    for address in ("https://evil.example", "//evil.example", "/app/../x", "javascript:alert(1)"):
        assert Notice.read(Notice(code="added", link=address).written()) is None
    assert Notice.read(Notice(code="added", link="/app/today?todo=1").written()) is not None
