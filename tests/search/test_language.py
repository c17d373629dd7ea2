"""`filter` of GET /todos finds what a model in plain Python does."""

import random
import unicodedata
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from urllib.parse import quote
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select, update

from fast_zero.filter_language.parsing import LONGEST, parse
from fast_zero.filter_language.syntax import (
    And,
    Condition,
    Filter,
    Not,
    Offset,
    Or,
    Text,
    Value,
    Weekday,
)
from fast_zero.filter_language.vocabulary import NAMED, Field
from fast_zero.models import Todo
from tests.asts import PRIORITIES, STATES, filters
from tests.core.expect import invalid_fields
from tests.factories import ProjectFactory, SectionFactory, TodoFactory, relate

# At every moment, it is another day than in UTC in one of the first two.
ZONES = ["Pacific/Kiritimati", "Pacific/Pago_Pago", "America/Sao_Paulo"]
WORDS = ["bread", "Pão", "pao", "a%b", "a_b", "Çedilha", "e", "or", 'say "a"']
PLACES = ["Home", "home", "Work", "none"]
LABELS = ["errands", "Fine", "none", "a,b"]
TODOS = 60
SEED = 7


@dataclass
class World:
    """Todos as they are, with the names of their places, and the moment of the test."""

    todos: list[dict]
    now: datetime
    zone: ZoneInfo
    client: object

    def today(self) -> date:
        return self.now.astimezone(self.zone).date()

    def day_of(self, moment: str | None) -> date | None:
        return moment and datetime.fromisoformat(moment).astimezone(self.zone).date()


def drawn(chance: random.Random, now: datetime, today: date) -> dict:
    """Return some of the fields of a todo; many of them are null."""
    words = [chance.choice(WORDS) for _ in range(2)]
    fields = {
        "title": words[0],
        "description": chance.choice(["", words[1]]),
        "state": chance.choice(STATES[:3] + STATES),
        "priority": chance.choice(PRIORITIES),
    }
    for name in ("starts_on", "deadline_on"):
        if chance.random() < 0.5:
            fields[name] = today + timedelta(chance.randint(-3, 9))
    kind = chance.randrange(3)
    if kind == 1:
        fields["due_on"] = today + timedelta(chance.randint(-3, 9))
    elif kind == 2:
        # Some of them are midnight on the clock of the owner.
        hours = chance.randint(-80, 220)
        moment = now.replace(minute=0, second=0, microsecond=0) + timedelta(hours=hours)
        fields |= {"due_at": moment, "time_zone": "UTC"}
    return fields


@pytest.fixture(params=ZONES)
async def world(request, client, save, user, session) -> World:
    """Save todos once, for many filters."""
    chance, zone = random.Random(SEED), ZoneInfo(request.param)
    await client.patch("/users/me", json={"time_zone": request.param})
    now = (await session.scalars(select(func.now()))).one()
    projects = await save(*(ProjectFactory(owner_id=user.id, name=name) for name in PLACES))
    sections = await save(
        *(
            SectionFactory(owner_id=user.id, project_id=project.id, name=name)
            for project, name in zip(projects, reversed(PLACES), strict=True)
        )
    )
    rows = []
    for _ in range(TODOS):
        fields = drawn(chance, now, now.astimezone(zone).date())
        place = chance.randrange(-3, len(projects))
        if place >= 0:
            fields["project_id"] = projects[place].id
            fields["section_id"] = chance.choice([None, sections[place].id])
        rows += await save(TodoFactory(owner_id=user.id, **fields))
    for row in rows:
        await change(client, chance, row, rows)
    pairs = {tuple(sorted(chance.sample(range(TODOS), 2))) for _ in range(20)}
    await save(*(relate(rows[one], rows[other]) for one, other in pairs))
    await set_moments(session, chance, rows, now)
    todos = (await client.get("/todos?limit=1000")).json()["todos"]
    names = {None: None} | {row.id: row.name for row in projects}
    names_of_sections = {None: None} | {row.id: row.name for row in sections}
    blockers = [(rows[one], rows[other].id) for one, other in pairs]
    blocked = {id_ for blocker, id_ in blockers if blocker.state in STATES[:3]}
    for todo in todos:
        todo["project"] = names[todo["project_id"]]
        todo["section"] = names_of_sections[todo["section_id"]]
        todo["is blocked"] = todo["id"] in blocked
    found = World(todos, now, zone, client)
    refuse_poor(found)
    return found


async def change(client, chance: random.Random, row: Todo, rows: list[Todo]) -> None:
    """Let a todo recur, carry labels and be a subtask, perhaps."""
    fields = {"labels": chance.sample(LABELS, chance.choice([0, 0, 1, 2]))}
    if row.due_on or row.due_at:
        fields["recurrence"] = chance.choice([None, {"rule": "FREQ=DAILY"}])
    await client.patch(f"/todos/{row.id}", json=fields)
    if chance.random() < 0.2:
        parent = chance.choice(rows)
        await client.post(f"/todos/{row.id}/move", json={"parent_id": parent.id})


async def set_moments(session, chance: random.Random, rows: list[Todo], now: datetime) -> None:
    for row in rows:
        names = ["created_at", "updated_at"] + ["completed_at"] * (row.state == "done")
        moments = {name: now - timedelta(hours=chance.randint(0, 250)) for name in names}
        await session.execute(update(Todo).where(Todo.id == row.id).values(moments))
    await session.commit()


def refuse_poor(world: World) -> None:
    """Refuse a world in which simple filters find nothing or all: it would compare nothing."""
    for text in ("is:blocked", "is:recurring", "is:subtask", "overdue", "label:none", "due:none"):
        for wanted in (parse(text), Not(parse(text))):
            assert any(finds(wanted, todo, world) for todo in world.todos), str(wanted)


def bare(text: str) -> str:
    decomposed = unicodedata.normalize("NFD", text.lower())
    return "".join(sign for sign in decomposed if not "\u0300" <= sign <= "\u036f")


def finds(wanted: Filter, todo: dict, world: World) -> bool:
    match wanted:
        case And(parts):
            return all(finds(part, todo, world) for part in parts)
        case Or(parts):
            return any(finds(part, todo, world) for part in parts)
        case Not(part):
            return not finds(part, todo, world)
        case Text(text):
            return any(bare(text) in bare(todo[name]) for name in ("title", "description"))
    return any(has(wanted, value, todo, world) for value in wanted.values)


def has(wanted: Condition, value: Value, todo: dict, world: World) -> bool:
    field = wanted.field
    if field == Field.IS:
        return is_flagged(str(value), todo, world)
    if field in NAMED:
        names = todo["labels"] if field == Field.LABEL else [todo[field.value]]
        keys = [name.casefold() for name in names if name is not None]
        return not keys if value is None else value.casefold() in keys
    if field == Field.STATE:
        return todo["state"] == value
    if field == Field.PRIORITY:
        ranks = PRIORITIES.index(todo["priority"]), PRIORITIES.index(value)
        return compares(wanted.operator, *ranks)
    day = day_of(field, todo, world)
    if value is None or day is None:
        return value is day
    return compares(wanted.operator, day, resolved(field, value, world.today()))


def compares(operator: str, left, right) -> bool:
    order = (left > right) - (left < right)
    return order in {"=": {0}, "<": {-1}, "<=": {-1, 0}, ">": {1}, ">=": {0, 1}}[operator]


def is_flagged(flag: str, todo: dict, world: World) -> bool:
    is_open = todo["state"] in {"draft", "todo", "doing"}
    if todo["due_at"]:
        is_late = datetime.fromisoformat(todo["due_at"]) < world.now
    else:
        is_late = bool(todo["due_on"]) and date.fromisoformat(todo["due_on"]) < world.today()
    return {
        "open": is_open,
        "done": todo["state"] == "done",
        "overdue": is_open and is_late,
        "blocked": todo["is blocked"],
        "recurring": todo["recurrence"] is not None,
        "subtask": todo["parent_id"] is not None,
    }[flag]


def day_of(field: Field, todo: dict, world: World) -> date | None:
    if field in {Field.STARTS, Field.DEADLINE}:
        day = todo[f"{field}_on"]
        return day and date.fromisoformat(day)
    if field == Field.DUE:
        day = todo["due_on"]
        return date.fromisoformat(day) if day else world.day_of(todo["due_at"])
    return world.day_of(todo[f"{field}_at"])


def resolved(field: Field, value: Value, today: date) -> date:
    if isinstance(value, Offset):
        return today + timedelta(value.days)
    if not isinstance(value, Weekday):
        return value
    step = -1 if field in {Field.CREATED, Field.UPDATED, Field.COMPLETED} else 1
    day = today
    while day.isoweekday() != value.number:
        day += timedelta(step)
    return day


texts = st.sampled_from([*WORDS, "P\u00c3O", "b", '"', "x y"])
names = st.sampled_from([*PLACES, *LABELS, "HOME", "ERRANDS", "fine", "Unknown"])


@settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.differing_executors],
)
@given(wanted=filters(texts, names))
@example(wanted=parse("not label:errands"))
@example(wanted=parse("not project:home and not section:work"))
@example(wanted=parse("not due<=today"))
@example(wanted=parse("not (completed>7d or starts:none)"))
@example(wanted=parse("not is:blocked,overdue"))
async def test_a_filter_finds_what_the_model_does(world, wanted):
    response = await world.client.get("/todos", params={"filter": str(wanted), "limit": 1000})

    assert response.status_code == 200, response.text
    found = {todo["id"] for todo in response.json()["todos"]}
    assert found == {todo["id"] for todo in world.todos if finds(wanted, todo, world)}


async def test_a_filter_is_one_statement_and_combines_with_other_parameters(
    client, save, user, statements
):
    [project] = await save(ProjectFactory(owner_id=user.id, name="Home"))
    await save(
        TodoFactory(owner_id=user.id, title="Bread", state="todo", project_id=project.id),
        TodoFactory(owner_id=user.id, title="Rye bread", state="todo"),
        TodoFactory(owner_id=user.id, title="Bread of yesterday", state="done"),
    )
    params = {"filter": "bread project:none", "state": "todo", "sort": "-title", "limit": 1}

    with statements() as sent:
        response = await client.get("/todos", params=params)

    assert [todo["title"] for todo in response.json()["todos"]] == ["Rye bread"]
    assert (len(sent), sent.transactions) == (1, 0)


async def test_pages_of_a_filter_go_on(client, save, user):
    await save(
        *(TodoFactory(owner_id=user.id, title=f"{number}", state="todo") for number in range(7))
    )
    for sort in ({}, {"sort": "-title"}):
        seen, after = [], {}
        while after is not None:
            params = {"filter": "is:open not 3", "limit": 2, **sort, **after}
            page = (await client.get("/todos", params=params)).json()
            seen += [todo["title"] for todo in page["todos"]]
            after = {"after": page["next"]} if page["next"] else None
        assert sorted(seen) == ["0", "1", "2", "4", "5", "6"]
        assert seen == sorted(seen, reverse=bool(sort))


async def test_a_filter_finds_nothing_of_others(client, anonymous, bearer, save, stranger):
    [project] = await save(ProjectFactory(owner_id=stranger.id, name="Home"))
    await save(TodoFactory(owner_id=stranger.id, title="Secret", project_id=project.id))

    for text in ("project:home", "not project:home", "secret", "label:none", "not overdue"):
        assert (await client.get("/todos", params={"filter": text})).json()["todos"] == []


async def test_what_differs_in_values_alone_is_the_same_statement(client, statements):
    with statements() as sent:
        for text in ("due<=friday label:a", "due<=MONDAY label:b,c", "vence<=sexta etiqueta:x"):
            assert (await client.get("/todos", params={"filter": text})).status_code == 200

    assert len(set(sent)) == 1


async def test_a_mistake_is_422_with_its_column_and_what_was_expected(client):
    response = await client.get("/todos", params={"filter": "label:a due:tody"})

    problem = response.json()
    assert response.status_code == 422
    assert (problem["code"], problem["column"]) == ("filter_invalid", 13)
    assert problem["expected"].startswith("a day: today, tomorrow, yesterday")
    [entry] = problem["detail"]
    assert entry["loc"] == ["query", "filter"]
    assert entry["msg"] == f"Column 13: expected {problem['expected']}."


async def test_a_filter_that_is_too_long_is_refused(client):
    too_long = {"filter": "a" * (LONGEST + 1)}
    assert invalid_fields(await client.get("/todos", params=too_long)) == ["query.filter"]
    longest = {"filter": "a" * LONGEST}
    assert (await client.get("/todos", params=longest)).status_code == 200


signs = st.sampled_from(
    [*'()",:<>=“” \n\0%_\\\ud800', "due", "label:", "today", "9999w", "and", "not", "0001-01-01"]
)


@settings(
    max_examples=200,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.lists(signs | st.characters(), max_size=30).map("".join))
@example("due<9999w or due>-9999w or created>9999w or due:0001-01-01 or completed<9999-12-31")
@example("(" * 999)
@example(" or ".join(["due<=friday"] * 50))
async def test_any_text_is_accepted_or_refused(client, text):
    response = await client.get(f"/todos?filter={quote(text.encode('utf-8', 'surrogatepass'))}")

    assert response.status_code in {200, 422}, response.text


async def test_days_are_those_of_the_account(client, save, user):
    midnight = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    await save(TodoFactory(owner_id=user.id, due_at=midnight, time_zone="UTC", state="todo"))
    days = {}
    for zone in ("UTC", "Pacific/Kiritimati", "Pacific/Pago_Pago"):
        await client.patch("/users/me", json={"time_zone": zone})
        local = midnight.astimezone(ZoneInfo(zone)).date()
        found = (await client.get("/todos", params={"filter": f"due:{local}"})).json()["todos"]
        days[zone] = (local, len(found))

    assert {number for _, number in days.values()} == {1}
    assert len({day for day, _ in days.values()}) > 1
