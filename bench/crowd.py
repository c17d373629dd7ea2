"""A crowd for the feed: many people, some of whom everybody follows, and years of posts."""

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
class Crowd:
    """How many there are."""

    people: int = 100_000
    posts: int = 5_000_000
    todos_each: int = 100

    def readers(self) -> range:
        return range(FAMOUS + 1, FAMOUS + READERS + 1)

    def quiet(self) -> range:
        return range(FAMOUS + READERS + 1, FAMOUS + READERS + QUIET + 1)

    def follows(self) -> int:
        """About how many: nobody follows themself."""
        return self.people * (FAMOUS + FOLLOWED) + READERS * (FOLLOWED_BY_READER - FOLLOWED)


def prepare(server: URL, crowd: Crowd, progress: Callable[[str, int, int], None]) -> Database:
    """Make the database. `progress` hears of what how much is there, and of how much."""
    found = Database(server.set(database="crowd"), crowd.todos_each)
    Database(server, 0).run("CREATE DATABASE crowd")
    migrations.upgrade(found.url, PATIENCE)
    chance = random.Random(7)  # noqa: S311  # the same crowd each time
    tables: list[tuple[str, str, int, Iterator[str]]] = [
        ("users", "id, username, email, password_hash", crowd.people, people(crowd)),
        ("todos", "id, owner_id, title, description, state", 0, first_todos(crowd)),
        ("follows", "id, follower_id, followed_id", crowd.follows(), follows(crowd)),
        (
            "posts",
            "id, author_id, text, visibility, reply_to, circle, above",
            crowd.posts,
            posts(crowd, chance),
        ),
        ("likes", "id, post_id, user_id", 0, likes(crowd, chance)),
    ]
    with psycopg.connect(
        found.url.set(drivername="postgresql").render_as_string(hide_password=False)
    ) as connection:
        # No trigger and no foreign key is asked: what is copied in is right.
        connection.execute("SET session_replication_role = replica")
        for table, columns, expected, lines in tables:
            with connection.cursor().copy(f"COPY {table} ({columns}) FROM STDIN".encode()) as copy:
                for number, part in enumerate(chunks(lines), 1):
                    copy.write(part)
                    progress(table, min(number * LINES, expected or number * LINES), expected)
            sequence = f"pg_get_serial_sequence('{table}', 'id')"
            connection.execute(f"SELECT setval({sequence}, max(id)) FROM {table}".encode())
        connection.commit()
    found.run(*(f"VACUUM ANALYZE {table}" for table, *_ in tables), "CHECKPOINT")
    return found


def chunks(lines: Iterator[str]) -> Iterator[str]:
    part: list[str] = []
    for line in lines:
        part.append(line)
        if len(part) == LINES:
            yield "".join(part)
            part = []
    yield "".join(part)


def people(crowd: Crowd) -> Iterator[str]:
    for user_id in range(1, crowd.people + 1):
        yield f"{user_id}\tuser{user_id}\t{email(user_id)}\tnone\n"


def first_todos(crowd: Crowd) -> Iterator[str]:
    """Give the first thousand people their todos; that is enough to compare with."""
    for row in todos(crowd.todos_each):
        yield "\t".join(map(str, row)) + "\n"


def follows(crowd: Crowd) -> Iterator[str]:
    """Let all follow the famous, and some of the others, spread over everybody."""
    number = 0
    ordinary = crowd.people - FAMOUS
    for follower in range(1, crowd.people + 1):
        famous = tuple(range(1, FAMOUS + 1))
        many = FOLLOWED_BY_READER if follower in crowd.readers() else FOLLOWED
        if follower in crowd.quiet():
            many, famous = FOLLOWED_BY_QUIET, ()
        step = ordinary // many
        others = (FAMOUS + 1 + (follower * 7919 + turn * step) % ordinary for turn in range(many))
        for followed in (*famous, *others):
            if followed != follower:
                number += 1
                yield f"{number}\t{follower}\t{followed}\n"


def posts(crowd: Crowd, chance: random.Random) -> Iterator[str]:
    """Write posts, a hundredth by the famous; of twenty, two are for followers, one is a reply."""
    for post_id in range(1, crowd.posts + 1):
        famous = chance.random() < 0.01  # noqa: PLR2004  # see above
        author = chance.randint(1, FAMOUS if famous else crowd.people)
        level, reply_to, circle = "public", "\\N", "\\N"
        match post_id % 20:
            case 3 | 13:
                level, circle = "followers", str(author)
            case 7:
                level = "private"
            case 11 if post_id > LIKED:
                reply_to = str(post_id // 20 * 20 - 20 * chance.randint(0, 3))
        text = f"The bread is in the oven, number {post_id}."
        yield f"{post_id}\t{author}\t{text}\t{level}\t{reply_to}\t{circle}\t{{}}\n"


def likes(crowd: Crowd, chance: random.Random) -> Iterator[str]:
    """Let each person like ten posts, and many people the newest ones."""
    newest = range(crowd.posts - LIKED, crowd.posts + 1)
    pairs = {
        *(
            (chance.randint(1, crowd.posts), user)
            for user in range(crowd.people)
            for _ in range(10)
        ),
        *((post, chance.randint(1, crowd.people)) for post in newest for _ in range(LIKES)),
    }
    for number, (post_id, user_id) in enumerate(pairs, 1):
        yield f"{number}\t{post_id}\t{user_id or crowd.people}\n"
