"""Migrations, each on a separate database."""

import asyncio

import pytest
from alembic import command
from alembic.util import CommandError
from sqlalchemy import func, inspect, select, text

from fast_zero.core.database import in_use, migrations, revisions
from fast_zero.core.errors import StartError
from fast_zero.models import Base
from tests.migrating import alembic, known_to_alembic, upgrade

# A row for every table, by the name of a table that exists if it can be written.
ROWS = {
    "users": """
INSERT INTO users (username, email, password_hash)
    SELECT 'user' || number, 'user' || number || '@example.com', ''
    FROM (SELECT count(*) AS number FROM users) AS counted
""",
    "todos": """
INSERT INTO todos (owner_id, title, description, state)
    SELECT id, 'title', 'text', 'todo' FROM users
""",
    "procrastinate_jobs": """
INSERT INTO procrastinate_jobs (task_name, queue_name) VALUES ('note', 'note')
""",
    "mailed_links": """
INSERT INTO mailed_links (owner_id, purpose, digest, email, requested_at, expires_at)
    SELECT id, 'password', '', email, now(), now() FROM users LIMIT 1 ON CONFLICT DO NOTHING
""",
    "recovery_codes": """
INSERT INTO second_factors (owner_id, secret) SELECT max(id), '' FROM users;
INSERT INTO recovery_codes SELECT owner_id, '' FROM second_factors ON CONFLICT DO NOTHING
""",
    "posts": """
INSERT INTO posts (author_id, text, visibility, above) SELECT id, 'text', 'public', '{}' FROM users;
UPDATE posts SET text = 'another';
INSERT INTO likes (post_id, user_id) SELECT id, author_id FROM posts ON CONFLICT DO NOTHING;
INSERT INTO follows (follower_id, followed_id)
    SELECT one.id, other.id FROM users AS one, users AS other WHERE one.id < other.id
    ON CONFLICT DO NOTHING;
INSERT INTO blocks (blocker_id, blocked_id)
    SELECT min(id), max(id) FROM users HAVING count(*) > 1 ON CONFLICT DO NOTHING
""",
    "throttles": """
INSERT INTO throttles (digest, count, expires_at)
    VALUES (sha256(gen_random_uuid()::text::bytea), 1, now())
""",
    "idempotency_keys": """
INSERT INTO idempotency_keys (actor_id, route, key, fingerprint, owner_id)
    SELECT id, 'POST /todos', gen_random_uuid()::text, '', id FROM users
""",
    "projects": """
INSERT INTO projects (owner_id, name) SELECT id, 'Home' FROM users;
INSERT INTO projects (owner_id, name, parent_id)
    SELECT owner_id, 'Kitchen', max(id) FROM projects WHERE parent_id IS NULL GROUP BY owner_id;
INSERT INTO sections (owner_id, project_id, name) SELECT owner_id, id, 'Later' FROM projects
""",
    "labels": """
INSERT INTO todos (owner_id, title, description, state, section_id)
    SELECT owner_id, 'placed', '', 'done', id FROM sections;
INSERT INTO todos (owner_id, title, description, state, parent_id)
    SELECT owner_id, 'below', '', 'todo', max(id) FROM todos GROUP BY owner_id;
INSERT INTO labels (owner_id, name) SELECT id, 'errands' FROM users ON CONFLICT DO NOTHING;
INSERT INTO todo_labels (owner_id, todo_id, label_id)
    SELECT labels.owner_id, todos.id, labels.id FROM labels JOIN todos USING (owner_id)
    ON CONFLICT DO NOTHING;
INSERT INTO deletions (owner_id, kind, item_id, title)
    SELECT owner_id, 'todo', max(id), 'placed' FROM todos GROUP BY owner_id;
UPDATE todos SET deletion_id = deletions.id FROM deletions
    WHERE kind = 'todo' AND item_id = todos.id
""",
    "todo_relations": """
INSERT INTO todo_relations (owner_id, todo_id, other_id, kind)
    SELECT owner_id, min(id), max(id), 'blocks' FROM todos GROUP BY owner_id
    HAVING count(*) > 1 ON CONFLICT DO NOTHING
""",
    "occurrences": """
INSERT INTO todos (owner_id, title, description, state, share, due_on, recurrence_rule,
    recurrence_from, recurrence_start, recurrence_number, occurrence_on)
    SELECT id, 'recurs', '', 'todo', 'public', '2031-01-08', 'FREQ=DAILY', 'due', '2031-01-06', 3,
        '2031-01-08'
    FROM users;
INSERT INTO occurrences (owner_id, todo_id, day, number, status, due_on, finished_at)
    SELECT owner_id, id, day, number, 'done', day, now()
    FROM todos, (VALUES (date '2031-01-06', 1), ('2031-01-07', 2)) AS new (day, number)
    WHERE title = 'recurs' AND recurrence_rule IS NOT NULL ON CONFLICT DO NOTHING
""",
}
BEFORE = """
INSERT INTO users (username, email, password_hash) VALUES ('ana', 'ana@example.com', '');
INSERT INTO todos (owner_id, title, description, state, updated_at)
    SELECT id, title, '', state, '2026-03-04 12:00Z'
    FROM users, (VALUES ('counted', 'done'), ('not counted', 'done'), ('open', 'todo'))
    AS new (title, state);
UPDATE completions SET finished_at = '2026-01-02 12:00Z'
    WHERE todo_id = (SELECT id FROM todos WHERE title = 'counted');
DELETE FROM completions
    WHERE todo_id = (SELECT id FROM todos WHERE title = 'not counted')
"""

TRASHED = """
INSERT INTO users (username, email, password_hash, share_todos)
    VALUES ('ana', 'ana@example.com', '', 'public');
INSERT INTO projects (owner_id, name) SELECT id, 'House' FROM users;
INSERT INTO todos (owner_id, title, description, state, project_id)
    SELECT owner_id, 'in a project', '', 'done', id FROM projects;
INSERT INTO todos (owner_id, title, description, state)
    SELECT id, title, '', 'done' FROM users, (VALUES ('kept'), ('deleted')) AS new (title);
INSERT INTO deletions (owner_id, kind, item_id, title)
    SELECT owner_id, 'todo', id, title FROM todos WHERE title = 'deleted';
INSERT INTO deletions (owner_id, kind, item_id, title)
    SELECT owner_id, 'project', id, name FROM projects;
UPDATE todos SET deletion_id = deletions.id FROM deletions
    WHERE kind = 'todo' AND item_id = todos.id;
UPDATE projects SET deletion_id = deletions.id FROM deletions
    WHERE kind = 'project' AND item_id = projects.id
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
        for table, statements in ROWS.items():
            if table in tables:
                for statement in statements.split(";"):
                    connection.execute(text(statement))


async def test_todos_of_the_release_before_keep_when_they_were_completed(empty):
    await alembic(empty, command.upgrade, "0018")
    with migrations.create_migration_engine(empty).begin() as connection:
        for statement in BEFORE.split(";"):
            connection.execute(text(statement))

    await upgrade(empty)

    with migrations.create_migration_engine(empty).begin() as connection:
        found = connection.execute(
            text("SELECT title, completed_at::date::text, priority::text FROM todos ORDER BY id")
        ).all()
        positions = connection.scalar(text("SELECT count(*) FROM todos WHERE position IS NULL"))
    assert found == [
        ("counted", "2026-01-02", "none"),
        ("not counted", "2026-03-04", "none"),
        ("open", None, "none"),
    ]
    assert positions == 3


async def test_the_release_before_shows_nothing_of_the_trash(empty):
    await upgrade(empty)
    with migrations.create_migration_engine(empty).begin() as connection:
        for statement in TRASHED.split(";"):
            connection.execute(text(statement))

    await alembic(empty, command.downgrade, "0018")

    with migrations.create_migration_engine(empty).begin() as connection:
        shown = connection.scalars(text("SELECT title FROM todos")).all()
        posted = connection.scalars(text("SELECT text FROM posts WHERE author_id > 0")).all()
    assert (shown, posted) == (["kept"], ["kept"])


UNINDEXED = """
INSERT INTO users (username, email, password_hash) VALUES ('ana', 'ana@example.com', '');
INSERT INTO todos (owner_id, title, description, state, updated_at)
    SELECT id, title, 'Na padaria', 'todo', '2026-03-04 12:00Z'
    FROM users, (VALUES ('Comprar pão'), ('Pães'), ('Outra')) AS new (title);
UPDATE todos SET state = 'doing' WHERE title = 'Pães'
"""
FOUND = """
SELECT title FROM todos WHERE search @@ search_query('pão', false) ORDER BY id
"""
UNCHANGED = """
SELECT version, updated_at, (SELECT count(*) FROM changes) FROM todos ORDER BY id
"""


async def test_the_words_of_todos_are_filled_in_without_a_change(empty):
    await alembic(empty, command.upgrade, "0031")
    with migrations.create_migration_engine(empty).begin() as connection:
        for statement in UNINDEXED.split(";"):
            connection.execute(text(statement))
        before = connection.execute(text(UNCHANGED)).all()

    await upgrade(empty)

    with migrations.create_migration_engine(empty).begin() as connection:
        assert connection.execute(text(UNCHANGED)).all() == before
        assert connection.scalars(text(FOUND)).all() == ["Comprar pão", "Pães"]
        connection.execute(text("UPDATE todos SET title = 'Pão' WHERE title = 'Outra'"))
        assert connection.scalars(text(FOUND)).all() == ["Comprar pão", "Pães", "Pão"]
    assert [version for version, *_ in before] == [1, 2, 1]


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
