"""Data for the todos: people with projects, labels, three levels of todos, and two long lists."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import psycopg
from sqlalchemy import URL

from bench.databases import PATIENCE, STATES, TITLES, Database, email
from bench.feed_data import LINES, chunks
from fast_zero.core.database import migrations

LABELS = 20
"""The labels of each person."""
CARRIED = 5
"""The labels of each todo."""
PROJECTS = 10
"""The projects of each person; a tenth of their todos is in the inbox."""
FAMILY = 10
CHILDREN_OF_SECOND = 3
"""Of ten todos, one is the parent of six, and one of these is the parent of the other three."""
SHORT, LONG = 10, 10_000
"""The siblings of the two people whose todos are moved."""
BLOCKED = 10
"""One of so many todos waits for another."""


@dataclass(frozen=True)
class TodosSize:
    people: int = 1000
    todos_each: int = 1000

    @property
    def mover_of_few(self) -> int:
        return self.people + 1

    @property
    def mover_of_many(self) -> int:
        return self.people + 2

    def siblings(self) -> Iterator[tuple[int, int]]:
        """Return the ids and owners of the todos that are moved."""
        first = self.people * self.todos_each + 1
        for number in range(SHORT):
            yield first + number, self.mover_of_few
        for number in range(LONG):
            yield first + SHORT + number, self.mover_of_many


def prepare(server: URL, size: TodosSize, progress: Callable[[str, int, int], None]) -> Database:
    """Create the database. `progress` gets a table, its number of rows, and the expected number."""
    name = f"todos_of_{size.people}"
    database = Database(server.set(database=name), size.todos_each)
    Database(server, 0).run(f"CREATE DATABASE {name}")
    migrations.upgrade(database.url, PATIENCE)
    tables = [
        ("users", "id, username, email, password_hash", users(size)),
        ("projects", "id, owner_id, name", projects(size)),
        ("labels", "id, owner_id, name", labels(size)),
        ("todos", "id, owner_id, title, description, state, project_id, parent_id", todos(size)),
        ("todo_labels", "owner_id, todo_id, label_id", todo_labels(size)),
        ("todo_relations", "owner_id, todo_id, other_id, kind", relations(size)),
    ]
    with psycopg.connect(
        database.url.set(drivername="postgresql").render_as_string(hide_password=False)
    ) as connection:
        # Triggers and foreign keys are not needed, since the copied rows are consistent. Except for
        # the trigger that stores the words.
        connection.execute("SET session_replication_role = replica")
        connection.execute("ALTER TABLE todos ENABLE ALWAYS TRIGGER index_new_words")
        for table, columns, lines in tables:
            with connection.cursor().copy(f"COPY {table} ({columns}) FROM STDIN".encode()) as copy:
                for number, part in enumerate(chunks(lines), 1):
                    copy.write(part)
                    progress(table, number * LINES, 0)
            if columns.startswith("id"):
                sequence = f"pg_get_serial_sequence('{table}', 'id')"
                connection.execute(f"SELECT setval({sequence}, max(id)) FROM {table}".encode())
        connection.commit()
    database.run(*(f"VACUUM ANALYZE {table}" for table, *_ in tables), "CHECKPOINT")
    return database


def users(size: TodosSize) -> Iterator[str]:
    for user_id in range(1, size.people + 3):
        yield f"{user_id}\tuser{user_id}\t{email(user_id)}\tnone\n"


def projects(size: TodosSize) -> Iterator[str]:
    for user_id in range(1, size.people + 1):
        for number in range(PROJECTS):
            yield f"{(user_id - 1) * PROJECTS + number + 1}\t{user_id}\tProject {number}\n"


def labels(size: TodosSize) -> Iterator[str]:
    for user_id in range(1, size.people + 1):
        for number in range(LABELS):
            yield f"{(user_id - 1) * LABELS + number + 1}\t{user_id}\tlabel {number}\n"


def own_todos(size: TodosSize) -> Iterator[tuple[int, int, int]]:
    """Return the id, the owner and the number of each todo. A user's todos are apart."""
    for number in range(size.todos_each):
        for user_id in range(1, size.people + 1):
            yield number * size.people + user_id, user_id, number


def todos(size: TodosSize) -> Iterator[str]:
    for todo_id, user_id, number in own_todos(size):
        place = number % FAMILY
        # The first todo of a family is above the next six, and the second above the last three.
        above = place if place < FAMILY - CHILDREN_OF_SECOND else place - 1
        parent = todo_id - above * size.people if place else "\\N"
        group = number // FAMILY % (PROJECTS + 1)
        project = (user_id - 1) * PROJECTS + group if group else "\\N"
        title = f"{TITLES[number // len(STATES) % len(TITLES)]} {number}"
        state = STATES[number % len(STATES)]
        text = "Before the week is over."
        yield f"{todo_id}\t{user_id}\t{title}\t{text}\t{state}\t{project}\t{parent}\n"
    for todo_id, user_id in size.siblings():
        yield f"{todo_id}\t{user_id}\tMoved\t\ttodo\t\\N\t\\N\n"


def todo_labels(size: TodosSize) -> Iterator[str]:
    for todo_id, user_id, number in own_todos(size):
        for turn in range(CARRIED):
            label = (user_id - 1) * LABELS + (number + turn * 3) % LABELS + 1
            yield f"{user_id}\t{todo_id}\t{label}\n"


def relations(size: TodosSize) -> Iterator[str]:
    for todo_id, user_id, number in own_todos(size):
        if number % BLOCKED == 1:
            yield f"{user_id}\t{todo_id - size.people}\t{todo_id}\tblocks\n"
