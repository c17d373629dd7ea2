"""Databases on a separate PostgreSQL, with the same users and todos in each."""

from collections.abc import Iterator
from dataclasses import dataclass

import psycopg
from pwdlib import PasswordHash
from sqlalchemy import URL, create_engine

from bench import tutorial
from fast_zero.core.database import migrations

USERS = 1000
PASSWORD = "a fine long sentence"  # noqa: S105  # used only here
PATIENCE = 60  # seconds
TITLES = ("Buy bread", "Call the plumber", "Read about gardens", "Pay the electricity bill")
STATES = ("draft", "todo", "doing", "done", "trash")


@dataclass(frozen=True)
class Database:
    url: URL
    each: int
    """Todos that every user has."""

    def address(self) -> str:
        return self.url.render_as_string(hide_password=False)

    def run(self, *statements: str) -> None:
        with psycopg.connect(
            self.url.set(drivername="postgresql").render_as_string(hide_password=False),
            autocommit=True,
        ) as connection:
            for statement in statements:
                connection.execute(statement.encode())

    def reset(self) -> None:
        """Delete the todos that a round created, so that every round has the same table."""
        self.run(f"DELETE FROM todos WHERE id > {USERS * self.each}", "VACUUM ANALYZE todos")


def email(user_id: int) -> str:
    return f"user{user_id}@example.com"


def prepare(server: URL, each: int) -> dict[str, Database]:
    """Create one database for each server."""
    admin = Database(server, 0)
    own, limit, tutorial_database = (
        Database(server.set(database=name), each) for name in ("fast_zero", "limit", "tutorial")
    )
    prepare_migrated(admin, own)
    admin.run('CREATE DATABASE "limit" TEMPLATE fast_zero', "CREATE DATABASE tutorial")
    engine = create_engine(tutorial_database.url)
    tutorial.Base.metadata.create_all(engine)
    engine.dispose()
    seed(tutorial_database, "password")
    return {"fast_zero": own, "limit": limit, "tutorial": tutorial_database}


def prepare_large(server: URL, each: int) -> Database:
    large = Database(server.set(database="large"), each)
    prepare_migrated(Database(server, 0), large)
    return large


def prepare_migrated(admin: Database, target: Database) -> None:
    admin.run(f"CREATE DATABASE {target.url.database}")
    migrations.upgrade(target.url, PATIENCE)
    seed(target, "password_hash")
    # The login sessions of the tokens, one for each user.
    target.run(
        "INSERT INTO login_sessions (id, owner_id, refresh_digest, scopes, user_agent, address,"
        " expires_at) OVERRIDING SYSTEM VALUE SELECT id, id, sha256(username::bytea), '{}', 'wrk',"
        " '127.0.0.1', now() + interval '1 day' FROM users",
        "SELECT setval(pg_get_serial_sequence('login_sessions', 'id'), max(id))"
        " FROM login_sessions",
    )


def seed(database: Database, password_column: str) -> None:
    """Copy users and todos. A user's todos are apart, as if users took turns."""
    password = PasswordHash.recommended().hash(PASSWORD)
    with psycopg.connect(
        database.url.set(drivername="postgresql").render_as_string(hide_password=False)
    ) as connection:
        cursor = connection.cursor()
        columns = f"users (id, username, email, {password_column})"
        with cursor.copy(f"COPY {columns} FROM STDIN") as copy:
            for user_id in range(1, USERS + 1):
                copy.write_row((user_id, f"user{user_id}", email(user_id), password))
        with cursor.copy("COPY todos (id, owner_id, title, description, state) FROM STDIN") as copy:
            for row in todos(database.each):
                copy.write_row(row)
        for table in ("users", "todos"):
            cursor.execute(
                f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), max(id)) FROM {table}"
            )
    database.run("VACUUM ANALYZE users", "VACUUM ANALYZE todos", "CHECKPOINT")


def todos(each: int) -> Iterator[tuple[int, int, str, str, str]]:
    for number in range(each):
        title = f"{TITLES[number // len(STATES) % len(TITLES)]} {number}"
        state = STATES[number % len(STATES)]
        for user_id in range(1, USERS + 1):
            yield number * USERS + user_id, user_id, title, "Before the week is over.", state
