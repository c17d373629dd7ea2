from tests.core.expect import problem
from tests.factories import PersonalTokenFactory, new_token

PATH = "/users/me/calendar-feed"
NO_FEED = (404, "Calendar feed not found")


async def test_an_address_is_shown_once(client, user, open_log_in, statements):
    client.headers.update(await open_log_in(user))
    with statements() as sent:
        response = await client.put(PATH)
    shown = await client.get(PATH)

    assert response.status_code == 200
    assert response.headers["cache-control"] == "no-store"
    assert response.json().keys() == {"url", "created_at"}
    assert response.json()["url"].startswith("http://127.0.0.1:8000/calendars/")
    assert len(response.json()["url"]) > 43
    assert len(sent) == 1
    assert shown.json() == {"created_at": response.json()["created_at"], "last_read_at": None}


async def test_only_a_digest_is_stored(client, user, open_log_in, session):
    client.headers.update(await open_log_in(user))
    url = (await client.put(PATH)).json()["url"]
    secret = url.rpartition("/")[2].removesuffix(".ics")

    rows = (await session.connection()).exec_driver_sql
    stored = str((await rows("SELECT row_to_json(f) FROM calendar_feeds f")).all())

    assert secret not in stored
    assert secret.encode().hex() not in stored


async def test_a_feed_can_be_deleted(client, user, open_log_in):
    client.headers.update(await open_log_in(user))
    assert problem(await client.get(PATH)) == NO_FEED
    assert problem(await client.delete(PATH)) == NO_FEED

    url = (await client.put(PATH)).json()["url"].removeprefix("http://127.0.0.1:8000")
    assert (await client.delete(PATH)).status_code == 204

    assert problem(await client.get(PATH)) == NO_FEED
    assert problem(await client.get(url)) == NO_FEED


async def test_a_feed_is_its_owners(client, user, stranger, open_log_in):
    await client.put(PATH, headers=await open_log_in(user))
    headers = await open_log_in(stranger)

    assert problem(await client.get(PATH, headers=headers)) == NO_FEED
    assert problem(await client.delete(PATH, headers=headers)) == NO_FEED
    assert (await client.get(PATH, headers=await open_log_in(user))).status_code == 200


async def test_a_personal_token_cannot_make_an_address(anonymous, user, save):
    token = new_token()
    await save(PersonalTokenFactory(token=token, owner_id=user.id))

    response = await anonymous.put(PATH, headers={"Authorization": f"Bearer {token}"})

    assert problem(response) == (403, "This needs a token from a log-in, not a personal one")


async def test_addresses_are_in_the_audit(client, user, open_log_in):
    client.headers.update(await open_log_in(user))
    await client.put(PATH)
    await client.put(PATH)
    await client.delete(PATH)

    events = (await client.get("/users/me/audit")).json()["events"]

    actions = [event["action"] for event in events if "calendar" in event["action"]]
    assert actions == ["calendar feed deleted", "calendar feed made", "calendar feed made"]
    assert all(event["details"] == {} for event in events[:3])


async def test_the_export_says_that_there_is_a_feed(client, user, open_log_in):
    client.headers.update(await open_log_in(user))
    await client.put(PATH)

    exported = (await client.get("/users/me/export")).json()

    assert exported["calendar_feed"] == (await client.get(PATH)).json()
