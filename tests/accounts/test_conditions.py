"""ETag, If-Match and If-None-Match on the public and the private view of an account."""

import re

import pytest

from tests.core.expect import problem
from tests.factories import PASSWORD

ANA = {"username": "Ana Lúcia", "email": "ana@example.com", "password": PASSWORD}
STALE = (412, "It has changed since you read it. Read it again, then send your change.")


async def test_each_view_of_an_account_has_its_own_etag(client, user):
    public, private = await client.get(f"/users/{user.id}"), await client.get("/users/me")
    renamed = ANA | {"email": user.email}  # a new address would end the session
    replaced = await client.put(f"/users/{user.id}", json=renamed)

    assert re.fullmatch(r'"1-public\.[0-9a-f]{16}"', public.headers["etag"])
    assert private.headers["etag"] == '"1"'
    assert replaced.headers["etag"] == '"2"'
    assert (await client.get("/users/me")).headers["etag"] == '"2"'


async def test_changes_of_private_fields_do_not_change_the_public_etag(
    client, user, stranger, bearer
):
    readers = {}, {"Authorization": ""}, bearer(stranger)

    async def etags() -> list[str]:
        responses = [await client.get(f"/users/{user.id}", headers=reader) for reader in readers]
        return [response.headers["etag"] for response in responses]

    before = await etags()
    assert (await client.patch("/users/me", json={"clock": 12})).status_code == 200
    own, *others = await etags()
    assert (others, own) == (before[1:], before[0].replace("1-", "2-"))
    assert all(re.fullmatch(r'"public\.[0-9a-f]{16}"', etag) for etag in others)

    await client.patch("/users/me", json={"bio": "Bakes on Sundays."})
    assert not {*others} & {*await etags()}


async def test_a_write_with_the_public_etag_is_refused(client, user, bearer, stranger):
    public = await client.get(f"/users/{user.id}", headers=bearer(stranger))
    condition = {"If-Match": public.headers["etag"]}

    assert problem(await client.delete(f"/users/{user.id}", headers=condition)) == STALE


async def test_registering_returns_location_and_etag(anonymous):
    response = await anonymous.post("/users", json=ANA)

    assert response.headers["location"] == f"/users/{response.json()['id']}"
    assert response.headers["etag"] == '"1"'
    assert response.headers["cache-control"] == "private, no-cache"


@pytest.mark.parametrize(
    ("path", "header", "status"),
    [
        ("/users/me", '"1"', 304),
        ("/users/me", '"1-public"', 200),
        ("/users/{}", "{}", 304),
        ("/users/{}", "W/{}", 304),
        ("/users/{}", '"1-public"', 200),
        ("/users/{}", '"1"', 200),
        ("/users/{}", "*", 304),
    ],
)
async def test_the_etag_of_one_view_does_not_match_the_other(client, user, path, header, status):
    url = path.format(user.id)
    etag = (await client.get(url)).headers["etag"]
    response = await client.get(url, headers={"If-None-Match": header.format(etag)})

    assert response.status_code == status
    assert (response.content == b"") == (status == 304)


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
@pytest.mark.parametrize("header", ['"1"', '"1-public.0123456789abcdef"', "*"])
async def test_a_matching_if_match_allows_the_write(client, user, statements, method, header):
    body = ANA if method == "PUT" else None
    with statements() as sent:
        response = await client.request(
            method, f"/users/{user.id}", json=body, headers={"If-Match": header}
        )

    assert response.status_code == 200
    # Replacing reads the old password first, and ends the sessions.
    assert len(sent) == (8 if method == "PUT" else 1)


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
@pytest.mark.parametrize("header", ['"2"', 'W/"1"', '"1-secret"'])
async def test_a_stale_if_match_is_refused(client, user, method, header):
    body = ANA if method == "PUT" else None
    response = await client.request(
        method, f"/users/{user.id}", json=body, headers={"If-Match": header}
    )

    assert problem(response) == STALE
    assert response.headers["etag"] == '"1"'
    assert (await client.get("/users/me")).json()["username"] == user.username


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
async def test_if_match_reveals_nothing_about_another_account(client, stranger, method):
    body = ANA if method == "PUT" else None
    response = await client.request(
        method, f"/users/{stranger.id}", json=body, headers={"If-Match": '"9"'}
    )

    assert problem(response) == (403, "Not enough permissions")
    assert "etag" not in response.headers
