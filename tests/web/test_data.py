"""Settings: exports, imports of files, and the calendar feed."""

import base64
import io
import json
import logging
import re
import zipfile
from html import unescape
from pathlib import Path

import pytest
from sqlalchemy import func, select, text

from fast_zero.imports import jobs
from fast_zero.models import CalendarFeed, Import, Todo
from fast_zero.web import cookies
from fast_zero.web.pages.accounts import data
from fast_zero.web.presentation import import_messages
from tests.factories import TodoFactory
from tests.imports import conftest as imported
from tests.web.conftest import NASTY, errors, fault, follow, heading, toast

PATH = "/app/settings/data"
IMPORTS = f"{PATH}/imports"
CSV = b"title,due_on\nBread,2026-12-04\nMilk,\n"
CALENDAR = (
    b"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//X//EN\r\nBEGIN:VTODO\r\nUID:1\r\n"
    b"SUMMARY:Call\r\nEND:VTODO\r\nEND:VCALENDAR\r\n"
)
TEMPLATE = b"TYPE,CONTENT,PRIORITY,INDENT,RESPONSIBLE\ntask,Paint,1,1,Ana (7)\n"
BACKUP = json.dumps({"items": [{"id": "1", "content": "Sing"}]}).encode()


@pytest.fixture
def send(reader):
    async def send(content, name="todos.csv", kind="text/csv", **fields):
        return await reader.post(IMPORTS, data=fields, files={"file": (name, content, kind)})

    return send


@pytest.fixture
def import_file(reader, send, do_jobs):
    """Import a file as a browser does; return the page about it when it is done."""

    async def import_file(*given, **fields):
        response = await send(*given, **fields)
        assert response.status_code == 303, errors(response)
        await do_jobs()
        return await reader.get(response.headers["location"])

    return import_file


@pytest.fixture
def todos_of(sessions):
    async def todos_of(user):
        async with sessions() as session:
            mine = select(Todo.title).where(Todo.owner_id == user.id, Todo.deletion_id.is_(None))
            return list(await session.scalars(mine.order_by(Todo.id)))

    return todos_of


def state(page) -> str:
    [found] = re.findall(r'<h2 id="state"[^>]*>(.*?)</h2>', page.text)
    return unescape(found)


async def test_the_page_takes_four_statements(reader, statements, import_file):
    await import_file(CSV)
    with statements() as sent:
        page = await reader.get(PATH)
    assert heading(page) == "Your data"
    assert len(sent) == 4, sent  # session, sidebar, imports, feed


@pytest.mark.parametrize(
    ("name", "kind", "start"),
    [
        ("export.json", "application/json", '{"exported_at"'),
        ("todos.csv", "text/csv; charset=utf-8", "\ufeffkey,title"),
        ("todos.ics", "text/calendar; charset=utf-8", "BEGIN:VCALENDAR"),
    ],
)
async def test_an_export_is_a_file_of_ones_own_data(
    reader, save, user, stranger, name, kind, start
):
    await save(
        TodoFactory(owner_id=user.id, title="Mine, all mine"),
        TodoFactory(owner_id=stranger.id, title="Theirs"),
    )
    response = await reader.get(f"{PATH}/{name}")

    assert response.status_code == 200
    assert response.headers["content-type"] == kind
    assert response.headers["content-disposition"].startswith("attachment; filename=")
    assert response.headers["cache-control"] == "no-store"
    assert response.text.startswith(start)
    assert "Mine" in response.text
    assert "Theirs" not in response.text


@pytest.mark.parametrize(
    ("content", "name", "title"),
    [
        (CSV, "todos.CSV", "Bread"),
        (CALENDAR, "calendar.ics", "Call"),
        (TEMPLATE, "template.csv", "Paint"),
        (BACKUP, "backup.json", "Sing"),
    ],
)
async def test_a_file_is_imported_by_the_ending_of_its_name(
    import_file, todos_of, user, content, name, title
):
    page = await import_file(content, name, "application/vnd.ms-excel")

    assert state(page).startswith("Done: it created ")
    assert title in await todos_of(user)


async def test_a_chosen_format_and_project_hold(import_file, user, sessions):
    page = await import_file(TEMPLATE, "data", "", format="todoist_csv", project="House")

    assert state(page) == "Done: it created 1 task"
    assert "<dd>House</dd>" in page.text
    assert "Line 2 · RESPONSIBLE" in page.text
    assert "Nobody can be assigned: Ana (7)" in page.text


async def test_a_check_writes_nothing(import_file, todos_of, user):
    page = await import_file(CSV, dry_run="yes")

    assert state(page) == "Checked: it would create 2 tasks"
    assert await todos_of(user) == []


async def test_while_it_waits_the_page_comes_back_by_itself(reader, send, do_jobs, todos_of, user):
    response = await send(CSV)
    address = response.headers["location"]
    page = await reader.get(address)
    assert state(page) == "Waiting to begin"
    assert '<noscript><meta http-equiv="refresh" content="3"></noscript>' in page.text
    assert "data-poll" in page.text

    second = await send(CSV)
    assert second.status_code == 409
    assert errors(second) == {"": "Your last import has not ended yet. Wait until it has."}
    await do_jobs()
    page = await reader.get(address)
    assert state(page) == "Done: it created 2 tasks"
    assert "http-equiv" not in page.text
    assert "data-poll" not in page.text
    again = await send(CSV)
    await do_jobs()
    page = await reader.get(again.headers["location"])
    assert state(page) == "Done: it created 0 tasks"
    assert 'they were there already</dt><dd class="num">2</dd>' in page.text
    assert await todos_of(user) == ["Bread", "Milk"]


async def test_progress_is_shown_while_it_runs(reader, send, sessions):
    address = (await send(CSV)).headers["location"]
    async with sessions.begin() as session:
        await session.execute(
            text("UPDATE imports SET status = 'running', total = 200, processed = 50")
        )
    page = await reader.get(address)

    assert state(page) == "Running"
    assert '<progress id="progress" max="200" value="50"></progress>' in page.text
    response = await reader.post(f"{address}/delete")
    assert fault(await follow(reader, response)) == "It is running. Wait until it has ended."


async def test_an_import_is_undone_once(reader, import_file, do_jobs, todos_of, user):
    page = await import_file(CSV)
    address = page.url.path
    page = await follow(reader, await reader.post(f"{address}/undo"))
    assert state(page) == "Being undone"
    assert "data-poll" in page.text

    response = await reader.post(f"{address}/undo")
    assert fault(await follow(reader, response)).startswith("This import cannot be undone")
    await do_jobs()
    page = await reader.get(address)
    assert state(page) == "Undone: what it created is in the trash"
    assert re.search(r'<h2 id="state"[^>]* data-first', page.text)
    assert await todos_of(user) == []
    assert "Undone" in (await reader.get(PATH)).text


async def test_an_import_is_forgotten_or_cancelled(reader, send, do_jobs, todos_of, user, sessions):
    address = (await send(CSV)).headers["location"]
    page = await follow(reader, await reader.post(f"{address}/delete"))

    assert toast(page) == "Removed from the list. What it created stays."
    assert (await reader.get(address)).status_code == 404
    await do_jobs()
    assert await todos_of(user) == []


async def test_mistakes_of_a_file_are_listed_as_text(import_file, todos_of, user):
    lines = "".join(f'"{nasty.replace(chr(34), chr(34) * 2)}",{nasty!r}\n' for nasty in NASTY)
    page = await import_file(b"title,due_on\n" + lines.encode(), '"><script>x.csv')

    assert state(page) == "Failed: nothing was imported"
    assert "Nothing was imported: the file has mistakes. The report says which." in page.text
    assert "Line 2 · due_on" in page.text
    assert await todos_of(user) == []
    assert "<script>" not in page.text
    assert "<img" not in page.text


async def test_what_a_file_names_in_its_columns_is_text(import_file):
    header = "title,<script>alert(1)</script>,%(x)s,%s\nBread,1,2,3\n"
    page = await import_file(header.encode())

    assert state(page) == "Done: it created 1 task"
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page.text
    assert "%(x)s" in page.text
    assert "<script>" not in page.text


async def test_a_percent_sign_in_an_error_is_text(reader, send, sessions):
    address = (await send(CSV)).headers["location"]
    async with sessions.begin() as session:
        await session.execute(
            text("UPDATE imports SET status = 'failed', content = NULL, error = '%(x)s 100% <b>'")
        )
    page = await reader.get(address)

    assert page.status_code == 200
    assert "%(x)s 100% &lt;b&gt;" in page.text


def test_errors_of_the_job_have_translations():
    assert set(data.ERRORS) == {jobs.MISTAKES, jobs.UNREADABLE, jobs.LATE}


async def test_reports_are_in_the_language_of_their_reader(import_file, sessions):
    async with sessions.begin() as session:
        await session.execute(text("UPDATE users SET language = 'pt-BR'"))
    folder = Path(imported.__file__).parent
    for name, said in [
        ("household.csv", "Não é possível atribuir a ninguém:"),
        ("backup.json", "Cores não são importadas:"),
    ]:
        page = await import_file((folder / name).read_bytes(), name)
        assert state(page).startswith("Pronta: criou ")
        assert said in page.text
        assert re.findall(r'lang="en">(.*?)<', page.text) == []


def test_values_in_a_message_stay_as_they_are():
    message = import_messages.translate("Nobody can be assigned: %(x)s: %s <b>", lambda text: text)
    assert message == ("Nobody can be assigned: %(x)s: %s <b>", False)
    told = {"It has to be from %(least)s to %(most)s: %(value)s": "%(value)s|%(most)s|%(least)s"}
    message = import_messages.translate("It has to be from 1 to 4: 5 to 6: 7", told.__getitem__)
    assert message == ("5 to 6: 7|4|1", True)
    assert import_messages.translate("Any %s", lambda text: text).text == "Any %s"


@pytest.mark.parametrize(
    ("content", "name", "fields", "wrong"),
    [
        (b"", "", {}, {"file": data.NO_FILE}),
        (b"", "empty.csv", {}, {"file": data.EMPTY}),
        (CSV, "todos.exe", {}, {"file": data.UNKNOWN}),
        (CSV, "csv", {}, {"file": data.UNKNOWN}),
        (CSV, '"><script>.csv"', {}, {"file": data.UNKNOWN}),
        (CSV, "x.csv", {"format": "exe"}, {"format": data.OTHER_FORMAT}),
        (CSV, "x.csv", {"project": "House"}, {"project": data.PROJECT}),
        (TEMPLATE, "x.csv", {"project": "a" * 101}, {"project": data.PROJECT}),
    ],
)
async def test_what_cannot_be_imported_is_said_beside_its_field(
    send, sessions, content, name, fields, wrong
):
    response = await send(content, name, "", **fields)

    assert response.status_code == 422
    assert errors(response) == wrong
    assert "<script>" not in response.text
    async with sessions() as session:
        assert await session.scalar(select(func.count()).select_from(Import)) == 0


async def test_a_form_without_a_file_says_so(reader):
    part = 'Content-Disposition: form-data; name="file"; filename=""'
    chosen = {  # what browsers send if no file was chosen
        "content": f"--x\r\n{part}\r\n\r\n\r\n--x--\r\n".encode(),
        "headers": {"Content-Type": "multipart/form-data; boundary=x"},
    }
    for body in (chosen, {"data": {"file": "text"}}, {"content": b"x"}, {}):
        response = await reader.post(IMPORTS, **body)
        assert errors(response) == {"file": data.NO_FILE}


async def test_the_addresses_of_forms_lead_back_to_the_page(reader):
    for address in (IMPORTS, f"{PATH}/feed"):
        assert (await reader.get(address)).headers["location"] == PATH


async def test_a_zip_is_not_unpacked(send):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("todos.csv", b"0" * 50_000_000)
    response = await send(packed.getvalue(), "todos.zip", "application/zip")

    assert errors(response) == {"file": data.UNKNOWN}


async def test_a_zip_that_is_called_csv_fails_with_a_reason(import_file):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("todos.csv", CSV)
    page = await import_file(packed.getvalue(), "todos.csv")

    assert state(page) == "Failed: nothing was imported"


async def test_a_file_beyond_the_limit_is_a_page(send, settings, reader):
    response = await send(b"a" * (settings.max_import_bytes + 10 * 2**20))
    assert (response.status_code, heading(response)) == (413, "This is too large")

    async def in_parts():
        yield b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\n'
        for _ in range(settings.max_import_bytes // 2**20 + 1):
            yield b"a" * 2**20

    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    response = await reader.post(IMPORTS, content=in_parts(), headers=headers)
    assert (response.status_code, heading(response)) == (413, "This is too large")
    response = await reader.post(f"{PATH}/feed/delete", content=b"a" * 2**21)
    assert response.status_code in {303, 413}


async def test_a_file_of_somebody_unknown_is_not_read(visitor, settings):
    read = 0

    async def in_parts():
        nonlocal read
        for _ in range(10):
            read += 1
            yield b"a" * 2**20

    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    response = await visitor.post(IMPORTS, content=in_parts(), headers=headers)
    assert response.headers["location"].startswith("/app/login")
    assert read < 10


@pytest.mark.parametrize(
    "form",
    [
        [("file", ("a.csv", CSV)), ("file", ("b.csv", CSV))],
        [("other", ("a.csv", CSV))],
        [(f"f{number}", (None, "x")) for number in range(50)],
        [("project", (None, "x" * 2_000_000))],
    ],
)
async def test_other_forms_are_refused(reader, form, sessions):
    response = await reader.post(IMPORTS, files=form)

    assert 400 <= response.status_code < 500
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    async with sessions() as session:
        assert await session.scalar(select(func.count()).select_from(Import)) == 0


async def test_somebody_elses_import_does_not_exist(
    reader, import_file, log_in_page, stranger, todos_of, user
):
    address = (await import_file(CSV)).url.path
    await log_in_page(stranger)

    assert "Past imports" not in (await reader.get(PATH)).text
    assert (await reader.get(address)).status_code == 404
    for what in ("undo", "delete"):
        assert (await reader.post(f"{address}/{what}")).status_code == 404
    assert await todos_of(user) == ["Bread", "Milk"]
    for bad in ("0", "x", str(2**63)):
        assert (await reader.get(f"{IMPORTS}/{bad}")).status_code in {404, 422}


async def test_the_address_of_a_calendar_is_shown_once_and_works(
    reader, anonymous, save, user, caplog
):
    await save(TodoFactory(owner_id=user.id, title="Call Ana", due_on="2026-12-04", state="todo"))
    caplog.set_level(logging.DEBUG)
    page = await reader.post(f"{PATH}/feed")

    assert page.status_code == 201
    [address] = re.findall(r'value="(http[^"]*/calendars/[^"]*)" readonly', page.text)
    [secret] = re.findall(r"/calendars/(.*)\.ics", address)
    assert page.headers["cache-control"] == "no-store"
    assert secret not in page.headers.get("set-cookie", "")
    assert secret not in caplog.text
    assert "Call Ana" in (await anonymous.get(f"/calendars/{secret}.ics")).text
    page = await reader.get(PATH)
    assert secret not in page.text
    assert "Made: today" in page.text
    assert secret not in (await reader.get(f"{PATH}/export.json")).text

    renewed = await reader.post(f"{PATH}/feed")
    assert secret not in renewed.text
    assert (await anonymous.get(f"/calendars/{secret}.ics")).status_code == 404


async def test_the_calendar_is_removed(reader, sessions, save, stranger):
    await save(CalendarFeed(owner_id=stranger.id, digest=b"theirs"))
    await reader.post(f"{PATH}/feed")
    response = await reader.post(f"{PATH}/feed/delete")
    notice = base64.urlsafe_b64decode(response.cookies[cookies.NOTICE])
    assert json.loads(notice) == {"code": "feed_removed"}
    page = await follow(reader, response)
    assert toast(page) == "The address of your calendar is removed."
    assert "Make an address" in page.text

    response = await reader.post(f"{PATH}/feed/delete")
    page = await follow(reader, response)
    assert fault(page) == "There is no address of your calendar any more."
    async with sessions() as session:
        assert await session.scalar(select(func.count()).select_from(CalendarFeed)) == 1
