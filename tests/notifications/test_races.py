"""Concurrent actions, each on its own connection."""

import asyncio
from datetime import UTC, datetime

import pytest
from sqlalchemy import text

from fast_zero.core.jobs import Context
from fast_zero.notifications import jobs as notification_jobs
from fast_zero.notifications import reports
from tests.factories import PostFactory, UserFactory

CONCURRENCY = 10
DUE = datetime(2100, 1, 4, 8, tzinfo=UTC)
"""A Monday. It is later than all events, since events must be older than a notification."""


@pytest.fixture
async def client(live, commit):
    """Return a client of an application with its own pool and real commits."""
    async with live() as client:
        yield client


@pytest.fixture
async def post(commit):
    [author] = await commit(UserFactory(letters=["like", "weekly_report"], email_verified_at=DUE))
    [post] = await commit(PostFactory(author_id=author.id))
    return post


@pytest.fixture
def rows(engine):
    async def rows(statement: str) -> list[tuple]:
        async with engine.connect() as connection:
            return [tuple(row) for row in await connection.execute(text(statement))]

    return rows


@pytest.fixture
def context(settings, committing) -> Context:
    return Context(settings, committing)


async def test_concurrent_likes_create_one_notification(client, post, commit, log_in, rows):
    people = await commit(*(UserFactory() for _ in range(CONCURRENCY)))
    tokens = [await log_in(person) for person in people]
    likes = (client.put(f"/posts/{post.id}/like", headers=headers) for headers in tokens)
    assert {response.status_code for response in await asyncio.gather(*likes)} == {204}
    assert await rows(
        "SELECT count(*), bool_and(since = (SELECT min(id) FROM likes)) FROM notifications"
    ) == [(1, True)]


async def test_a_like_while_all_are_marked_as_read_is_unread(
    client, post, commit, log_in, engine, rows
):
    first, second = [await log_in(person) for person in await commit(UserFactory(), UserFactory())]
    like = f"/posts/{post.id}/like"
    await client.put(like, headers=first)
    async with engine.begin() as connection:
        await connection.execute(text("UPDATE notifications SET read_at = now()"))
        liking = asyncio.create_task(client.put(like, headers=second))
        waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted"
        while await rows(waiting) == [(0,)]:  # noqa: ASYNC110  # a lock sets no event
            await asyncio.sleep(0.01)
        assert not liking.done()
    assert (await liking).status_code == 204
    assert await rows(
        "SELECT read_at IS NULL, since = (SELECT max(id) FROM likes) FROM notifications"
    ) == [(True, True)]


async def test_concurrent_workers_defer_an_email_once(
    client, post, commit, log_in, context, rows, monkeypatch
):
    [person] = await commit(UserFactory())
    await client.put(f"/posts/{post.id}/like", headers=await log_in(person))

    class Clock(datetime):
        @classmethod
        def now(cls, tz=None):
            return DUE.astimezone(tz)

    monkeypatch.setattr(notification_jobs, "datetime", Clock)
    runs = [job for _ in range(CONCURRENCY) for job in notification_jobs.PERIODIC_JOBS.values()]
    await asyncio.gather(*(job(context) for job in runs))
    assert sorted(await rows("SELECT task_name FROM procrastinate_jobs")) == [
        (reports.SEND_NEWS,),
        (reports.SEND_REPORT,),
    ]
