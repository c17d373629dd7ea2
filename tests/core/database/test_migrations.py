"""Migrations, each on a separate database."""

import asyncio

import pytest
from alembic import command
from alembic.util import CommandError
from sqlalchemy import func, inspect, select, text

from fast_zero.core.database import in_use, migrations, revisions
from fast_zero.core.errors import StartError
from fast_zero.models import Base
from tests.factories import UserFactory
from tests.migrating import alembic, known_to_alembic, upgrade

FEED = """
INSERT INTO posts (author_id, text, visibility, above) SELECT id, 'text', 'public', '{}' FROM users;
UPDATE posts SET text = 'another';
INSERT INTO likes (post_id, user_id) SELECT id, author_id FROM posts ON CONFLICT DO NOTHING;
INSERT INTO follows (follower_id, followed_id)
    SELECT one.id, other.id FROM users AS one, users AS other WHERE one.id < other.id
    ON CONFLICT DO NOTHING;
INSERT INTO blocks (blocker_id, blocked_id)
    SELECT min(id), max(id) FROM users HAVING count(*) > 1 ON CONFLICT DO NOTHING
"""


async def table_names(url) -> set[str]:
    with migrations.create_migration_engine(url).connect() as connection:
        return set(inspect(connection).get_table_names())


async def test_the_models_match_the_migrations(empty):
    await upgrade(empty)

    await alembic(empty, command.check)

    assert set(Base.metadata.tables) <= await table_names(empty)


async def test_each_migration_runs_down_and_up_again_over_data(empty):
    await upgrade(empty)
    known = known_to_alembic()

    for _ in known:
        await fill(empty)
        await alembic(empty, command.downgrade, "-1")
        await alembic(empty, command.upgrade, "+1")
        await alembic(empty, command.downgrade, "-1")

    assert await table_names(empty) == {"alembic_version"}
    assert await upgrade(empty) == (None, known[0])


def test_the_revisions_in_the_files_are_those_that_alembic_finds():
    head, *older = known_to_alembic()

    assert revisions.known() == (head, set(older))


async def fill(url) -> None:
    """Write a row into every table that exists at this revision."""
    tables = await table_names(url)
    with migrations.create_migration_engine(url).begin() as connection:
        if "users" in tables:
            user = UserFactory()
            connection.execute(
                text("INSERT INTO users (username, email, password_hash) VALUES (:u, :e, :p)"),
                {"u": user.username, "e": user.email, "p": user.password_hash},
            )
        if "todos" in tables:
            connection.execute(
                text(
                    "INSERT INTO todos (owner_id, title, description, state)"
                    " SELECT id, 'title', 'text', 'todo' FROM users"
                )
            )
        if "procrastinate_jobs" in tables:
            connection.execute(
                text(
                    "INSERT INTO procrastinate_jobs (task_name, queue_name) VALUES ('note', 'note')"
                )
            )
        if "mailed_links" in tables:
            connection.execute(
                text(
                    "INSERT INTO mailed_links"
                    " (owner_id, purpose, digest, email, requested_at, expires_at)"
                    " SELECT id, 'password', '', email, now(), now() FROM users LIMIT 1"
                    " ON CONFLICT DO NOTHING"
                )
            )
        if "recovery_codes" in tables:
            connection.execute(
                text("INSERT INTO second_factors (owner_id, secret) SELECT max(id), '' FROM users")
            )
            connection.execute(
                text(
                    "INSERT INTO recovery_codes SELECT owner_id, '' FROM second_factors"
                    " ON CONFLICT DO NOTHING"
                )
            )
        if "posts" in tables:
            for statement in FEED.split(";"):
                connection.execute(text(statement))
        if "throttles" in tables:
            connection.execute(
                text(
                    "INSERT INTO throttles (digest, count, expires_at)"
                    " VALUES (sha256(gen_random_uuid()::text::bytea), 1, now())"
                )
            )
        if "idempotency_keys" in tables:
            connection.execute(
                text(
                    "INSERT INTO idempotency_keys (actor_id, route, key, fingerprint, owner_id)"
                    " SELECT id, 'POST /todos', gen_random_uuid()::text, '', id FROM users"
                )
            )


async def test_concurrent_processes_migrate_once(empty):
    results = await asyncio.gather(*(upgrade(empty, 30) for _ in range(8)))

    assert sorted(before is None for before, _ in results) == [False] * 7 + [True]


async def test_waiting_too_long_for_the_migration_lock_fails(empty):
    with migrations.create_migration_engine(empty).connect() as other:
        other.scalar(select(func.pg_advisory_lock(migrations.LOCK)))

        with pytest.raises(StartError, match="Another process has been migrating"):
            await upgrade(empty, 0)


async def test_no_migration_runs_while_a_backup_is_restored(empty):
    with migrations.create_migration_engine(empty).begin() as restore:
        restore.scalar(select(func.pg_advisory_xact_lock(in_use.LOCK)))

        with pytest.raises(StartError, match="The restore of a backup has been running"):
            await upgrade(empty, 0)


async def test_an_unknown_revision_is_refused_with_a_message(empty):
    await upgrade(empty)
    with migrations.create_migration_engine(empty).begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = 'future'"))

    with pytest.raises(StartError, match="Cannot migrate the database") as caught:
        await upgrade(empty)

    assert isinstance(caught.value.__cause__, CommandError)
