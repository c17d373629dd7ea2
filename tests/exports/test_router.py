from datetime import UTC, datetime

import pytest
from httpx2 import ASGITransport, AsyncClient

from fast_zero.exports import service
from fast_zero.models import RecoveryCode, SecondFactor
from tests.core.expect import problem
from tests.factories import (
    PASSWORD_HASH,
    LoginSessionFactory,
    PersonalTokenFactory,
    PostFactory,
    ProjectFactory,
    SectionFactory,
    TodoFactory,
    UserFactory,
    block,
    follow,
)

PATH = "/users/me/export"
SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


async def fill(save, user) -> None:
    await save(
        SecondFactor(owner_id=user.id, secret=SECRET, confirmed_at=datetime.now(UTC)),
        *LoginSessionFactory.build_batch(2, owner_id=user.id),
        *PersonalTokenFactory.build_batch(3, owner_id=user.id),
        *TodoFactory.build_batch(4, owner_id=user.id, state="todo"),
        PostFactory(author_id=user.id, text="The bread is in the oven."),
    )
    await save(RecoveryCode(owner_id=user.id, digest=b"digest"))


async def test_an_export_contains_everything_as_the_routes_return_it(client, user, stranger, save):
    await fill(save, user)
    [done] = await save(TodoFactory(owner_id=user.id, state="done"))
    await save(*TodoFactory.build_batch(2, owner_id=stranger.id))
    [post] = (await client.get("/timeline")).json()["posts"]
    await client.patch(f"/posts/{post['id']}", json={"text": "The bread is done."})
    waiting = (await client.get("/todos?state=todo&limit=2")).json()["todos"]
    one, two = (todo["id"] for todo in waiting)
    await client.put(f"/todos/{two}/relations/blocks/{one}")
    await client.put(f"/todos/{two}/relations/relates_to/{one}")
    await client.patch(f"/todos/{one}", json={"labels": ["errands", "home"]})
    await client.post("/filters", json={"name": "Late", "filter": "atrasada", "sort": "due"})
    [theirs] = await save(PostFactory(author_id=stranger.id, text="Ours, too."))
    await client.put(f"/posts/{theirs.id}/like")
    await client.put(f"/users/{stranger.id}/follow")
    other, blocked = await save(UserFactory(), UserFactory())
    await save(follow(other, user), follow(other, stranger), block(user, blocked))
    [earlier] = (await client.get(f"/posts/{post['id']}/edits")).json()["texts"]
    project, gone, _ = await save(
        ProjectFactory(owner_id=user.id),
        ProjectFactory(owner_id=user.id),
        ProjectFactory(owner_id=stranger.id),
    )
    *_, deleted_todo = await save(
        *SectionFactory.build_batch(2, owner_id=user.id, project_id=project.id),
        SectionFactory(owner_id=user.id, project_id=gone.id),
        TodoFactory(owner_id=user.id, project_id=gone.id, state="todo"),
    )
    deleted = [
        (await client.get(path)).json()
        for path in (f"/projects/{gone.id}", f"/todos/{deleted_todo.id}")
    ]
    sections = [
        section
        for one in (project, gone)
        for section in (await client.get(f"/projects/{one.id}/sections")).json()["sections"]
    ]
    await client.delete(f"/projects/{gone.id}")
    [deletion] = (await client.get("/trash")).json()["deletions"]

    began = datetime.now(UTC)
    response = await client.get(f"{PATH}/")
    exported_at = datetime.fromisoformat(response.json()["exported_at"])
    expected = {
        "exported_at": response.json()["exported_at"],
        "account": (await client.get("/users/me")).json(),
        "second_factor": (await client.get("/auth/otp")).json(),
        "calendar_feed": None,
        "sessions": (await client.get("/auth/sessions")).json()["sessions"],
        "personal_tokens": (await client.get("/auth/tokens")).json()["tokens"],
        "audit": (await client.get("/users/me/audit")).json()["events"],
        "projects": (await client.get("/projects")).json()["projects"],
        "sections": sections,
        "trash": [{name: deletion[name] for name in deletion if name != "purge_at"}],
        "deleted_projects": [after_change(deleted[0], response.json()["deleted_projects"])],
        "deleted_todos": [after_change(deleted[1], response.json()["deleted_todos"])],
        "todos": (await client.get("/todos")).json()["todos"],
        "labels": (await client.get("/labels")).json()["labels"],
        "filters": (await client.get("/filters")).json()["filters"],
        "relations": [
            {
                "todo_id": todo_id,
                "relations": [{"kind": kind, "todo_id": other, "created_at": post["created_at"]}],
            }
            for todo_id, kind, other in ((one, "relates_to", two), (two, "blocks", one))
        ],
        "occurrences": [],
        "completions": [
            {
                "todo_id": done.id,
                "occurrence": None,
                "finished_at": done.created_at.isoformat().replace("+00:00", "Z"),
            }
        ],
        "posts": [
            {
                "id": post["id"],
                "text": "The bread is done.",
                "visibility": "public",
                "reply_to": None,
                "todo_id": None,
                "created_at": post["created_at"],
                "edited_at": response.json()["posts"][0]["edited_at"],
                "earlier_texts": [earlier],
            }
        ],
        "likes": [{"post_id": theirs.id, "created_at": post["created_at"]}],
        "following": [{"user_id": stranger.id, "created_at": post["created_at"]}],
        "followers": [{"user_id": other.id, "created_at": post["created_at"]}],
        "blocked": [{"user_id": blocked.id, "created_at": post["created_at"]}],
        "notifications": (await client.get("/notifications")).json()["notifications"],
        "push_subscriptions": [],
        "imports": [],
        "changes": response.json()["changes"],  # tested below
    }

    assert began <= exported_at <= datetime.now(UTC)
    assert response.status_code == 200
    assert response.json() == expected
    assert list(response.json()) == list(expected)
    lists = ("sessions", "personal_tokens", "audit", "projects", "sections", "todos", "labels")
    assert [len(expected[name]) for name in lists] == [2, 3, 6, 1, 3, 5, 2]
    assert len(expected["notifications"]) == 1
    assert expected["second_factor"] == {"active": True, "recovery_codes_left": 1}
    assert response.headers["content-type"] == "application/json"
    assert response.headers["cache-control"] == "no-store"
    disposition = f'attachment; filename="fast_zero-export-{exported_at:%Y-%m-%d}.json"'
    assert response.headers["content-disposition"] == disposition


def after_change(row: dict, exported: list[dict]) -> dict:
    """Return a row as it is after one more change."""
    return row | {"version": row["version"] + 1, "updated_at": exported[0]["updated_at"]}


async def test_an_export_of_an_empty_account_is_complete(client):
    body = (await client.get(PATH)).json()

    assert (body["sessions"], body["personal_tokens"], body["todos"]) == ([], [], [])
    assert body["second_factor"] == {"active": False, "recovery_codes_left": 0}


@pytest.mark.parametrize("rows", [1, 2, 3, 4, 5])
async def test_an_export_of_several_pages_is_complete(
    client, user, save, statements, monkeypatch, rows
):
    monkeypatch.setattr(service, "PAGE", 2)
    todos = await save(*TodoFactory.build_batch(rows, owner_id=user.id, state="todo"))

    with statements() as sent:
        body = (await client.get(PATH)).json()

    assert [todo["id"] for todo in body["todos"]] == [todo.id for todo in todos]
    assert len(sent) == 24 + 2 * -(-rows // 2)


async def test_an_export_contains_no_secrets(client, user, save):
    await fill(save, user)

    text = (await client.get(PATH)).text.replace('"digest_time":', "")

    for secret in (PASSWORD_HASH, SECRET, "digest", "hash"):
        assert secret not in text


async def test_the_export_of_a_deleted_account_is_refused(client, user):
    await client.delete(f"/users/{user.id}")

    assert problem(await client.get(PATH)) == (401, "Could not validate credentials")


async def test_no_connection_is_held_between_pages(live, commit, log_in, monkeypatch):
    """With a pool of one connection, other requests get it during the export."""
    monkeypatch.setattr(service, "PAGE", 2)
    [user] = await commit(UserFactory())
    await commit(*TodoFactory.build_batch(5, owner_id=user.id))
    headers = await log_in(user)
    async with live(database_pool_size=1, database_pool_wait=1) as client:
        meanwhile = []

        async def read_in_parts(scope, receive, send):
            async def send_and_request(message):
                await send(message)
                if message.get("body"):
                    meanwhile.append((await client.get("/users")).status_code)

            await client.app(scope, receive, send_and_request)

        transport = ASGITransport(read_in_parts)
        async with AsyncClient(transport=transport, base_url="http://test") as reader:
            body = (await reader.get(PATH, headers=headers)).json()

    assert len(body["todos"]) == 5
    assert len(meanwhile) >= 6
    assert set(meanwhile) == {200}


async def test_an_export_contains_all_pages_of_the_log_of_changes(client, user, stranger, save):
    [todo, _] = await save(TodoFactory(owner_id=user.id), TodoFactory(owner_id=stranger.id))
    for number in range(service.PAGE + 1):
        await client.patch(f"/todos/{todo.id}", json={"title": f"Bread {number}"})

    changes = (await client.get(PATH)).json()["changes"]

    titles = [change["after"]["title"] for change in changes]
    assert titles == [todo.title, *(f"Bread {number}" for number in range(service.PAGE + 1))]
    assert {change["entity_id"] for change in changes} == {todo.id}
    assert changes[-1]["before"] == {"title": f"Bread {service.PAGE - 1}"}
    assert changes[-1]["actor_id"] == user.id
