"""Plausible demo data: users, their todos over the last months, and their posts.

Events are written in chronological order. The same random seed gives the same data.
"""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from operator import itemgetter
from typing import Any

from sqlalchemy import text

from fast_zero.core.database import Session
from fast_zero.core.errors import Conflict

DAYS = 150
NAMES = (
    *("Alba", "Rui", "Bea", "Caio", "Dora", "Enzo", "Flora", "Gil", "Helena", "Igor"),
    *("Júlia", "Kauã", "Lia", "Marcos", "Nina", "Otto", "Paula", "Quim", "Rosa", "Saulo"),
)
SURNAMES = ("Alves", "Barbosa", "Costa", "Dias", "Esteves", "Farias", "Gomes", "Lima", "Moraes")
ZONES = ("America/Sao_Paulo", "America/Sao_Paulo", "America/Manaus", "Europe/Lisbon", "UTC")
BIOS = ("Bakes on Sundays.", "Runs, slowly.", "Teacher.", "Fixes old radios.", "Plants everywhere.")
DOINGS = (
    *("Bake bread", "Call grandmother", "Pay the rent", "Water the plants", "Mend the bicycle"),
    *("Read a chapter", "Run five kilometres", "Write to the landlord", "Clean the oven"),
    *("Sort the photos", "Buy a birthday present", "Book the dentist", "Practise the guitar"),
    *("Back up the laptop", "Plant tomatoes", "Learn ten words of Japanese", "Cook for friends"),
)
REMARKS = (
    *("What a day.", "Anyone for a walk on Sunday?", "The new bakery is worth the queue."),
    *("Three things done before breakfast.", "Rain again. Good for the plants."),
    *("Finally slept eight hours.", "Which book should I read next?", "Small steps."),
)
ANSWERS = (
    "Well done!",
    "Same here.",
    "I am in.",
    "Tell us more!",
    "So good.",
    "How long did it take?",
)

Event = tuple[datetime, str, dict[str, Any]]

STATEMENTS = {
    "person": """
        INSERT INTO users (username, email, password_hash, display_name, bio, time_zone,
            language, share_todos, email_verified_at, created_at, updated_at)
        VALUES (:username, :email, :password_hash, :name, :bio, :zone, :language, :share,
            :at, :at, :at)
        RETURNING id
    """,
    "follow": """
        INSERT INTO follows (follower_id, followed_id, created_at) VALUES (:person, :other, :at)
        ON CONFLICT DO NOTHING RETURNING id
    """,
    "todo": """
        INSERT INTO todos (owner_id, title, description, state, share, created_at, updated_at)
        VALUES (:person, :title, '', 'todo', :share, :at, :at) RETURNING id
    """,
    # The triggers write completion and post with the current time.
    "done": """
        UPDATE todos SET state = 'done', updated_at = :at WHERE id = :todo RETURNING id
    """,
    "backdate": """
        WITH noted AS (UPDATE completions SET finished_at = :at WHERE todo_id = :todo)
        UPDATE posts SET created_at = :at WHERE todo_id = :todo RETURNING id
    """,
    "post": """
        INSERT INTO posts (author_id, text, visibility, circle, above, created_at)
        VALUES (:person, :text, :level, CASE :level WHEN 'followers' THEN :person END, '{}', :at)
        RETURNING id
    """,
    "reply": """
        INSERT INTO posts (author_id, text, visibility, reply_to, above, created_at)
        SELECT :person, :text, 'public', id, ARRAY[author_id], :at FROM posts WHERE id = :post
        RETURNING id
    """,
    "like": """
        INSERT INTO likes (post_id, user_id, created_at) VALUES (:post, :person, :at)
        ON CONFLICT DO NOTHING RETURNING id
    """,
}
SENT = {name: text(statement) for name, statement in STATEMENTS.items()}


def usernames(people: int) -> list[str]:
    """Return the usernames of the demo, which no real user would choose."""
    rounds = (divmod(person, len(NAMES)) for person in range(people))
    return [f"demo-{NAMES[index].lower()}{again or ''}" for again, index in rounds]


@dataclass
class Demo:
    """The generator of the events, and the ids of the rows that were written."""

    chance: random.Random
    now: datetime
    password_hash: str
    people: int
    todos: int
    ids: dict[int, int] = field(default_factory=dict)

    def events(self) -> list[Event]:
        """Generate all events in chronological order."""
        drawn = [*self.arrivals(), *self.follows(), *self.tasks(), *self.remarks()]
        return sorted(drawn, key=itemgetter(0))

    def moment(self) -> datetime:
        """Choose a random moment of the last months, at an hour when people are awake."""
        day = self.now - timedelta(days=self.chance.uniform(1, DAYS))
        return day.replace(hour=self.chance.choice((8, 9, 12, 13, 18, 19, 20, 21)))

    def arrivals(self) -> Iterator[Event]:
        for person, username in enumerate(usernames(self.people)):
            first = NAMES[person % len(NAMES)]
            at = self.now - timedelta(days=DAYS + 30 - person * 29 / self.people)
            yield (
                at,
                "person",
                {
                    "number": person,
                    "username": username,
                    "email": f"{username}@demo.example".encode("ascii", "ignore").decode(),
                    "password_hash": self.password_hash,
                    "name": f"{first} {self.chance.choice(SURNAMES)}",
                    "bio": self.chance.choice(BIOS),
                    "zone": self.chance.choice(ZONES),
                    "language": self.chance.choice(("pt-BR", "en")),
                    "share": self.chance.choice(("off", "followers", "public", "public")),
                },
            )

    def follows(self) -> Iterator[Event]:
        for person in range(self.people):
            for _ in range(self.chance.randint(2, 8)):
                # The first users have the most followers.
                other = int(self.people * self.chance.random() ** 2)
                if other != person:
                    yield self.moment(), "follow", {"person": person, "other": other}

    def tasks(self) -> Iterator[Event]:
        for number in range(self.people * self.todos):
            person, at = number % self.people, self.moment()
            share = self.chance.choice((None, None, None, "off"))
            title = self.chance.choice(DOINGS)
            new = {"person": person, "title": title, "share": share, "number": self.people + number}
            yield at, "todo", new
            if self.chance.random() < 0.75:  # noqa: PLR2004  # most todos get done
                done = at + timedelta(days=self.chance.expovariate(0.3))
                yield min(done, self.now), "done", {"todo": self.people + number}

    def remarks(self) -> Iterator[Event]:
        first = self.people * (1 + self.todos)
        for number in range(first, first + self.people * 8):
            at, person = self.moment(), self.chance.randrange(self.people)
            level = self.chance.choice(("public", "public", "public", "followers"))
            said = {"person": person, "text": self.chance.choice(REMARKS), "level": level}
            yield at, "post", said | {"number": number}
            for _ in range(self.chance.choice((0, 0, 1, 2)) if level == "public" else 0):
                answer: dict[str, Any] = {"post": number, "text": self.chance.choice(ANSWERS)}
                answer["person"] = self.chance.randrange(self.people)
                yield self.later(at), "reply", answer
            for _ in range(self.chance.randint(0, 6)):
                yield (
                    self.later(at),
                    "like",
                    {
                        "person": self.chance.randrange(self.people),
                        "post": number,
                    },
                )

    def later(self, at: datetime) -> datetime:
        return min(at + timedelta(hours=self.chance.expovariate(0.2)), self.now)


async def write_demo(
    session: Session,
    password_hash: str,
    *,
    people: int,
    todos: int,
    progress: Callable[[int, int], None],
) -> dict[str, int]:
    """Write the demo data; return the number of rows by kind.

    `progress` is called with the number of events that are done, and of all. Raises Conflict if the
    users exist already.
    """
    now = datetime.now(UTC)
    demo = Demo(random.Random(7), now, password_hash, people, todos)  # noqa: S311  # a demo
    events, counts = demo.events(), dict.fromkeys(STATEMENTS, 0)
    taken = text("SELECT username FROM users WHERE username = ANY (:names) LIMIT 1")
    names = [values["username"] for _, kind, values in events if kind == "person"]
    if found := await session.scalar(taken, {"names": names}):
        raise Conflict(f"User {found} exists: the demo data is there already.")
    for number, (at, kind, values) in enumerate(events, 1):
        counts[kind] += await write(session, demo, kind, {"at": at, **values})
        progress(number, len(events))
    del counts["backdate"]
    return counts


async def write(session: Session, demo: Demo, kind: str, values: dict[str, Any]) -> int:
    """Write one event, unless its row exists; return the number of rows."""
    number = values.pop("number", None)
    for name in ("person", "other", "todo", "post"):
        if name in values:
            values[name] = demo.ids[values[name]]
    written = await session.scalar(SENT[kind], values)
    if number is not None and written is not None:
        demo.ids[number] = written
    if kind == "done":
        await session.execute(SENT["backdate"], {"at": values["at"], "todo": values["todo"]})
    return int(written is not None)
