"""`GET /changes`, on servers that commit: a change is shown once its transaction has ended."""

import asyncio

import pytest
from psycopg import AsyncConnection
from sqlalchemy import text

from fast_zero.core.database import conninfo
from tests.core.expect import problem
from tests.factories import UserFactory
from tests.mirrored import everything, send

EXPIRED = (410, "What changed since then is not known any more. Begin without a cursor.")


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


@pytest.fixture
async def here(live, commit, log_in, settle):
    """Return a client of a new user, on a server that commits."""
    [user] = await commit(UserFactory())
    async with live() as client:
        client.settle = settle
        client.headers.update(await log_in(user))
        yield client


async def create(client, path="/todos", **body) -> dict:
    return await send(client, "POST", path, json=body or {"title": "Bread"})


async def read(client, **params) -> dict:
    return await send(client, "GET", "/changes", params=params)


async def follow(client, mirror=None, since=None, **params) -> tuple[dict, str]:
    """Read all pages; return the things by entity and id, and the last cursor."""
    await client.settle()
    mirror, more = {} if mirror is None else mirror, True
    while more:
        page = await read(client, **({"since": since} if since else {}), **params)
        for thing in page["changes"]:
            key = (thing["entity"], thing["id"])
            if thing.get("deleted"):
                mirror.pop(key, None)
            else:
                mirror[key] = thing["value"]
        since, more = page["next"], page["more"]
    return mirror, since


async def make_everything(client) -> dict[str, dict]:
    project = await create(client, "/projects", name="Home")
    section = await create(client, f"/projects/{project['id']}/sections", name="Later")
    placed = await create(client, title="Bread", section_id=section["id"], labels=["red", "green"])
    other = await create(client, title="Salt", due_at="2026-12-24T18:00:00-03:00")
    await send(client, "PUT", f"/todos/{placed['id']}/relations/blocks/{other['id']}")
    await send(client, "PUT", f"/todos/{other['id']}/relations/relates_to/{placed['id']}")
    return {"project": project, "section": section, "placed": placed, "other": other}


@pytest.mark.parametrize("limit", [1, 3, 1000])
async def test_without_a_cursor_everything_is_listed(here, limit):
    await make_everything(here)

    mirror, _ = await follow(here, limit=limit)

    assert mirror == await everything(here)
    assert {entity for entity, _ in mirror} == {"project", "section", "label", "todo", "relation"}


async def test_an_empty_account_has_a_cursor(here):
    mirror, since = await follow(here)

    assert mirror == {}
    assert (await read(here, since=since))["changes"] == []


@pytest.mark.parametrize("limit", [1, 2, 100])
async def test_each_kind_of_change_arrives(here, limit):
    mirror, since = await follow(here)
    made = await make_everything(here)
    project, placed, other = (made[name]["id"] for name in ("project", "placed", "other"))
    [label, *_] = (await send(here, "GET", "/labels"))["labels"]
    writes = [
        ("PATCH", f"/todos/{placed}", {"title": "Flour", "labels": ["red", "blue"]}),
        ("PATCH", f"/labels/{label['id']}", {"name": "renamed"}),
        ("PATCH", f"/todos/{other}", {"recurrence": {"rule": "FREQ=DAILY"}}),
        ("POST", f"/todos/{other}/complete?force=true", None),
        ("POST", f"/todos/{other}/skip", None),
        ("PATCH", f"/todos/{other}", {"recurrence": None}),
        ("DELETE", f"/projects/{project}", None),
        ("POST", f"/projects/{project}/restore", None),
        ("DELETE", f"/todos/{other}", None),
        ("POST", f"/todos/{other}/restore", None),
        ("POST", f"/todos/{other}/complete?force=true", None),
        ("DELETE", f"/labels/{label['id']}", None),
        ("DELETE", f"/projects/{project}/sections/{made['section']['id']}", None),
        ("DELETE", f"/todos/{placed}/relations/blocks/{other}", None),
        ("DELETE", f"/projects/{project}", None),
        ("DELETE", "/trash", None),
    ]
    for method, path, body in [("GET", "/labels", None), *writes]:
        await send(here, method, path, json=body)
        mirror, since = await follow(here, mirror, since, limit=limit)
        assert mirror == await everything(here), (method, path)
    assert {entity for entity, _ in mirror} == {"label", "todo"}


async def test_a_thing_is_once_in_a_page_and_a_deleted_one_is_a_tombstone(here):
    _, since = await follow(here)
    todo = await create(here)
    await send(here, "PATCH", f"/todos/{todo['id']}", json={"title": "Flour"})

    await here.settle()
    page = await read(here, since=since)
    [thing] = page["changes"]
    assert (thing["entity"], thing["id"]) == ("todo", todo["id"])
    assert (thing["value"]["title"], thing["value"]["label_ids"]) == ("Flour", [])
    assert page["more"] is False

    await send(here, "DELETE", f"/todos/{todo['id']}")
    await here.settle()
    page = await read(here, since=page["next"])
    assert page["changes"] == [{"entity": "todo", "id": todo["id"], "deleted": True}]


async def test_a_stranger_sees_nothing(here, commit, log_in):
    await make_everything(here)
    [stranger] = await commit(UserFactory())
    _, since = await follow(here)
    await make_everything(here)

    headers = await log_in(stranger)
    for params in ({}, {"since": since}):
        page = (await here.get("/changes", params=params, headers=headers)).json()
        assert page["changes"] == []


@pytest.mark.parametrize("cursor", ["", "AAAAAAAAAAc", "A" * 77, "_" * 78, "é" * 78])
async def test_a_malformed_cursor_is_refused(client, cursor):
    response = await client.get("/changes", params={"since": cursor})

    assert response.status_code == 422
    assert response.json()["detail"][0]["loc"] == ["query", "since"]


async def test_a_cursor_of_another_epoch_or_before_the_log_is_expired(client, connection):
    await client.post("/todos", json={"title": "Bread"})
    first = (await client.get("/changes", params={"limit": 1})).json()["next"]
    for change, status in (
        ("SET kept_since = now() - interval '2 days'", 200),
        ("SET kept_since = now()", 410),
        ("SET kept_since = NULL", 200),
        ("SET epoch = gen_random_uuid()", 410),
    ):
        await connection.execute(text(f"UPDATE change_log {change}"))
        response = await client.get("/changes", params={"since": first})
        assert response.status_code == status, change
    assert problem(response) == EXPIRED
    assert response.json()["code"] == "cursor_expired"


async def test_a_page_takes_two_statements(client, statements):
    for _ in range(3):
        await client.post("/todos", json={"title": "Bread", "labels": ["red"]})
    with statements() as sent:
        page = (await client.get("/changes")).json()
    assert len(sent) == 2
    with statements() as sent:
        await client.get("/changes", params={"since": page["next"]})
    assert len(sent) == 1


async def test_a_change_waits_for_older_transactions(here, committing):
    """Readers see no change before all transactions that began writing earlier have ended."""
    _, since = await follow(here)
    async with committing() as session:
        await session.execute(text("SELECT pg_current_xact_id()"))
        todo = await create(here)
        assert (await read(here, since=since))["changes"] == []
        await session.commit()
    await here.settle()

    [thing] = (await read(here, since=since))["changes"]
    assert thing["id"] == todo["id"]


async def test_no_change_of_fifty_concurrent_writers_is_missed(here, settings):
    """They hold their transactions open at random, so the order of commits is another one."""
    owner_id = (await send(here, "GET", "/users/me"))["id"]
    insert = """
INSERT INTO todos (owner_id, title, description, state)
VALUES (%s, 'Bread', '', 'todo') RETURNING id
"""
    address, written, writing = conninfo(settings.database_url), [], True
    _, begin = await follow(here)

    async def write(number):
        async with await AsyncConnection.connect(address) as connection:
            for turn in range(4):
                for _ in range(2):
                    made = await connection.execute(insert, [owner_id])
                    written.append((await made.fetchone())[0])
                    await asyncio.sleep((number * 7 + turn * 3) % 10 / 50)
                await connection.commit()

    async def read_along():
        seen, since = [], begin
        while True:
            done = not writing
            page = await read(here, limit=7, since=since)
            seen += [thing["id"] for thing in page["changes"]]
            since = page["next"]
            if done and not page["more"]:
                return seen

    reading = asyncio.create_task(read_along())
    await asyncio.gather(*map(write, range(50)))
    await here.settle()
    writing = False
    seen = await reading

    assert sorted(seen) == sorted(written)
    assert len(written) == 400
