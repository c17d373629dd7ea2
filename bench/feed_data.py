"""Data for the feed: many people, some of whom everybody follows, and years of posts."""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import psycopg
from sqlalchemy import URL

from bench.databases import PATIENCE, Database, email, todos
from fast_zero.core.database import migrations

FAMOUS = 5
"""People whom everybody else follows; they have the first ids."""
READERS = 50
"""People who follow a thousand others; they have the ids after that."""
FOLLOWED_BY_READER = 1000
QUIET = 50
"""People who follow ten of the others and none of the famous; with the ids after the readers."""
FOLLOWED_BY_QUIET = 10
FOLLOWED = 95
LIKED = 100
"""How many of the newest posts are liked by many."""
LIKES = 200
LINES = 20_000


@dataclass(frozen=True)
class FeedSize:
    """The number of people and posts."""

    people: int = 100_000
    posts: int = 5_000_000
    todos_each: int = 100

    def readers(self) -> range:
        return range(FAMOUS + 1, FAMOUS + READERS + 1)

    def quiet(self) -> range:
        return range(FAMOUS + READERS + 1, FAMOUS + READERS + QUIET + 1)

    def follows(self) -> int:
        """Return the approximate number, since nobody follows themself."""
        return self.people * (FAMOUS + FOLLOWED) + READERS * (FOLLOWED_BY_READER - FOLLOWED)


def prepare(server: URL, size: FeedSize, progress: Callable[[str, int, int], None]) -> Database:
    """Create the database. `progress` gets a table, its number of rows, and the expected number."""
    database = Database(server.set(database="feed"), size.todos_each)
    Database(server, 0).run("CREATE DATABASE feed")
    migrations.upgrade(database.url, PATIENCE)
    generator = random.Random(7)  # noqa: S311  # the same data each time
    tables: list[tuple[str, str, int, Iterator[str]]] = [
        ("users", "id, username, email, password_hash", size.people, people(size)),
        ("todos", "id, owner_id, title, description, state", 0, first_todos(size)),
        ("follows", "id, follower_id, followed_id", size.follows(), follows(size)),
        (
            "posts",
            "id, author_id, text, visibility, reply_to, circle, above",
            size.posts,
            posts(size, generator),
        ),
        ("likes", "id, post_id, user_id", 0, likes(size, generator)),
    ]
    with psycopg.connect(
        database.url.set(drivername="postgresql").render_as_string(hide_password=False)
    ) as connection:
        # Triggers and foreign keys are not needed, since the copied rows are consistent.
        connection.execute("SET session_replication_role = replica")
        for table, columns, expected, lines in tables:
            with connection.cursor().copy(f"COPY {table} ({columns}) FROM STDIN".encode()) as copy:
                for number, part in enumerate(chunks(lines), 1):
                    copy.write(part)
                    progress(table, min(number * LINES, expected or number * LINES), expected)
            sequence = f"pg_get_serial_sequence('{table}', 'id')"
            connection.execute(f"SELECT setval({sequence}, max(id)) FROM {table}".encode())
        connection.commit()
    database.run(*(f"VACUUM ANALYZE {table}" for table, *_ in tables), "CHECKPOINT")
    return database


def chunks(lines: Iterator[str]) -> Iterator[str]:
    part: list[str] = []
    for line in lines:
        part.append(line)
        if len(part) == LINES:
            yield "".join(part)
            part = []
    yield "".join(part)


def people(size: FeedSize) -> Iterator[str]:
    for user_id in range(1, size.people + 1):
        yield f"{user_id}\tuser{user_id}\t{email(user_id)}\tnone\n"


def first_todos(size: FeedSize) -> Iterator[str]:
    """Give the first thousand people todos, which is enough for the comparison."""
    for row in todos(size.todos_each):
        yield "\t".join(map(str, row)) + "\n"


def follows(size: FeedSize) -> Iterator[str]:
    """Let everybody follow the famous and some others, who are spread evenly."""
    number = 0
    ordinary = size.people - FAMOUS
    for follower in range(1, size.people + 1):
        famous = tuple(range(1, FAMOUS + 1))
        many = FOLLOWED_BY_READER if follower in size.readers() else FOLLOWED
        if follower in size.quiet():
            many, famous = FOLLOWED_BY_QUIET, ()
        step = ordinary // many
        others = (FAMOUS + 1 + (follower * 7919 + turn * step) % ordinary for turn in range(many))
        for followed in (*famous, *others):
            if followed != follower:
                number += 1
                yield f"{number}\t{follower}\t{followed}\n"


def posts(size: FeedSize, generator: random.Random) -> Iterator[str]:
    """Write posts, a hundredth by the famous; of twenty, two are for followers, one is a reply."""
    for post_id in range(1, size.posts + 1):
        famous = generator.random() < 0.01  # noqa: PLR2004  # see above
        author = generator.randint(1, FAMOUS if famous else size.people)
        level, reply_to, circle = "public", "\\N", "\\N"
        match post_id % 20:
            case 3 | 13:
                level, circle = "followers", str(author)
            case 7:
                level = "private"
            case 11 if post_id > LIKED:
                reply_to = str(post_id // 20 * 20 - 20 * generator.randint(0, 3))
        text = f"The bread is in the oven, number {post_id}."
        yield f"{post_id}\t{author}\t{text}\t{level}\t{reply_to}\t{circle}\t{{}}\n"


def likes(size: FeedSize, generator: random.Random) -> Iterator[str]:
    """Let each person like ten posts, and many people the newest ones."""
    newest = range(size.posts - LIKED, size.posts + 1)
    pairs = {
        *(
            (generator.randint(1, size.posts), user)
            for user in range(size.people)
            for _ in range(10)
        ),
        *((post, generator.randint(1, size.people)) for post in newest for _ in range(LIKES)),
    }
    for number, (post_id, user_id) in enumerate(pairs, 1):
        yield f"{number}\t{post_id}\t{user_id or size.people}\n"
