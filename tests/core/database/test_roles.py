"""The role of the application in the embedded database, and clusters of earlier releases."""

import fcntl

import psycopg
import pytest
from psycopg import errors

from fast_zero.core.database import embedded, migrations
from fast_zero.core.database.embedded import programs, roles
from fast_zero.core.errors import StartError
from tests.processes import call

# Every kind of object that a migration may create.
OBJECTS = (
    'CREATE SCHEMA "an other"',
    "CREATE TYPE pair AS (a int, b int)",
    "CREATE TYPE mood AS ENUM ('good', 'bad')",
    "CREATE DOMAIN positive AS int CHECK (VALUE > 0)",
    'CREATE TABLE "an other"."a table" (id serial PRIMARY KEY, m mood, p positive)',
    "CREATE TABLE parts (id int GENERATED ALWAYS AS IDENTITY, day date) PARTITION BY RANGE (day)",
    "CREATE TABLE part PARTITION OF parts DEFAULT",
    "CREATE VIEW seen AS SELECT * FROM parts",
    "CREATE MATERIALIZED VIEW stored AS SELECT 1 AS number",
    "CREATE SEQUENCE numbers",
    "CREATE FUNCTION one(a int, b text DEFAULT '') RETURNS int LANGUAGE sql RETURN 1",
    "CREATE PROCEDURE nothing() LANGUAGE plpgsql AS 'BEGIN END'",
    "INSERT INTO \"an other\".\"a table\" (m, p) VALUES ('good', 1), ('bad', 2)",
    "INSERT INTO users (username, email, password_hash) VALUES ('ana', 'ana@example.com', '')",
    """INSERT INTO todos (owner_id, title, description, state)
    SELECT id, 'Bake bread', '', 'todo' FROM users""",
)


def connect(url, user: str | None = None) -> psycopg.Connection:
    return psycopg.connect(
        host=url.query["host"], user=user or url.username, dbname=url.database, autocommit=True
    )


@pytest.fixture
def url(tmp_path):
    with embedded.running(tmp_path / "data") as url:
        yield url


@pytest.fixture
def earlier_cluster(tmp_path):
    """Return the folder of a cluster of an earlier release, whose superuser owns every object."""
    data_dir = tmp_path / "earlier"
    data_dir.mkdir(mode=0o755)
    cluster, program_folder = data_dir / f"pg{embedded.MAJOR}", programs.find()
    embedded.ensure_cluster(program_folder, cluster)
    embedded.ensure_started(program_folder, cluster)
    try:
        with embedded.address(cluster) as url:
            superuser = url.set(username=roles.SUPERUSER)
            migrations.upgrade(superuser, 60)
            with connect(superuser) as connection:
                for statement in OBJECTS:
                    connection.execute(statement)
    finally:
        embedded.control(program_folder, cluster, "stop", "-w")
    return data_dir


def test_the_application_role_is_not_a_superuser_and_cannot_run_programs(url):
    with connect(url) as connection:
        assert (
            connection.execute(
                "SELECT rolsuper, rolcreaterole, rolcreatedb, rolreplication, rolbypassrls "
                "FROM pg_roles WHERE rolname = current_user"
            ).fetchone()
            == (False,) * 5
        )
        for statement in (
            "COPY (SELECT 1) TO PROGRAM 'true'",
            "COPY pg_class TO '/tmp/never'",
            "SELECT pg_read_file('postgresql.conf')",
            "ALTER SYSTEM SET archive_command = 'true'",
            f"SET ROLE {roles.SUPERUSER}",
            f"ALTER ROLE {roles.APPLICATION} SUPERUSER",
        ):
            with pytest.raises(errors.InsufficientPrivilege):
                connection.execute(statement)


def test_the_application_owns_its_database(url):
    migrations.upgrade(url, 60)
    migrations.empty(url)
    migrations.upgrade(url, 60)

    with connect(url) as connection:
        assert connection.execute("SELECT count(*) FROM users").fetchone() == (0,)


def test_all_objects_of_an_earlier_release_are_reassigned_to_the_application(earlier_cluster):
    with embedded.running(earlier_cluster) as url:
        with connect(url, roles.SUPERUSER) as connection:
            assert connection.execute(roles.OWNED_BY_SUPERUSER).fetchall() == []
        with connect(url) as connection:
            assert connection.execute(
                "SELECT username, title FROM todos JOIN users ON users.id = owner_id"
            ).fetchone() == ("ana", "Bake bread")
            connection.execute('INSERT INTO "an other"."a table" (m, p) VALUES (\'good\', 3)')
            rows = connection.execute('SELECT id, m, p FROM "an other"."a table"').fetchall()
            assert rows == [(1, "good", 1), (2, "bad", 2), (3, "good", 3)]
            for statement in (
                'DROP SCHEMA "an other" CASCADE',
                "DROP VIEW seen",
                "DROP MATERIALIZED VIEW stored",
                "DROP TABLE parts",
                "DROP SEQUENCE numbers",
                "DROP FUNCTION one",
                "DROP PROCEDURE nothing",
                "DROP TYPE mood, pair",
                "DROP DOMAIN positive",
            ):
                connection.execute(statement)
    assert "ana" in call(earlier_cluster, "users", "list").stdout


def test_objects_that_an_earlier_release_adds_later_are_reassigned_too(earlier_cluster):
    with embedded.running(earlier_cluster) as url, connect(url, roles.SUPERUSER) as connection:
        connection.execute("CREATE TABLE late AS SELECT 1 AS number")
        with embedded.running(earlier_cluster), connect(url) as application:
            assert application.execute("SELECT number FROM late").fetchone() == (1,)


def test_a_failed_reassignment_is_rolled_back_and_repeated_by_the_next_start(
    earlier_cluster, monkeypatch
):
    program_folder, cluster = programs.find(), earlier_cluster / f"pg{embedded.MAJOR}"
    embedded.ensure_started(program_folder, cluster)
    monkeypatch.setattr(roles, "OPTIONS", roles.OPTIONS.replace("4s", "100ms"))
    with (
        (earlier_cluster / "in-use").open("w") as in_use,
        embedded.address(cluster) as url,
        connect(url, roles.SUPERUSER) as user,
    ):
        fcntl.flock(in_use, fcntl.LOCK_SH)  # so that the start that fails does not stop the server
        with user.transaction():
            user.execute("LOCK TABLE todos")
            with (
                pytest.raises(StartError, match=r"lock timeout.* stop that one first"),
                embedded.running(earlier_cluster),
            ):
                pass
        application_roles = user.execute(
            "SELECT count(*) FROM pg_roles WHERE rolname = %s", [roles.APPLICATION]
        )
        assert application_roles.fetchone() == (0,)
        in_use.close()
        with embedded.running(earlier_cluster) as again, connect(again) as connection:
            assert connection.execute("SELECT count(*) FROM todos").fetchone() == (1,)
