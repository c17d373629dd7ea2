"""A todo beside its list: subtasks, reminders, relations, occurrences, the trash."""

import re
from datetime import UTC, datetime, timedelta
from html import unescape

import pytest

from tests.web.conftest import (
    errors,
    fault,
    follow,
    heading,
    toast,
)


async def test_subtasks_are_added_ticked_and_opened(reader, todo, stored_todo):
    row = await todo("Report")
    address = f"/app/today?todo={row.id}"
    form = {"text": "Numbers", "next": address}
    page = await follow(reader, await reader.post(f"/app/todos/{row.id}/subtasks", data=form))
    assert toast(page) == "Added: “Numbers”"
    assert "0 of 1" in page.text
    [number] = re.findall(r'<li id="s(\d+)">', page.text)

    tick = {"complete": number, "next": address}
    page = await follow(reader, await reader.post("/app/todos/act", data=tick))
    assert "1 of 1" in page.text
    assert 'aria-label="Reopen: Numbers"' in page.text
    assert f'href="/app/today?todo={number}"' in page.text
    page = await reader.get(f"/app/today?todo={number}")
    assert heading(page) == "Subtask"
    assert ">Report</a>" in page.text
    assert 'id="place"' not in page.text
    assert (await stored_todo(int(number))).parent_id == row.id

    for text_ in ("", "a" * 201, "\x00"):
        answer = await reader.post(f"/app/todos/{row.id}/subtasks", data={"text": text_})
        assert (
            fault(await follow(reader, answer))
            == "This was not understood. Check it, and try again."
        )


async def test_reminders_are_added_and_removed(reader, todo, stored_todo):
    row = await todo(
        "Call", due_on=None, due_at=datetime(2030, 5, 6, 9, tzinfo=UTC), time_zone="UTC"
    )
    path, address = f"/app/todos/{row.id}/reminders", f"/app/inbox?todo={row.id}"
    for form in ({"minutes_before": "30"}, {"at": "2030-05-06T07:00"}):
        page = await follow(reader, await reader.post(path, data={**form, "next": address}))
        assert toast(page) == "Saved: “Call”"
    assert (await stored_todo(row.id)).reminders == [
        {"minutes_before": 30},
        {"at": "2030-05-06T07:00:00Z"},
    ]
    assert "30 minutes before</span>" in page.text
    page = await follow(
        reader,
        await reader.post(f"/app/todos/{row.id}/snooze", data={"minutes": "60", "next": address}),
    )
    assert toast(page) == "Snoozed: “Call”"
    assert "Snoozed until" in page.text
    for value in re.findall(r'name="remove" value="([^"]*)"', page.text):
        await reader.post(path, data={"remove": unescape(value), "next": address})
    assert (await stored_todo(row.id)).reminders is None


@pytest.mark.parametrize(
    ("path", "form"),
    [
        ("reminders", {}),
        ("reminders", {"minutes_before": "x"}),
        ("reminders", {"minutes_before": "-1"}),
        ("reminders", {"at": "x"}),
        ("reminders", {"at": "0001-01-01T00:00"}),
        ("reminders", {"at": "9999-12-31T23:59"}),
        ("reminders", {"remove": "x"}),
        ("reminders", {"remove": "{}"}),
        ("snooze", {}),
        ("snooze", {"minutes": "0"}),
        ("occurrences", {}),
        ("occurrences", {"skip": "x"}),
        ("occurrences", {"skip": "2027-01-01"}),
        ("occurrences", {"take_back": "2027-01-01"}),
        ("relations", {"remove": "x"}),
        ("relations", {"remove": "blocks/x"}),
        ("relations", {"remove": "blocks/999999"}),
    ],
)
async def test_what_makes_no_sense_changes_nothing(reader, todo, stored_todo, path, form):
    row = await todo("Bread")
    page = await follow(reader, await reader.post(f"/app/todos/{row.id}/{path}", data=form))

    assert fault(page)
    assert (await stored_todo(row.id)).version == 1


async def test_relations_are_found_by_title_or_number(reader, todo, api):
    row, other = await todo("Invoice"), await todo("Send the report")
    await todo("Write the report")
    path = f"/app/todos/{row.id}/relations"

    async def relate(**form):
        form = {"kind": "blocked_by", "next": f"/app/today?todo={row.id}", **form}
        return await reader.post(path, data=form)

    answer = await relate(other="the report")
    assert errors(answer) == {
        "other": "Several tasks have this in their title. Choose one of them."
    }
    assert re.findall(r'name="other_id" value="(\d+)"', answer.text) == [
        str(other.id),
        str(other.id + 1),
    ]
    for wrong in ("nothing", "", "%", "999999", "\u0301", "a\x00", "9" * 30):
        assert list(errors(await relate(other=wrong))) == ["other"], wrong
    assert errors(await relate(other=f"#{row.id}"))["other"].startswith("A task cannot be related")

    page = await follow(reader, await relate(other="send THE"))
    assert "Waits for <a" in page.text
    assert "Waits for another task" in page.text
    assert fault(await follow(reader, await relate(kind="blocks", other=str(other.id)))).startswith(
        "These tasks would wait"
    )
    assert fault(await follow(reader, await relate(kind="x", other=str(other.id))))
    page = await follow(reader, await relate(remove=f"blocked_by/{other.id}"))
    assert (await api("GET", f"/todos/{row.id}/relations"))["relations"] == []


async def test_what_was_done_and_skipped_is_shown_and_taken_back(reader, api):
    today = datetime.now(UTC).date()
    row = await api(
        "POST",
        "/todos",
        json={"title": "Run", "due_on": today.isoformat(), "recurrence": {"rule": "FREQ=DAILY"}},
    )
    address = f"/app/today?todo={row['id']}"
    path = f"/app/todos/{row['id']}/occurrences"
    page = await reader.get(address)
    assert len(re.findall(r'hint">Next:.*?</p>', page.text)[0].split("<time")) == 4
    tick = re.search(r'id="big-tick"[^>]*value="([^"]+)"', page.text)[1]
    await reader.post("/app/todos/act", data={"complete": tick})
    page = await reader.get(address)
    assert 'state-done">' in page.text

    [skip] = re.findall(r'name="skip" value="([^"]+)"', page.text)
    assert skip == (today + timedelta(days=1)).isoformat()
    page = await follow(reader, await reader.post(path, data={"skip": skip, "next": address}))
    assert toast(page) == "Skipped: “Run”"
    again = await follow(reader, await reader.post(path, data={"skip": skip, "next": address}))
    assert (await api("GET", f"/todos/{row['id']}"))["due_on"] == (
        today + timedelta(days=2)
    ).isoformat()

    assert re.findall(r'name="take_back" value="([^"]+)"', again.text) == [skip]
    wrong = await reader.post(path, data={"take_back": today.isoformat(), "next": address})
    assert fault(await follow(reader, wrong)) == "Only the newest time can be taken back."
    page = await follow(reader, await reader.post(path, data={"take_back": skip, "next": address}))
    assert toast(page) == "Taken back: “Run”"
    assert (await api("GET", f"/todos/{row['id']}"))["due_on"] == skip


async def test_a_todo_in_the_trash_is_restored(reader, todo, api):
    row = await todo("Bread")
    await api("DELETE", f"/todos/{row.id}")
    address = f"/app/today?todo={row.id}"
    page = await reader.get(address)
    assert heading(page) == "In the trash"
    assert "<h2>Bread</h2>" in page.text
    page = await follow(reader, await reader.get(f"/app/todos/{row.id}"))
    assert heading(page) == "In the trash"

    path = f"/app/todos/{row.id}/restore"
    page = await follow(reader, await reader.post(path, data={"next": address}))
    assert (heading(page), toast(page)) == ("Task", "Restored: “Bread”")
    again = await follow(reader, await reader.post(path, data={"next": address}))
    assert fault(again) == "This is not in the trash any more."
