"""Pushes arrive at a push service, encrypted for the browser."""

import asyncio
import logging
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest
from freezegun import freeze_time
from sqlalchemy import select, text

from fast_zero.core import jobs
from fast_zero.core.jobs import Context, Deferral, JobError, worker
from fast_zero.models import PushSubscription
from fast_zero.notifications.models import Kind
from fast_zero.push import messages, sending
from fast_zero.push.jobs import JOBS, should_retry
from fast_zero.reminders.jobs import remind
from tests.factories import PostFactory, UserFactory, follow
from tests.push.push_service import Browser

PRIVATE = {"push_private_networks": True}
MAKE_DUE = """
UPDATE procrastinate_jobs SET scheduled_at = NULL,
    args = args || jsonb_build_object('deferred_at', {deferred_at})
"""


@pytest.fixture
def browser(service):
    return Browser(service.origin)


@pytest.fixture
async def post(save, user):
    [post] = await save(PostFactory(author_id=user.id, text="Bread & “butter”"))
    return post


@pytest.fixture
def like(client, post, bearer):
    async def like(person):
        response = await client.put(f"/posts/{post.id}/like", headers=bearer(person))
        assert response.is_success

    return like


@pytest.fixture
def listed(client):
    async def listed():
        return (await client.get("/users/me/push-subscriptions")).json()["push_subscriptions"]

    return listed


async def test_a_like_arrives_at_the_browser(
    client, register, browser, service, like, do_jobs, stranger, post, listed
):
    await register(browser)
    await like(stranger)
    [notification] = (await client.get("/notifications")).json()["notifications"]

    await do_jobs(**PRIVATE, public_url="https://todo.example.com")

    [push] = service.received
    assert push.path == f"/v1/{browser.secret}"
    assert browser.decrypt(push.body) == {
        "notification_id": notification["id"],
        "kind": "like",
        "title": "todo.example.com",
        "text": f"@{stranger.username} likes “Bread & “butter””",
        "url": f"/posts/{post.id}",
    }
    assert push.headers["Content-Encoding"] == "aes128gcm"
    assert push.headers["TTL"] == "86400"
    assert push.headers["Urgency"] == "low"
    claims, key = push.claims(service.origin)
    assert claims["sub"] == "https://todo.example.com"
    assert key == (await client.get("/users/me/push-key")).json()["public_key"]
    [subscription] = await listed()
    assert subscription["last_success_at"] is not None
    assert subscription["last_failure_at"] is None


async def test_without_a_public_url_the_contact_is_the_sender_of_emails(
    register, browser, service, like, do_jobs, stranger
):
    await register(browser)
    await like(stranger)
    await do_jobs(**PRIVATE, mail_from="Todos <todo@example.com>", public_url="http://10.0.0.1")

    assert service.received[0].claims(service.origin)[0]["sub"] == "mailto:todo@example.com"


async def test_each_browser_of_the_receiver_gets_a_push_in_their_language(
    client, register, service, like, do_jobs, bearer, stranger, save, user
):
    mine, other, theirs = (Browser(service.origin) for _ in range(3))
    [rui] = await save(UserFactory(language="pt-BR"))
    await register(mine)
    await register(other)
    await register(theirs, headers=bearer(rui))
    await like(stranger)
    await save(follow(stranger, rui))

    await do_jobs(**PRIVATE)

    by_path = {push.path: push for push in service.received}
    assert len(by_path) == len(service.received) == 3
    received = {
        browser: browser.decrypt(by_path[f"/v1/{browser.secret}"].body)
        for browser in (mine, other, theirs)
    }
    assert received[mine] == received[other]
    assert received[theirs]["text"] == f"@{stranger.username} segue você"
    assert received[theirs]["url"] == "/notifications"


async def test_pushes_about_one_post_replace_each_other(
    client, register, browser, service, like, do_jobs, stranger, save, user
):
    await register(browser)
    people = await save(*(UserFactory() for _ in range(3)))
    for person in people:
        await like(person)
        await do_jobs(**PRIVATE)
    assert len(service.received) == 1  # they are one notification, until it is read
    [notification] = (await client.get("/notifications")).json()["notifications"]
    await client.put(f"/notifications/{notification['id']}/read")
    await like(stranger)
    await save(follow(stranger, user))
    await do_jobs(**PRIVATE)

    topics = [push.headers["Topic"] for push in service.received]
    assert len(topics) == 3
    assert topics[0] == topics[1] != topics[2]
    assert all(len(topic) == 32 for topic in topics)


async def test_what_is_read_or_undone_is_not_pushed(
    client, register, browser, service, like, do_jobs, stranger, save, user, bearer, post
):
    await register(browser)
    await like(stranger)
    await client.delete(f"/posts/{post.id}/like", headers=bearer(stranger))
    await do_jobs(**PRIVATE)
    await save(follow(stranger, user))
    notifications = (await client.get("/notifications")).json()["notifications"]
    await client.put("/notifications/read", json={"up_to": notifications[0]["id"]})
    await do_jobs(**PRIVATE)

    assert service.received == []


async def test_nothing_is_pushed_for_a_deleted_subscription_or_a_disabled_account(
    client, register, service, like, do_jobs, stranger, user, sessions
):
    created = await register(Browser(service.origin))
    await register(Browser(service.origin))
    await like(stranger)
    await client.delete(f"/users/me/push-subscriptions/{created['id']}")
    async with sessions.begin() as session:
        await session.execute(
            text("UPDATE users SET disabled_at = now() WHERE id = :id"), {"id": user.id}
        )
    await do_jobs(**PRIVATE)

    assert service.received == []


async def test_a_browser_that_changed_hands_gets_nothing_of_its_former_account(
    register, browser, service, like, do_jobs, stranger, bearer, save
):
    [rui] = await save(UserFactory())
    await register(browser)
    await like(stranger)
    await register(browser, headers=bearer(rui))
    await do_jobs(**PRIVATE)

    assert service.received == []


async def test_likes_defer_nothing_and_take_no_more_statements_without_subscriptions(
    like, stranger, deferred, save, register, bearer
):
    [rui] = await save(UserFactory())
    await register(Browser(), headers=bearer(rui))
    await like(stranger)

    assert await deferred() == []


@pytest.mark.parametrize("status", [404, 410])
async def test_a_gone_subscription_is_forgotten(
    register, service, like, do_jobs, stranger, listed, status
):
    await register(Browser(service.origin))
    await like(stranger)
    service.status = status
    await do_jobs(**PRIVATE)

    assert len(service.received) == 1
    assert await listed() == []


@pytest.mark.parametrize("status", [408, 429, 500, 503])
async def test_a_temporary_failure_is_retried(
    register, browser, service, like, do_jobs, stranger, listed, status
):
    await register(browser)
    await like(stranger)
    service.status = status
    with pytest.raises(JobError, match=f"with {status}$"):
        await do_jobs(**PRIVATE)
    [subscription] = await listed()
    assert subscription["last_failure_at"] is not None
    assert subscription["last_success_at"] is None

    service.status = 201
    await do_jobs(**PRIVATE)
    assert len(service.received) == 2
    assert (await listed())[0]["last_success_at"] is not None


@pytest.mark.parametrize("status", [307, 400, 403, 413])
async def test_a_refused_push_is_given_up(
    register, browser, service, like, do_jobs, stranger, listed, status, caplog
):
    await register(browser)
    await like(stranger)
    service.status = status
    await do_jobs(**PRIVATE)

    assert len(service.received) == 1  # a redirect is not followed
    assert f"given up: the push service refused the push with {status}\n" in caplog.text
    [subscription] = await listed()
    assert subscription["last_failure_at"] is not None
    assert subscription["last_success_at"] is None


async def test_a_push_service_that_does_not_answer_is_a_temporary_failure(
    register, like, do_jobs, stranger, monkeypatch
):
    monkeypatch.setattr(sending, "TIMEOUT_SECONDS", 0.05)
    connected = asyncio.Event()

    async def hang(_reader, writer):
        connected.set()
        await asyncio.sleep(5)
        writer.close()

    async with await asyncio.start_server(hang, "127.0.0.1", 0) as server:
        host, port = server.sockets[0].getsockname()
        await register(Browser(f"http://{host}:{port}"))
        await like(stranger)
        with pytest.raises(JobError, match="cannot reach the push service: TimeoutError"):
            await do_jobs(**PRIVATE)
        assert connected.is_set()
        server.close()
    with pytest.raises(JobError, match="cannot connect to the push service"):
        await do_jobs(**PRIVATE)


@pytest.mark.parametrize("host", ["127.0.0.1", "localtest.example.com"])
async def test_a_private_address_is_not_connected_to(
    register, like, do_jobs, stranger, save, user, monkeypatch, host, caplog
):
    """Also if a name leads to it that looked harmless when it was registered."""
    connected = []

    async def note(_reader, writer):
        connected.append(writer)
        writer.close()

    look_up = asyncio.get_running_loop().getaddrinfo

    async def resolve(name, *arguments, **options):
        name = "127.0.0.1" if name == "localtest.example.com" else name
        return await look_up(name, *arguments, **options)

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", resolve, raising=False)
    async with await asyncio.start_server(note, "127.0.0.1", 0) as server:
        _, port = server.sockets[0].getsockname()
        await register(Browser(f"https://{host}:{port}"))
        await like(stranger)
        [other] = await save(UserFactory())
        await do_jobs()
        assert connected == []
        assert "given up: the address of the push service is not public" in caplog.text
        await save(follow(other, user))
        with pytest.raises(JobError, match="cannot connect to the push service"):  # no TLS there
            await do_jobs(**PRIVATE)
        assert len(connected) == 1


async def test_retries_are_bounded_and_no_secret_is_logged(
    settings, committing, commit, service, engine, caplog
):
    caplog.set_level(logging.DEBUG)
    browser = Browser(service.origin)
    subscription = browser.subscription()
    user, person = await commit(UserFactory(), UserFactory())
    await commit(
        PushSubscription(owner_id=user.id, endpoint=browser.endpoint, **subscription["keys"])
    )
    await commit(follow(person, user))
    context = Context(settings.model_copy(update=PRIVATE), committing)
    service.status = 503
    for deferred_at in ("now()", "now() - interval '59 minutes'", "now() - interval '1 hour'"):
        async with engine.begin() as connection:
            await connection.execute(text(MAKE_DUE.format(deferred_at=deferred_at)))
        await worker.run(context, JOBS, wait=False)

    async with committing.begin() as session:
        assert await session.scalar(text("SELECT count(*) FROM procrastinate_jobs")) == 0
        assert await session.scalar(select(PushSubscription.last_failure_at)) is not None
    assert len(service.received) == 3
    assert caplog.text.count("will be retried: the push service replied with 503") == 2
    assert caplog.text.count("given up: the push service replied with 503") == 1
    for secret in (browser.secret, *subscription["keys"].values(), person.username):
        assert secret not in caplog.text


def test_retries_end_before_the_job_fails():
    """The operator is alerted of failed jobs, but cannot do anything about push services."""
    deferred_at = now = datetime.now(UTC)
    attempts = 1
    while should_retry(JobError(), deferred_at, now):
        now += worker.delay(attempts - 1)
        attempts += 1

    assert 5 < attempts < worker.ATTEMPTS


async def test_other_jobs_come_before_pushes(register, like, stranger, session):
    await register()
    await like(stranger)
    async with session.begin():
        await jobs.defer(session, Deferral("tests.other", {}))
        found = await session.execute(
            text("SELECT task_name FROM procrastinate_jobs ORDER BY priority DESC, id")
        )
    assert found.scalars().all() == ["tests.other", "push.send"]


@pytest.mark.parametrize(
    ("late", "spoken"), [(0, "Reminder: Bread"), (130, "Reminder: Bread (2 hours late)")]
)
async def test_a_reminder_arrives_at_once_and_says_how_late_it_is(
    client, register, browser, service, do_jobs, settings, sessions, late, spoken
):
    await register(browser)
    due = datetime.now(UTC) + timedelta(hours=1)
    given = {"title": "Bread", "due_at": due.isoformat(), "reminders": [{"minutes_before": 0}]}
    todo = (await client.post("/todos", json=given)).json()
    with freeze_time(due + timedelta(minutes=late), real_asyncio=True):
        await remind(Context(settings, sessions))

    await do_jobs(**PRIVATE)

    [push] = service.received
    content = browser.decrypt(push.body)
    assert (content["text"], content["url"]) == (spoken, f"/todos/{todo['id']}")
    assert push.headers["Urgency"] == "high"


@pytest.mark.parametrize("way", ["complete", "blocked", "delete"])
async def test_a_reminder_of_what_is_done_or_blocked_since_is_not_pushed(
    client, register, browser, service, do_jobs, settings, sessions, way
):
    await register(browser)
    due = datetime.now(UTC) + timedelta(hours=1)
    given = {"title": "Bread", "due_at": due.isoformat(), "reminders": [{"minutes_before": 0}]}
    todo, other = [(await client.post("/todos", json=given)).json() for _ in range(2)]
    with freeze_time(due, real_asyncio=True):
        await remind(Context(settings, sessions))
    path = f"/todos/{todo['id']}"
    if way == "blocked":
        await client.put(f"/todos/{other['id']}/relations/blocks/{todo['id']}")
    elif way == "delete":
        await client.delete(path)
    else:
        await client.post(f"{path}/complete")

    await do_jobs(**PRIVATE)

    [push] = service.received
    assert browser.decrypt(push.body)["url"] == f"/todos/{other['id']}"


def test_every_kind_of_notification_has_an_urgency():
    assert messages.URGENCIES.keys() == set(Kind)


def test_a_server_that_sends_no_pushes_does_not_import_their_libraries():
    script = (
        "import sys, fast_zero.app, fast_zero.worker;"
        "fast_zero.app.create_app();"
        "print(sorted({'aiohttp', 'pywebpush', 'requests'} & sys.modules.keys()))"
    )
    result = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert result.stdout == "[]\n"
