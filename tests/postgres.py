"""Which PostgreSQL the tests run on: TEST_DATABASE_URL, a container, or the embedded one."""

import gc
import os
import secrets
import shutil
import tempfile
import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
from docker.errors import DockerException
from psycopg import sql
from sqlalchemy import URL, make_url

from fast_zero.core.database import embedded, migrations
from fast_zero.core.database.embedded import roles
from fast_zero.core.errors import StartError
from fast_zero.core.settings import parse_database_url

# If the tests run in a container, testcontainers gets the address of the new one from the engine.
os.environ.setdefault("TESTCONTAINERS_CONNECTION_MODE", "docker_host")
from testcontainers.community.postgres import PostgresContainer  # reads the variable

MIGRATION_WAIT_SECONDS = 60


@dataclass
class Server:
    """A server that creates databases as copies of a migrated template."""

    name: str
    url: URL
    close: Callable[[], None]

    def __post_init__(self) -> None:
        self.prefix = f"fast_zero_test_{secrets.token_hex(4)}"
        self.databases: list[str] = []
        template = self.create_database("template", template="template1")
        migrations.upgrade(parse_database_url(template), MIGRATION_WAIT_SECONDS)

    def create_database(self, suffix: str, template: str | None = None) -> str:
        """Create a database, by default from the migrated template, and return its URL."""
        name = f"{self.prefix}_{suffix}"
        self.execute("CREATE DATABASE {} TEMPLATE {}", name, template or f"{self.prefix}_template")
        self.databases.append(name)
        return self.url.set(database=name).render_as_string(hide_password=False)

    def execute(self, statement: str, *names: str) -> None:
        url = self.url.set(drivername="postgresql").render_as_string(hide_password=False)
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))

    def stop(self) -> None:
        for name in self.databases:
            self.execute("DROP DATABASE IF EXISTS {} WITH (FORCE)", name)
        self.close()


@contextmanager
def copied(database_url: str) -> Iterator[str]:
    """Create a database from the same template as that of a worker, and drop it in the end."""
    url = make_url(database_url)
    name, template = f"{url.database}_copy", f"{url.database.rpartition('_')[0]}_template"
    server = f"{url.set(drivername='postgresql').render_as_string(hide_password=False)}"
    with psycopg.connect(server, autocommit=True) as connection:

        def execute(statement: str, *names: str) -> None:
            connection.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))

        execute("CREATE DATABASE {} TEMPLATE {}", name, template)
        try:
            yield url.set(database=name).render_as_string(hide_password=False)
        finally:
            execute("DROP DATABASE {} WITH (FORCE)", name)


def find_server() -> Server:
    if given := os.environ.get("TEST_DATABASE_URL"):
        url = parse_database_url(given)
        return Server(f"TEST_DATABASE_URL, {url!r}", url, lambda: None)
    return in_container() or from_wheel()


def in_container() -> Server | None:
    """Start PostgreSQL 18 in a container, if a container engine is available."""
    with warnings.catch_warnings(action="ignore", category=ResourceWarning):
        # Without an engine, the client leaves its socket to the garbage collector.
        try:
            container = PostgresContainer("postgres:18", driver="psycopg").start()
        except DockerException:
            return None
        finally:
            gc.collect()
    url = parse_database_url(container.get_connection_url())
    return Server("postgres:18 in a container", url, container.stop)


def from_wheel() -> Server:
    folder = Path(tempfile.mkdtemp(prefix="fast_zero-tests-"))
    stack = ExitStack()
    stack.callback(shutil.rmtree, folder, ignore_errors=True)
    try:
        url = stack.enter_context(embedded.running(folder))
        allow_tests(url)
    except StartError:
        stack.close()
        raise
    return Server(f"PostgreSQL {embedded.MAJOR} from the wheel", url, stack.close)


def allow_tests(url: URL) -> None:
    """Allow the role of the application to create databases and to disable triggers.

    Nothing is forced to the disk: a busy one makes statements wait until their time limits, and
    these databases end with the tests. Those of programs that are killed are elsewhere.
    """
    admin = url.set(drivername="postgresql", username=roles.SUPERUSER)
    with psycopg.connect(admin.render_as_string(), autocommit=True) as connection:
        connection.execute("ALTER SYSTEM SET fsync = off")
        connection.execute("SELECT pg_reload_conf()")
        connection.execute(f"ALTER ROLE {roles.APPLICATION} CREATEDB")
        # DROP DATABASE … WITH (FORCE) also ends autovacuum, if it is running.
        connection.execute(f"GRANT pg_signal_backend TO {roles.APPLICATION}")
        connection.execute(
            f"GRANT SET ON PARAMETER session_replication_role TO {roles.APPLICATION}"
        )
