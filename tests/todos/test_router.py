from http import HTTPStatus

from tests.factories import TodoFactory


async def test_create(client, statements):
    with statements() as sent:
        response = await client.post("/todos/", json={"title": " Buy bread "})

    assert response.status_code == HTTPStatus.CREATED
    body = response.json()
    assert (body["title"], body["description"], body["state"]) == ("Buy bread", "", "todo")
    assert len(sent) == 2


async def test_a_stranger_sees_nothing(client, save, stranger):
    [todo] = await save(TodoFactory(owner_id=stranger.id))

    response = await client.get(f"/todos/{todo.id}")

    assert response.status_code == HTTPStatus.NOT_FOUND
    assert response.json()["detail"] == "Task not found."
