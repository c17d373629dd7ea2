"""POST /todos/quick."""

import asyncio
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import text

from tests.core.expect import invalid_fields, problem
from tests.factories import LabelFactory, ProjectFactory, SectionFactory, UserFactory

SENTENCE = "Buy bread tomorrow 9am #Home @errands !high every 2 weeks"
ZONE = ZoneInfo("America/Sao_Paulo")


@pytest.fixture
async def user(save):
    [user] = await save(UserFactory(time_zone="America/Sao_Paulo"))
    return user


@pytest.fixture
async def home(save, user) -> int:
    [project] = await save(ProjectFactory(owner_id=user.id, name="Home"))
    return project.id


def tomorrow_at_nine() -> datetime:
    day = datetime.now(ZONE).date() + timedelta(days=1)
    return datetime(day.year, day.month, day.day, 9, tzinfo=ZONE)


async def quick(client, sentence: str, **given):
    return await client.post("/todos/quick", json={"text": sentence, **given})


async def test_a_sentence_becomes_a_todo(client, home):
    response = await quick(client, SENTENCE)
    answer = response.json()
    todo = answer["todo"]

    assert response.status_code == 201, response.text
    assert answer["draft"] is None
    assert (todo["title"], todo["project_id"]) == ("Buy bread", home)
    assert (todo["labels"], todo["priority"]) == (["errands"], "high")
    assert datetime.fromisoformat(todo["due_at"]) == tomorrow_at_nine()
    assert todo["time_zone"] == "America/Sao_Paulo"
    assert todo["recurrence"] == {"rule": "FREQ=WEEKLY;INTERVAL=2", "from": "due"}
    assert todo["recurrence_text"] == {"en": "every 2 weeks", "pt-BR": "a cada 2 semanas"}
    read = await client.get(response.headers["location"])
    assert (read.json(), read.headers["etag"]) == (todo, response.headers["etag"])


async def test_it_says_which_words_became_what(client, home):
    understood = (await quick(client, SENTENCE)).json()["understood"]

    assert [(part["text"], part["kind"], part["value"]) for part in understood] == [
        ("tomorrow 9am", "due", tomorrow_at_nine().isoformat()),
        ("#Home", "project", "Home"),
        ("@errands", "label", "errands"),
        ("!high", "priority", "high"),
        ("every 2 weeks", "recurrence", {"rule": "FREQ=WEEKLY;INTERVAL=2", "from": "due"}),
    ]
    assert all(SENTENCE[part["start"] : part["end"]] == part["text"] for part in understood)


async def test_a_dry_run_writes_nothing_and_shows_the_todo(client, connection, home):
    counts = "SELECT (SELECT count(*) FROM todos), (SELECT count(*) FROM labels)"
    before = (await connection.execute(text(counts))).one()

    response = await quick(client, f"{SENTENCE} remind me 30 min before for 1h30", dry_run=True)
    answer = response.json()

    assert response.status_code == 200, response.text
    assert "location" not in response.headers
    assert (await connection.execute(text(counts))).one() == before
    assert answer["todo"] is None
    assert answer["draft"] == {
        "title": "Buy bread",
        "project_id": home,
        "section_id": None,
        "labels": ["errands"],
        "priority": "high",
        "due_on": None,
        "due_at": f"{tomorrow_at_nine().astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}",
        "time_zone": "America/Sao_Paulo",
        "duration_minutes": 90,
        "recurrence": {"rule": "FREQ=WEEKLY;INTERVAL=2", "from": "due"},
        "reminders": [{"minutes_before": 30, "at": None}],
    }


async def test_the_draft_is_a_body_of_post_todos(client, home):
    draft = (await quick(client, f"{SENTENCE} remind me 5 min before", dry_run=True)).json()[
        "draft"
    ]
    body = draft | {"reminders": [{"minutes_before": 5}]}

    response = await client.post("/todos", json=body)

    assert response.status_code == 201, response.text
    assert {name: response.json()[name] for name in draft} == draft


@pytest.mark.parametrize(
    "sentence",
    ["Buy bread", "Buy bread tomorrow 9am", "Buy bread friday", SENTENCE, "Run every day at 7am"],
)
async def test_it_takes_two_statements(client, home, statements, sentence):
    with statements() as sent:
        response = await quick(client, sentence)

    assert response.status_code == 201
    assert len(sent) == 2


async def test_a_dry_run_takes_one_statement(client, home, statements):
    with statements() as sent:
        await quick(client, SENTENCE, dry_run=True)

    assert len(sent) == 1


async def test_it_is_understood_in_the_zone_and_language_of_the_account(client):
    async def draft(sentence: str) -> dict[str, object]:
        return (await quick(client, sentence, dry_run=True)).json()["draft"]

    bill = await draft("Pay bill 5/12/2100 at 9am")
    today = datetime.now(ZoneInfo("Pacific/Kiritimati")).date()
    changed = {"language": "pt-BR", "time_zone": "Pacific/Kiritimati", "week_starts_on": "sunday"}
    assert (await client.patch("/users/me", json=changed)).status_code == 200

    assert (bill["due_at"], bill["time_zone"]) == ("2100-05-12T12:00:00Z", "America/Sao_Paulo")
    bill = await draft("Pay bill 5/12/2100 at 9am")
    assert (bill["due_at"], bill["time_zone"]) == ("2100-12-04T19:00:00Z", "Pacific/Kiritimati")
    assert (await draft("Rest today"))["due_on"] == today.isoformat()
    sunday = today + timedelta(days=7 - today.isoweekday() % 7)
    assert (await draft("Rest next sunday"))["due_on"] == sunday.isoformat()


async def test_projects_sections_and_labels_are_found_without_case_and_accents(client, save, user):
    [project] = await save(ProjectFactory(owner_id=user.id, name="Reforma do Salão"))
    [section] = await save(SectionFactory(owner_id=user.id, project_id=project.id, name="Elétrica"))
    await save(LabelFactory(owner_id=user.id, name="Café"))

    todo = (await quick(client, "Trocar tomada #reforma do salao/eletrica @cafe")).json()["todo"]

    assert (todo["project_id"], todo["section_id"]) == (project.id, section.id)
    assert (todo["title"], todo["labels"]) == ("Trocar tomada", ["Café"])


async def test_of_projects_with_the_same_name_the_oldest_active_one_counts(client, save, user):
    archived, one, _other = await save(
        ProjectFactory(owner_id=user.id, name="Home", archived=True),
        ProjectFactory(owner_id=user.id, name="Home"),
        ProjectFactory(owner_id=user.id, name="home"),
    )
    todo = (await quick(client, "Paint #home")).json()["todo"]
    assert (todo["project_id"], archived.id < one.id) == (one.id, True)


async def test_projects_of_strangers_and_deleted_ones_are_unknown(client, save, stranger, home):
    await save(ProjectFactory(owner_id=stranger.id, name="Secret"))
    await save(LabelFactory(owner_id=stranger.id, name="SECRET"))
    assert (await client.delete(f"/projects/{home}")).status_code == 200

    for name in ("Secret", "Home"):
        answer = (await quick(client, f"Paint #{name} @secret")).json()
        assert answer["todo"]["title"] == f"Paint #{name}"
        assert answer["todo"]["labels"] == ["secret"]
        [unknown] = [part for part in answer["understood"] if part["kind"] == "project"]
        assert (unknown["text"], unknown["value"]) == (f"#{name}", None)


@pytest.mark.parametrize("sentence", ["tomorrow", "every day at 9am", "@errands !high", " ", "\n"])
async def test_a_sentence_without_a_title_is_refused(client, sentence):
    response = await quick(client, sentence)
    assert invalid_fields(response) == ["body.text"]
    assert response.json()["detail"][0]["msg"].startswith("Nothing is left for a title.")


async def test_a_title_that_is_too_long_is_refused(client):
    response = await quick(client, "a" * 201 + " tomorrow")
    assert invalid_fields(response) == ["body.text"]
    assert "200 characters" in response.json()["detail"][0]["msg"]
    assert (await quick(client, "a" * 200 + " tomorrow")).status_code == 201


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({}, ["body.text"]),
        ({"text": ""}, ["body.text"]),
        ({"text": "a" * 501}, ["body.text"]),
        ({"text": "a\0b"}, ["body.text"]),
        ({"text": 1}, ["body.text"]),
        ({"text": "Buy bread", "dry_run": "yes"}, ["body.dry_run"]),
    ],
)
async def test_wrong_fields_are_refused_by_name(client, body, fields):
    assert invalid_fields(await client.post("/todos/quick", json=body)) == fields


async def test_a_retry_with_the_key_gets_the_stored_response(client, home):
    key = {"Idempotency-Key": "quick-1"}
    body = {"text": SENTENCE}

    first = await client.post("/todos/quick", json=body, headers=key)
    second = await client.post("/todos/quick", json=body, headers=key)

    assert (first.status_code, second.status_code) == (201, 201)
    assert second.headers["idempotency-replayed"] == "true"
    assert (second.json(), second.headers["location"]) == (first.json(), first.headers["location"])
    assert len((await client.get("/todos")).json()["todos"]) == 1


async def test_a_dry_run_leaves_the_key_unused(client, home):
    key = {"Idempotency-Key": "quick-2"}
    body = {"text": SENTENCE}

    shown = await client.post("/todos/quick", json=body | {"dry_run": True}, headers=key)
    made = await client.post("/todos/quick", json=body, headers=key)

    assert (shown.status_code, made.status_code) == (200, 201)
    assert "idempotency-replayed" not in made.headers


@pytest.mark.parametrize(
    "sentence", ["\x01", "\u200b", "a\x07b tomorrow", '@"a\nb" Call', '@"x,y" Call', '#"" Call']
)
@pytest.mark.parametrize("dry_run", [True, False])
async def test_odd_characters_are_a_title_or_refused(client, sentence, dry_run):
    response = await quick(client, sentence, dry_run=dry_run)
    assert response.status_code in {200, 201, 422}, response.text


async def test_the_words_of_a_recurrence_follow_a_change(client):
    todo = (await quick(client, "Run every monday")).json()["todo"]
    path = f"/todos/{todo['id']}"

    changed = await client.patch(path, json={"recurrence": {"rule": "FREQ=DAILY;INTERVAL=3"}})
    removed = await client.patch(path, json={"recurrence": None})

    words = {"en": "every 3 days", "pt-BR": "a cada 3 dias"}
    assert changed.json()["recurrence_text"] == words
    assert removed.json()["recurrence_text"] is None


async def test_the_same_new_label_in_many_requests_at_once(live, commit, log_in):
    [user] = await commit(UserFactory())
    headers = await log_in(user)
    async with live() as client:
        sent = [
            client.post("/todos/quick", json={"text": f"Todo {n} @new"}, headers=headers)
            for n in range(10)
        ]
        responses = await asyncio.gather(*sent)
        labels = (await client.get("/labels", headers=headers)).json()["labels"]

    assert {response.status_code for response in responses} == {201}
    assert [label["name"] for label in labels] == ["new"]


async def test_it_requires_a_token(anonymous):
    response = await anonymous.post("/todos/quick", json={"text": "Buy bread"})
    assert problem(response) == (401, "Not authenticated")


async def test_a_todo_without_a_recurrence_has_no_words(client):
    todo = (await client.post("/todos", json={"title": "Buy bread"})).json()
    assert todo["recurrence_text"] is None


async def test_the_words_of_a_recurrence_are_in_lists_and_changes(client):
    body = {"title": "Water", "recurrence": {"rule": "FREQ=DAILY;BYMONTH=1"}}
    assert (await client.post("/todos", json=body)).json()["recurrence_text"] is None
    await quick(client, "Run every monday after completion")
    words = {"en": "every Monday after completion", "pt-BR": "toda segunda após concluir"}

    listed = (await client.get("/todos")).json()["todos"]
    changes = (await client.get("/changes")).json()["changes"]

    assert [todo["recurrence_text"] for todo in listed] == [None, words]
    values = [change["value"] for change in changes if change["entity"] == "todo"]
    assert [value["recurrence_text"] for value in values] == [None, words]
