"""Plausible demo data: users, their projects and todos, and their posts over the last months.

Events are written in chronological order. The same random seed gives the same data.
"""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from operator import itemgetter
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import text

from fast_zero.core.database import Session, set_writer
from fast_zero.core.errors import Conflict
from fast_zero.operations.lives import (
    ANSWERS,
    BIOS,
    CHORES,
    LABELS,
    LANGUAGES,
    PLANS,
    REMARKS,
    Plan,
    Task,
    Words,
)

DAYS = 150
PLANNED_DAYS = 60
"""How long ago the oldest project began."""
NAMES = (
    *("Alba", "Rui", "Bea", "Caio", "Dora", "Enzo", "Flora", "Gil", "Helena", "Igor"),
    *("Júlia", "Kauã", "Lia", "Marcos", "Nina", "Otto", "Paula", "Quim", "Rosa", "Saulo"),
)
SURNAMES = ("Alves", "Barbosa", "Costa", "Dias", "Esteves", "Farias", "Gomes", "Lima", "Moraes")
ZONES = ("America/Sao_Paulo", "America/Sao_Paulo", "America/Manaus", "Europe/Lisbon", "UTC")
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
    "project": """
        INSERT INTO projects (owner_id, name, color, created_at, updated_at)
        VALUES (:person, :name, :color, :at, :at) RETURNING id
    """,
    "section": """
        INSERT INTO sections (owner_id, project_id, name, created_at, updated_at)
        VALUES (:person, :project, :name, :at, :at) RETURNING id
    """,
    "label": """
        INSERT INTO labels (owner_id, name, color, created_at, updated_at)
        VALUES (:person, :name, :color, :at, :at) RETURNING id
    """,
    "todo": """
        INSERT INTO todos (owner_id, project_id, section_id, parent_id, title, description, state,
            share, priority, due_on, due_at, time_zone, duration_minutes, created_at, updated_at)
        VALUES (:person, :project, :section, :parent, :title, '', 'todo',
            :share, :priority, :due_on, :due_at, :zone, :minutes, :at, :at)
        RETURNING id
    """,
    # The triggers write completion and post with the current time.
    "done": """
        UPDATE todos SET state = 'done', updated_at = :at WHERE id = :todo RETURNING id
    """,
    "backdate": """
        WITH noted AS (UPDATE completions SET finished_at = :at WHERE todo_id = :todo),
        dated AS (UPDATE todos SET completed_at = :at WHERE id = :todo)
        UPDATE posts SET created_at = :at WHERE todo_id = :todo RETURNING id
    """,
    "label a todo": """
        INSERT INTO todo_labels (owner_id, todo_id, label_id) VALUES (:person, :todo, :label)
        RETURNING todo_id
    """,
    # A trigger has set the current time.
    "touch": """
        UPDATE todos SET updated_at = :at WHERE id = :todo RETURNING id
    """,
    "relation": """
        INSERT INTO todo_relations (owner_id, todo_id, other_id, kind, created_at)
        VALUES (:person, :todo, :waiting, 'blocks', :at) RETURNING todo_id
    """,
    "deletion": """
        WITH made AS (
            INSERT INTO deletions (owner_id, kind, item_id, title, deleted_at)
            SELECT owner_id, 'todo', id, title, :at FROM todos WHERE id = :todo
            RETURNING id, item_id
        )
        UPDATE todos SET deletion_id = made.id, updated_at = :at FROM made
        WHERE todos.id = made.item_id RETURNING todos.id
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
AFTERWARDS = {"done": "backdate", "label a todo": "touch"}
"""Which statement corrects what triggers have written."""
IDS = (
    *("person", "other", "project", "section", "label"),
    *("todo", "parent", "waiting", "post"),
)
"""The parameters that are ids."""
UNPLANNED = dict.fromkeys(("project", "section", "parent", "due_on", "due_at", "zone", "minutes"))
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
    ids: dict[object, int] = field(default_factory=dict)

    def events(self) -> list[Event]:
        """Generate all events in chronological order."""
        drawn = [*self.arrivals(), *self.follows(), *self.lives(), *self.remarks()]
        return sorted(drawn, key=itemgetter(0))

    def moment(self) -> datetime:
        """Choose a random moment of the last months, at an hour when people are awake."""
        day = self.now - timedelta(days=self.chance.uniform(1, DAYS))
        return day.replace(hour=self.chance.choice((8, 9, 12, 13, 18, 19, 20, 21)))

    def said(self, person: int, words: Words) -> str:
        return words[person % len(LANGUAGES)]

    def zone(self, person: int) -> str:
        return ZONES[person % len(ZONES)]

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
                    "bio": self.said(person, self.chance.choice(BIOS)),
                    "zone": self.zone(person),
                    "language": self.said(person, LANGUAGES),
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

    def lives(self) -> Iterator[Event]:
        """Give everybody some projects, and chores for the rest of the todos."""
        for person in range(self.people):
            yield from self.labels(person)
            first = 0
            for plan in self.chance.sample(PLANS, self.chance.choice((2, 3))):
                if first < self.todos:
                    yield from self.project(person, plan, first)
                    first += len(plan.tasks)
            yield from self.chores(person, first)

    def labels(self, person: int) -> Iterator[Event]:
        at = self.now - timedelta(days=PLANNED_DAYS + 1)
        for place, (words, color) in enumerate(LABELS if self.todos else ()):
            new = {"name": self.said(person, words), "color": color}
            yield at, "label", {"person": person, **new, "number": ("label", person, place)}

    def project(self, person: int, plan: Plan, first: int) -> Iterator[Event]:
        """Write a project. The number of its first todo is `first` for this person."""
        began = self.now - timedelta(days=self.chance.uniform(PLANNED_DAYS // 2, PLANNED_DAYS))
        name, its = self.said(person, plan.name), ("project", person, first)
        new = {"person": person, "name": name, "color": plan.color}
        yield began, "project", {**new, "number": its}
        for place, words in enumerate(plan.sections):
            new = {"person": person, "project": its, "name": self.said(person, words)}
            yield began, "section", {**new, "number": ("section", *its, place)}
        for place, task in enumerate(plan.tasks[: self.todos - first]):
            at = began + timedelta(minutes=10 * (place + 1))
            places: dict[str, Any] = {"project": its, "section": None, "parent": None}
            if task.section is not None:
                places["section"] = ("section", *its, task.section)
            if task.under is not None:
                places = dict.fromkeys(places) | {"parent": self.todo(person, first + task.under)}
            number = self.todo(person, first + place)
            yield at, "todo", self.planned(person, task) | places | {"number": number}
            if task.waits_for is not None:
                blocker = self.todo(person, first + task.waits_for)
                yield at, "relation", {"person": person, "todo": blocker, "waiting": number}
            yield from self.later_changes(person, number, task, at)

    def todo(self, person: int, place: int) -> int:
        """Return the number of a person's todo."""
        return self.people * (1 + place) + person

    def planned(self, person: int, task: Task) -> dict[str, Any]:
        """Return the values of a todo. Its due day is counted from the person's own today."""
        values = UNPLANNED | {"person": person, "title": self.said(person, task.title)}
        values |= {"share": None, "priority": task.priority, "minutes": task.minutes}
        zone = self.zone(person)
        if task.due is not None:
            day: date = self.now.astimezone(ZoneInfo(zone)).date() + timedelta(days=task.due)
            if task.hour is None:
                values["due_on"] = day
            else:
                moment = datetime.combine(day, time(task.hour), ZoneInfo(zone))
                values |= {"due_at": moment, "zone": zone}
        return values

    def later_changes(self, person: int, todo: int, task: Task, at: datetime) -> Iterator[Event]:
        for label in task.labels:
            yield (
                at,
                "label a todo",
                {"person": person, "todo": todo, "label": ("label", person, label)},
            )
        if task.done:
            yield self.now - timedelta(days=self.chance.uniform(1, 10)), "done", {"todo": todo}
        if task.trashed:
            yield self.now - timedelta(days=self.chance.uniform(1, 10)), "deletion", {"todo": todo}

    def chores(self, person: int, first: int) -> Iterator[Event]:
        for place in range(first, self.todos):
            number, at = self.todo(person, place), self.moment()
            share = self.chance.choice((None, None, None, "off"))
            title = self.said(person, self.chance.choice(CHORES))
            new = {"person": person, "title": title, "share": share, "priority": "none"}
            yield at, "todo", UNPLANNED | new | {"number": number}
            if self.chance.random() < 0.75:  # noqa: PLR2004  # most todos get done
                done = at + timedelta(days=self.chance.expovariate(0.3))
                yield min(done, self.now), "done", {"todo": number}

    def remarks(self) -> Iterator[Event]:
        first = self.people * (1 + self.todos)
        for number in range(first, first + self.people * 8):
            at, person = self.moment(), self.chance.randrange(self.people)
            level = self.chance.choice(("public", "public", "public", "followers"))
            remark = self.said(person, self.chance.choice(REMARKS))
            said = {"person": person, "text": remark, "level": level}
            yield at, "post", said | {"number": number}
            for _ in range(self.chance.choice((0, 0, 1, 2)) if level == "public" else 0):
                other = self.chance.randrange(self.people)
                answer = self.said(other, self.chance.choice(ANSWERS))
                yield self.later(at), "reply", {"post": number, "text": answer, "person": other}
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
    await set_writer(session)
    for number, (at, kind, values) in enumerate(events, 1):
        counts[kind] += await write(session, demo, kind, {"at": at, **values})
        progress(number, len(events))
    for kind in AFTERWARDS.values():
        del counts[kind]
    return counts


async def write(session: Session, demo: Demo, kind: str, values: dict[str, Any]) -> int:
    """Write one event, unless its row exists; return the number of rows."""
    number = values.pop("number", None)
    for name in IDS:
        if values.get(name) is not None:
            values[name] = demo.ids[values[name]]
    written = await session.scalar(SENT[kind], values)
    if number is not None and written is not None:
        demo.ids[number] = written
    if kind in AFTERWARDS:
        await session.execute(SENT[AFTERWARDS[kind]], {"at": values["at"], "todo": values["todo"]})
    return int(written is not None)
