"""A todo beside its list: its form, and two tabs at once."""

import asyncio
import re
import secrets
from collections import Counter
from datetime import UTC, date, datetime
from html import unescape

import pytest
from sqlalchemy import text

from fast_zero.core import security
from fast_zero.web import cookies
from fast_zero.web.pages.todos.panel import BELOW
from tests.factories import (
    LoginSessionFactory,
    ProjectFactory,
    SectionFactory,
    TodoFactory,
    UserFactory,
)
from tests.web.conftest import (
    HOST,
    OWN,
    errors,
    fault,
    follow,
    heading,
    titles,
    toast,
)

LIST_AND_PANEL = 7
RECURRING = 2
NASTY = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "</textarea><script>alert(1)</script>",
    "{{ 7 * 7 }}",
    "{% raw %}",
    "%(title)s",
    "%s %d",
    "\u202eabc",
    "&amp;&lt;",
    "'",
    '" onfocus="alert(1)',
    "</title><b>",
    "javascript:alert(1)",
    "<!-- x",
    "]]>",
    "\\u003cscript\\u003e",
    "a\u2028b",
    "\U0001f469\u200d\U0001f680",
    "x" * 50,
    "#41 @a !1",
]


def fields_of(page) -> dict[str, str]:
    """Return what a browser would send of the form of the todo as it is shown."""
    found = {}
    [form] = re.findall(r'<form id="todo".*?</form>', page.text, re.DOTALL)
    rest = re.findall(r'<(?:input|select)[^>]*form="todo".*?(?:>|</select>)', page.text, re.DOTALL)
    for part in [form, *rest]:
        for tag in re.findall(r"<input[^>]*>", part):
            name = re.search(r'name="([^"]+)"', tag)[1]
            value = re.search(r'value="([^"]*)"', tag)
            if 'type="radio"' not in tag or " checked" in tag:
                found[name] = unescape(value[1]) if value else ""
        for name, value in re.findall(
            r'<textarea[^>]*name="(\w+)"[^>]*>\n(.*?)</textarea>', part, re.DOTALL
        ):
            found[name] = re.sub("\r?\n", "\r\n", unescape(value))
    for name, options in re.findall(
        r'<select[^>]*name="(place|state|share)"[^>]*>(.*?)</select>', page.text, re.DOTALL
    ):
        chosen = re.search(r'<option value="([^"]*)" selected', options)
        found[name] = chosen[1] if chosen else ""
    return found


@pytest.fixture
def save_form(reader):
    """Send the form of a todo with some of its fields changed."""

    async def save_form(todo_id, page=None, **changes):
        page = page or await reader.get(f"/app/inbox?todo={todo_id}")
        form = {**fields_of(page), **changes}
        return await reader.post(f"/app/todos/{todo_id}", data=form)

    return save_form


async def test_the_address_of_a_list_opens_a_todo_beside_it(reader, user, todo):
    row = await todo("Bread", description="The **dark** one", priority="high")
    await todo("Milk")
    page = await reader.get(f"/app/today?todo={row.id}")

    assert heading(page) == "Task"
    assert titles(page) == ["Bread", "Milk"]
    assert "<strong>dark</strong>" in page.text
    today = datetime.now(UTC).date().isoformat()
    assert fields_of(page) == {
        "account": str(user.id),
        "next": f"/app/today?todo={row.id}",
        "version": "1",
        "title": "Bread",
        "description": "The **dark** one",
        "due_on": today,
        "due_time": "",
        "recurrence": "",
        "priority": "high",
        "place": "",
        "labels": "",
        "starts_on": "",
        "deadline_on": "",
        "duration_minutes": "",
        "state": "todo",
        "share": "",
    }


async def test_a_form_that_is_sent_as_it_is_shown_changes_nothing(
    reader, api, save_form, stored_todo
):
    row = await api(
        "POST",
        "/todos",
        json={
            "title": "Ship  it",
            "description": "One\n\n  two\r\nthree",
            "due_at": "2027-03-04T10:11:12.5Z",
            "time_zone": "Asia/Tokyo",
            "recurrence": {"rule": "FREQ=MONTHLY;BYDAY=2FR,3MO"},
            "labels": ["b", 'a, "c"', "É"],
            "reminders": [{"minutes_before": 30}],
            "duration_minutes": 45,
            "starts_on": "2027-03-01",
        },
    )
    before = await stored_todo(row["id"])
    page = await follow(reader, await save_form(row["id"]))

    after = await stored_todo(row["id"])
    assert toast(page) == "Saved: “Ship  it”"
    assert (after.version, after.due_at, after.time_zone) == (
        before.version,
        before.due_at,
        "Asia/Tokyo",
    )


async def test_all_fields_are_saved_at_once_and_can_be_undone(
    reader, todo, save_form, stored_todo, api
):
    row = await todo("Bread")
    answer = await save_form(
        row.id,
        title="  Buy\r\nbread ",
        description="One\r\ntwo",
        due_on="2027-05-06",
        due_time="14:30",
        recurrence="every Thursday",
        priority="urgent",
        labels="home, @errands, Home",
        starts_on="2027-05-01",
        deadline_on="2027-05-09",
        duration_minutes="45",
        state="doing",
        share="off",
    )
    assert answer.headers["location"] == f"/app/inbox?todo={row.id}"
    page = await follow(reader, answer)

    assert toast(page) == "Saved: “Buy bread”"
    saved = await api("GET", f"/todos/{row.id}")
    assert saved["description"] == "One\ntwo"
    assert saved["due_at"] == "2027-05-06T14:30:00Z"
    assert saved["recurrence"]["rule"] == "FREQ=WEEKLY;BYDAY=TH"
    assert saved["labels"] == ["@errands", "home"]
    assert saved["duration_minutes"] == 45
    assert (saved["state"], saved["share"], saved["priority"]) == ("doing", "off", "urgent")
    assert (saved["starts_on"], saved["deadline_on"]) == ("2027-05-01", "2027-05-09")
    assert "Next:" in page.text

    [*_, change_set] = re.findall(r'name="change_set" value="([\w-]+)"', page.text)
    form = {"change_set": change_set, "next": "/app/today"}
    assert toast(await follow(reader, await reader.post("/app/undo", data=form))) == "Undone"
    assert (await stored_todo(row.id)).title == "Bread"


async def test_days_and_times_are_removed_again(todo, save_form, stored_todo):
    row = await todo("Bread", due_on=None, due_at=datetime(2027, 5, 6, tzinfo=UTC), time_zone="UTC")

    await save_form(row.id, due_time="")
    assert (await stored_todo(row.id)).due_on == date(2027, 5, 6)
    await save_form(row.id, due_on="")
    assert (await stored_todo(row.id)).due_on is None
    await save_form(row.id, due_on="2027-05-06", due_time="08:00")
    await save_form(row.id, due_on="", due_time="")
    after = await stored_todo(row.id)
    assert (after.due_on, after.due_at) == (None, None)


async def test_times_are_those_of_the_account(reader, todo, save_form, stored_todo, sessions):
    async with sessions.begin() as session:
        await session.execute(text("UPDATE users SET time_zone = 'America/Sao_Paulo'"))
    row = await todo("Bread")
    await save_form(row.id, due_on="2027-05-06", due_time="09:00")

    after = await stored_todo(row.id)
    assert after.due_at == datetime(2027, 5, 6, 12, tzinfo=UTC)
    assert after.time_zone == "America/Sao_Paulo"
    assert fields_of(await reader.get(f"/app/inbox?todo={row.id}"))["due_time"] == "09:00"


@pytest.mark.parametrize(
    ("language", "words", "rule", "counted_from", "again"),
    [
        (
            "en",
            "every 2nd Friday",
            "FREQ=MONTHLY;BYDAY=2FR",
            "due",
            "every month on the second Friday",
        ),
        ("pt-BR", "toda quinta-feira", "FREQ=WEEKLY;BYDAY=TH", "due", "toda quinta"),
        (
            "pt-BR",
            "a cada 3 dias após a conclusão",
            "FREQ=DAILY;INTERVAL=3",
            "completion",
            "a cada 3 dias após concluir",
        ),
        ("en", "FREQ=YEARLY;BYMONTH=2;BYDAY=-1SU", None, "due", None),
    ],
)
async def test_a_repetition_is_written_and_shown_in_words(
    reader, todo, save_form, api, sessions, language, words, rule, counted_from, again
):
    async with sessions.begin() as session:
        await session.execute(text("UPDATE users SET language = :language"), {"language": language})
    row = await todo("Run")
    assert (await save_form(row.id, recurrence=words)).status_code == 303

    recurrence = (await api("GET", f"/todos/{row.id}"))["recurrence"]
    shown = fields_of(await reader.get(f"/app/inbox?todo={row.id}"))["recurrence"]
    assert recurrence["from"] == counted_from
    if rule:
        assert (recurrence["rule"], shown) == (rule, again)
    assert (await save_form(row.id, recurrence="")).status_code == 303
    assert (await api("GET", f"/todos/{row.id}"))["recurrence"] is None


@pytest.mark.parametrize(
    ("typed", "words", "rest"),
    [
        (
            {"text": "every Friday", "due_on": "2100-01-01"},
            "every Friday",
            "Next: Jan 8, 2100, Jan 15, 2100, Jan 22, 2100",
        ),
        (
            {"text": "every day", "due_on": "2100-01-01", "due_time": "23:30"},
            "every day",
            "Next: Jan 2, 2100, Jan 3, 2100, Jan 4, 2100",
        ),
        ({"text": " every 2 days "}, "every 2 days", "Next: today, "),
        (
            {"text": "freq=yearly;bymonth=2;byday=-1su", "due_on": "2099-01-01"},
            "every year on the last Sunday of February",
            "Next: Feb 22, 2099, Feb 28, 2100, Feb 27, 2101",
        ),
        (
            {"text": "FREQ=YEARLY;BYMONTH=1;BYMONTHDAY=1;BYDAY=MO"},
            "FREQ=YEARLY;BYDAY=MO;BYMONTHDAY=1;BYMONTH=1",
            "Next: Jan 1, ",
        ),
        (
            {"text": "every 3 days after completion"},
            "every 3 days after completion",
            "The next day is counted from when you complete it.",
        ),
        (
            {"text": "every day until 2 January 2100", "due_on": "2100-01-02"},
            "every day until January 2, 2100",
            "This is the last time.",
        ),
    ],
)
async def test_a_repetition_is_shown_while_it_is_written(reader, statements, typed, words, rest):
    with statements() as sent:
        page = await reader.get("/app/recurrence", params=typed)

    assert len(sent) == 1
    assert re.findall(r'class="chip">.*?</svg>(.*?)</span>', page.text) == [words]
    shown = re.sub("<[^>]+>", "", page.text.partition("</span>")[2]).strip()
    assert shown.startswith(rest)


@pytest.mark.parametrize(
    ("typed", "fault"),
    [
        ({"text": "every bread"}, "This is not understood."),
        ({"text": "every Friday at 9"}, "This is not understood."),
        ({}, "This is not understood."),
        ({"text": "\0"}, "This is not understood."),
        ({"text": "FREQ=DAILY;COUNT=0"}, "This is not understood."),
        ({"text": "every day", "due_on": "x"}, "There is no such day"),
        ({"text": "every day", "due_on": "0001-01-01"}, "There is no such day"),
        (
            {"text": "every day", "due_on": "2100-01-01", "due_time": "25:00"},
            "There is no such day",
        ),
        (
            {"text": "every day until 1 January 2027", "due_on": "2028-01-01"},
            "There is no such day",
        ),
    ],
)
async def test_a_repetition_that_is_not_understood_yet_says_so(reader, typed, fault):
    page = await reader.get("/app/recurrence", params=typed)

    assert page.text.strip().startswith(fault)


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("title", "", "Write a title"),
        ("title", "a" * 201, "Write a title"),
        ("title", "a\x00", "Write a title"),
        ("description", "a" * 20_001, "Notes have up to"),
        ("due_on", "2027-02-30", "There is no such day"),
        ("due_on", "1066-10-14", "There is no such day"),
        ("due_on", "x", "There is no such day"),
        ("due_time", "25:00", "There is no such time"),
        ("recurrence", "every bread", "This is not understood"),
        ("recurrence", "every Friday bread", "This is not understood"),
        ("recurrence", "every Friday at 9", "This is not understood"),
        ("recurrence", "tomorrow", "This is not understood"),
        ("recurrence", "every day #home", "This is not understood"),
        ("recurrence", "FREQ=SECONDLY", "This is not understood"),
        ("recurrence", "every " * 200, "This is not understood"),
        ("labels", "a" * 51, "A task has up to 50"),
        ("labels", ",".join(map(str, range(51))), "A task has up to 50"),
        ("labels", "a," * 3000, "A task has up to 50"),
        ("labels", "\x00", "A task has up to 50"),
        ("priority", "x", "This does not fit"),
        ("state", "x", "This does not fit"),
        ("share", "x", "This does not fit"),
        ("place", "x", "This does not fit"),
        ("place", "p999999", "This project is gone"),
        ("place", "s999999", "This section is gone"),
        ("starts_on", "9999-12-31", "There is no such day"),
        ("deadline_on", "x", "There is no such day"),
        ("duration_minutes", "0", "Write whole minutes"),
        ("duration_minutes", "1.5", "Write whole minutes"),
        ("duration_minutes", "9" * 5000, "Write whole minutes"),
    ],
)
async def test_what_is_wrong_is_said_beside_its_field_and_stays(
    todo, save_form, stored_todo, field, value, said
):
    row = await todo("Bread")
    answer = await save_form(row.id, **{field: value, "description": "kept"} | {field: value})

    assert answer.status_code == 422
    assert list(errors(answer)) == [field]
    assert errors(answer)[field].startswith(said)
    assert "data-unsaved" in answer.text
    if field not in {"title", "labels", "description", "duration_minutes"} or "\x00" not in value:
        assert field == "description" or "kept" in answer.text
    assert (await stored_todo(row.id)).version == 1


async def test_a_time_needs_a_day_and_a_repetition_one_too(reader, todo, save_form):
    row = await todo("Bread")
    answer = await save_form(row.id, due_on="", due_time="09:00")
    assert errors(answer) == {"due_on": "Choose a day as well, or leave out the time."}
    await save_form(row.id, recurrence="every day")
    answer = await save_form(row.id, due_on="")
    assert errors(answer)["due_on"].startswith("A task that repeats needs a day.")
    answer = await save_form(
        row.id, recurrence="every day until 1 January 2027", due_on="2028-01-01"
    )
    assert answer.status_code == 422
    assert len(errors(answer)) == 1


async def test_a_todo_moves_to_a_project_and_a_section(
    reader, todo, save_form, stored_todo, save, user
):
    [home] = await save(ProjectFactory(owner_id=user.id, name="Home"))
    [below] = await save(ProjectFactory(owner_id=user.id, name="Kitchen", parent_id=home.id))
    [section] = await save(SectionFactory(owner_id=user.id, project_id=below.id, name="Walls"))
    row = await todo("Bread")
    page = await reader.get(f"/app/inbox?todo={row.id}")
    assert f">{BELOW.join(['Home', 'Kitchen', 'Walls'])}</option>" in page.text

    await save_form(row.id, place=f"s{section.id}", title="Paint")
    after = await stored_todo(row.id)
    assert (after.project_id, after.section_id, after.title) == (below.id, section.id, "Paint")
    await save_form(row.id, place=f"p{home.id}")
    after = await stored_todo(row.id)
    assert (after.project_id, after.section_id) == (home.id, None)
    await save_form(row.id, place="")
    assert (await stored_todo(row.id)).project_id is None


async def test_the_place_of_a_stranger_does_not_exist(todo, save_form, save, stranger):
    [theirs] = await save(ProjectFactory(owner_id=stranger.id, name="Theirs"))
    row = await todo("Bread")
    answer = await save_form(row.id, place=f"p{theirs.id}", title="Other")

    assert list(errors(answer)) == ["place"]


async def test_the_todo_of_a_stranger_does_not_exist(reader, todo, stranger, stored_todo):
    row = await todo("Secret", owner=stranger)
    mine = await todo("Mine")
    for path in (f"/app/today?todo={row.id}", f"/app/todos/{row.id}", "/app/today?todo=999999"):
        page = await reader.get(path, follow_redirects=True)
        assert (page.status_code, heading(page)) == (404, "There is nothing here")
        assert "Secret" not in page.text
    answer = await reader.post(f"/app/todos/{row.id}", data={"title": "x", "version": "1"})
    assert answer.status_code == 404
    for path, form in {
        "subtasks": {"text": "Sub"},
        "reminders": {"minutes_before": "5"},
        "snooze": {"minutes": "5"},
        "occurrences": {"skip": "2027-01-01"},
        "relations": {"kind": "blocks", "other_id": str(mine.id)},
    }.items():
        data = {"next": "/app/inbox", **form}
        page = await follow(reader, await reader.post(f"/app/todos/{row.id}/{path}", data=data))
        assert fault(page), path
        assert "Secret" not in page.text
    for other in (str(row.id), "Secret"):
        form = {"kind": "blocks", "other": other}
        page = await reader.post(f"/app/todos/{mine.id}/relations", data=form)
        assert list(errors(page)) == ["other"]
        assert ">Secret<" not in page.text
    assert (await stored_todo(row.id)).version == 1


async def test_two_tabs_cannot_overwrite_one_another(reader, todo, save_form, stored_todo):
    row = await todo("Send the report", priority="high")
    first, second = [await reader.get(f"/app/today?todo={row.id}") for _ in range(2)]
    await save_form(row.id, first, title="Send the report until ten")
    answer = await save_form(row.id, second, title="Send the report with files", priority="urgent")

    assert answer.status_code == 412
    assert (await stored_todo(row.id)).title == "Send the report until ten"
    assert "This task was changed elsewhere" in answer.text
    assert "<mark>until ten</mark>" in answer.text
    assert "<mark>with files</mark>" in answer.text
    assert "<mark>Urgent</mark>" in answer.text
    shown = fields_of(answer)
    assert (shown["title"], shown["priority"]) == ("Send the report with files", "urgent")
    assert shown["version"] == "1"
    again = await reader.post(f"/app/todos/{row.id}", data=shown)
    assert again.status_code == 412

    kept = await reader.post(f"/app/todos/{row.id}", data={**shown, "keep": "theirs"})
    page = await follow(reader, kept)
    assert fields_of(page)["title"] == "Send the report until ten"

    [version] = re.findall(r'name="keep" value="(\d+)"', answer.text)
    await follow(reader, await reader.post(f"/app/todos/{row.id}", data={**shown, "keep": version}))
    after = await stored_todo(row.id)
    assert (after.title, after.priority) == ("Send the report with files", "urgent")

    third = await reader.post(f"/app/todos/{row.id}", data={**shown, "title": "x", "keep": version})
    assert third.status_code == 412


async def test_a_version_that_nobody_has_is_a_conflict(todo, save_form, stored_todo):
    row = await todo("Bread")
    for version in ("", "x", "0", "2", "-1", "9" * 5000, "1 "):
        answer = await save_form(row.id, title="Other", version=version)
        assert answer.status_code == 412, version
    assert (await stored_todo(row.id)).title == "Bread"


async def test_what_was_deleted_meanwhile_is_not_saved(reader, todo, save_form, api):
    row = await todo("Bread")
    page = await reader.get(f"/app/today?todo={row.id}")
    await api("DELETE", f"/todos/{row.id}")
    answer = await save_form(row.id, page, title="Other")

    assert (answer.status_code, heading(answer)) == (404, "There is nothing here")


async def test_a_clash_in_each_field_shows_both_values(reader, todo, save_form, save, user):
    [home] = await save(ProjectFactory(owner_id=user.id, name="Home"))
    row = await todo("Bread")
    page = await reader.get(f"/app/today?todo={row.id}")
    await save_form(row.id, place=f"p{home.id}", state="doing", share="public", labels="a")
    answer = await save_form(row.id, page, description="Mine", share="bad", state="draft")

    shown = re.findall(r"<dt>(.*?)</dt>", answer.text)
    assert shown[: len(shown) // 2] == [
        "Notes",
        "Project",
        "Labels",
        "State",
        "Who sees it once it is done",
    ]
    for each in ("Home", "Inbox", "In progress", "Draft", "Everybody"):
        assert f"<mark>{each}</mark>" in answer.text


@pytest.mark.parametrize("nasty", NASTY)
async def test_what_a_user_writes_is_text(reader, todo, save_form, stored_todo, nasty):
    row = await todo("Bread")
    answer = await save_form(
        row.id, title=nasty, description=nasty, labels=f'"{nasty}"' if '"' not in nasty else "x"
    )
    page = await follow(reader, answer)

    assert (await stored_todo(row.id)).title == " ".join(nasty.split())
    shown = fields_of(page)
    assert shown["description"].replace("\r\n", "\n") == nasty
    clash = await save_form(row.id, page, title=f"{nasty} 2", version="99")
    wrong = await save_form(row.id, page, title=f"{nasty} 3", due_on=nasty)
    for each in (page, clash, wrong):
        assert "<img" not in each.text
        assert each.text.count("<script") == each.text.count('<script type="module"')
        assert not re.search(r"<[^>]*\son\w+=", re.sub(r'"[^"]*"', '""', each.text))
    assert (clash.status_code, wrong.status_code) == (412, 422)


async def test_links_in_notes_lead_to_the_web_only(reader, todo):
    row = await todo(
        "Bread",
        description="[a](javascript:alert(1)) [b](data:text/html,x) [c](vbscript:x) "
        "[d](https://example.com/) <b>e</b> ![f](javascript:x)",
    )
    page = await reader.get(f"/app/today?todo={row.id}")
    [notes] = re.findall(r'<div class="prose">(.*?)</div>', page.text, re.DOTALL)

    assert re.findall(r'href="([^"]*)"', notes) == ["https://example.com/"]
    assert 'rel="noopener nofollow"' in notes
    assert "<b>" not in notes
    assert "<img" not in notes


async def test_a_todo_has_an_address_of_its_own(reader, todo, save, user):
    [home] = await save(ProjectFactory(owner_id=user.id, name="Home"))
    row = await todo("Bread", project_id=home.id)
    page = await follow(reader, await reader.get(f"/app/todos/{row.id}"))

    assert heading(page) == "Task in Home"
    assert fields_of(page)["next"] == f"/app/projects/{home.id}?todo={row.id}"
    assert f'href="/app/projects/{home.id}#t{row.id}"' in page.text


async def test_a_finished_todo_says_so(reader, todo):
    row = await todo("Bread", state="done")
    page = await reader.get(f"/app/today?todo={row.id}")
    assert 'aria-label="Reopen this task"' in page.text
    assert 'class="state-done"' in page.text
    page = await reader.get(f"/app/today?todo={(await todo('Old', state='trash')).id}")
    assert "Discarded</li>" in page.text


async def test_a_list_with_a_todo_takes_few_statements(reader, todo, api, statements):
    row = await todo("Report")
    for number in range(5):
        await todo(f"Part {number}", parent_id=row.id)
    with statements() as sent:
        await reader.get(f"/app/today?todo={row.id}")
    assert len(sent) == LIST_AND_PANEL

    await api("PATCH", f"/todos/{row.id}", json={"recurrence": {"rule": "FREQ=DAILY"}})
    with statements() as sent:
        await reader.get(f"/app/today?todo={row.id}")
    assert len(sent) == LIST_AND_PANEL + RECURRING


async def test_of_several_forms_at_once_one_is_saved(live, commit):
    [user] = await commit(UserFactory())
    [row] = await commit(TodoFactory(owner_id=user.id, title="Bread", state="todo"))
    secret = secrets.token_urlsafe(32)
    digest = security.digest(secret)
    await commit(LoginSessionFactory(owner_id=user.id, refresh_digest=None, cookie_digest=digest))
    async with live() as client:
        client.headers.update(OWN)
        client.cookies.set(cookies.SESSION, secret, domain=HOST, path="/")
        address = f"/app/inbox?todo={row.id}"
        form = fields_of(await client.get(address))
        answers = await asyncio.gather(
            *(
                client.post(f"/app/todos/{row.id}", data={**form, "title": f"T{number}"})
                for number in range(20)
            )
        )
        kept = fields_of(await client.get(address))

    assert Counter(answer.status_code for answer in answers) == {303: 1, 412: 19}
    assert kept["version"] == "2"
    assert {re.findall("<mark>(T[0-9]+)", each.text)[0] for each in answers if each.text} == {
        kept["title"]
    }


async def test_without_changes_there_is_nothing_to_undo(reader, todo, save_form):
    page = await follow(reader, await save_form((await todo("Bread")).id))

    assert toast(page) == "Saved: “Bread”"
    assert 'name="change_set"' not in page.text
