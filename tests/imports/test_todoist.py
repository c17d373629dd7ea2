"""Exports of Todoist, written by hand in the forms that it documents, come in with a report."""

import pytest

from tests.imports.conftest import FOLDER, JSON

CSV_REPORT = [
    (5, "CONTENT", "The file is not copied, only its link: form-12.pdf"),
    (8, "CONTENT", "A task that cannot be completed becomes one that can be."),
    (11, "RESPONSIBLE", "Nobody can be assigned: Bruno (20044121)"),
    (14, "RESPONSIBLE", "Nobody can be assigned: Bruno (20044121)"),
    (56, "RESPONSIBLE", "Nobody can be assigned: Bruno (20044121)"),
    (62, "DATE", "Not understood. It is in the description: every weekday at 25:00"),
    (87, "RESPONSIBLE", "Nobody can be assigned: Bruno (20044121)"),
    (103, "title", "Longer than 200 characters. All of it is in the description."),
]
JSON_REPORT = [
    (1, "filters", "Filters are not imported: Hoje e atrasadas"),
    (1, "labels.color", "Colors are not imported: red, of urgente"),
    (1, "project_notes", "Only items have comments: Senha com o João"),
    (2, "notes.file_attachment", "The file is not copied, only its link: contrato.pdf"),
    (
        2,
        "project",
        "Projects are nested 3 levels deep. This is one now: Padaria São João / Site novo",
    ),
    (2, "projects.color", "Colors are not imported: lime_green, of Trabalho"),
    (2, "projects.is_favorite", "There are no favorites: Trabalho"),
    (2, "responsible_uid", "Nobody can be assigned: 20044121"),
    (3, "notes", "There is no such item: Sem dono"),
    (
        3,
        "project",
        "Projects are nested 3 levels deep. This is one now: Padaria São João / Site novo",
    ),
    (3, "reminders", "Only reminders of times are kept, not: location"),
    (4, "sections", "Not created, since it has no items: Vazia"),
    (5, "projects.description", "It is not imported, of Site novo: Prazo: outubro"),
    (6, "content", "A task that cannot be completed becomes one that can be."),
    (6, "projects.is_archived", 'It is not archived here: Casa "velha"'),
    (8, "recurrence", "What is done does not recur: FREQ=MONTHLY;INTERVAL=3"),
    (9, "parent_id", "There is no such item. It is below none now."),
    (11, "due.timezone", "Not known. That of the account is used: Mars/Olympus"),
]


def entries(done) -> list[tuple[int, str, str]]:
    assert {entry["kind"] for entry in done["report"]} == {"loss"}
    return [(entry["line"], entry["column"], entry["message"]) for entry in done["report"]]


@pytest.fixture
async def household(client, import_file, listed):
    """Import the CSV template; return its import, and the todos by title."""
    await client.patch("/users/me", json={"time_zone": "America/Sao_Paulo"})
    content = (FOLDER / "household.csv").read_bytes()
    done = await import_file(content, project="Household")
    return done, {todo["title"]: todo for todo in await listed("/todos", "todos")}


@pytest.fixture
async def backup(client, import_file, listed):
    await client.patch("/users/me", json={"time_zone": "America/Sao_Paulo"})
    done = await import_file((FOLDER / "backup.json").read_bytes(), JSON)
    return done, {todo["title"]: todo for todo in await listed("/todos", "todos")}


async def test_a_template_comes_in_with_its_report(household):
    done, todos = household

    assert (done["format"], done["status"]) == ("todoist_csv", "done")
    assert (done["total"], done["created"], done["losses"], done["errors"]) == (80, 80, 8, 0)
    assert entries(done) == CSV_REPORT
    assert len(todos) == 79  # two are called the same


async def test_a_template_keeps_sections_in_their_order(household, listed):
    [project] = await listed("/projects", "projects")
    sections = await listed(f"/projects/{project['id']}/sections", "sections")

    assert project["name"] == "Household"
    assert [section["name"] for section in sections] == [
        "Kitchen",
        "Bathroom",
        "Balcony & garden",
        "Papers",
        "Festa da avó",
    ]


async def test_a_template_keeps_what_a_task_says(household):
    _, todos = household
    tap = todos['Fix the "new" tap, again']
    dentist = todos["Call the dentist"]

    assert tap["recurrence"] == {"rule": "FREQ=WEEKLY;INTERVAL=2", "from": "completion"}
    assert (tap["priority"], tap["labels"]) == ("urgent", ["repairs"])
    assert (dentist["due_at"], dentist["time_zone"], dentist["duration_minutes"]) == (
        "2031-03-28T12:30:00Z",
        "America/Sao_Paulo",
        15,
    )
    assert todos["Renew the passport"]["due_on"] == "2031-03-27"
    assert todos["Renew the passport"]["deadline_on"] == "2031-04-30"
    assert todos["Renew the passport"]["description"] == (
        "Photos have to be newer than six months.\n\n"
        "Comment (Ana): Bring: old passport, proof of address, receipt of the fee\n\n"
        "Comment (Ana): The form: [form-12.pdf](https://files.todoist.com/abc/form-12.pdf)"
    )
    assert todos["Sharpen the knives"]["recurrence"]["rule"] == "FREQ=MONTHLY;BYDAY=3FR"
    assert todos["Caixa de som"]["recurrence"]["rule"] == "FREQ=WEEKLY;BYDAY=FR"
    assert todos["Check the gutter"]["description"] == "Date: every weekday at 25:00"
    assert todos["Imposto de renda"]["duration_minutes"] == 2 * 24 * 60
    assert todos["Cancel the old one in writing"]["deadline_on"] == "2031-06-30"


async def test_a_template_keeps_the_tree(household):
    _, todos = household
    titles = {todo["id"]: todo["title"] for todo in todos.values()}

    assert titles[todos["Tia Conceição"]["parent_id"]] == "Família"
    assert titles[todos["Família"]["parent_id"]] == "Lista de convidados"
    assert titles[todos["Lista de convidados"]["parent_id"]] == "Convites"
    assert todos["Refill"]["subtasks"] == 3


async def test_a_long_title_is_kept_in_the_description(household):
    _, todos = household
    [speech] = [todo for title, todo in todos.items() if title.startswith("Discurso")]

    assert len(speech["title"]) <= 200
    assert speech["title"].endswith("…")
    assert speech["description"].endswith("e a receita")


async def test_a_backup_comes_in_with_its_report(backup):
    done, todos = backup

    assert (done["format"], done["status"]) == ("todoist_json", "done")
    assert (done["total"], done["created"], done["errors"]) == (10, 10, 0)
    assert sorted(entries(done)) == sorted(JSON_REPORT)
    assert done["losses"] == len(JSON_REPORT)
    assert len(todos) == 10


async def test_a_backup_keeps_what_an_item_says(backup):
    _, todos = backup
    publish = todos["Publicar"]

    assert (publish["due_at"], publish["time_zone"]) == ("2031-10-05T12:00:00Z", "Europe/Madrid")
    assert (publish["deadline_on"], publish["duration_minutes"]) == ("2031-10-31", 45)
    assert publish["reminders"] == [
        {"minutes_before": 30, "at": None},
        {"minutes_before": None, "at": "2031-10-04T07:00:00Z"},
    ]
    assert publish["description"] == (
        "Só depois da **revisão**.\n\n"
        "Comment (2026-09-05): O domínio vence em **novembro**.\n\n"
        "Comment (2026-09-06): [contrato.pdf](https://files.todoist.com/xyz/contrato.pdf)"
    )
    assert publish["created_at"] == "2026-09-02T08:00:00Z"
    pages = todos["Desenhar as páginas"]
    assert (pages["due_at"], pages["recurrence"]["rule"]) == ("2031-03-28T12:00:00Z", "FREQ=DAILY")
    assert (pages["priority"], pages["labels"]) == ("none", ["telefone", "urgente"])
    menu = todos["Cardápio"]
    assert (menu["state"], menu["completed_at"]) == ("done", "2026-10-01T17:30:00Z")
    assert menu["parent_id"] == todos["Página inicial"]["parent_id"] == pages["id"]
    assert todos["De uma cópia antiga"]["labels"] == ["telefone"]


async def test_a_backup_keeps_projects(backup, listed):
    _, todos = backup
    projects = await listed("/projects", "projects")
    names = {project["id"]: project["name"] for project in projects}
    around = {project["name"]: names.get(project["parent_id"]) for project in projects}

    assert around == {
        "Trabalho": None,
        "Clientes": "Trabalho",
        "Padaria São João / Site novo": "Clientes",
        'Casa "velha"': None,
        "Leituras": None,
    }
    assert todos["Comprar pão"]["project_id"] is None
    assert names[todos["Publicar"]["project_id"]] == "Padaria São João / Site novo"


@pytest.mark.parametrize("name", ["household.csv", "backup.json"])
async def test_the_same_file_again_finds_what_it_made(import_file, listed, name):
    content, media_type = (FOLDER / name).read_bytes(), JSON if "json" in name else "text/csv"
    first = await import_file(content, media_type)
    projects = await listed("/projects", "projects")

    again = await import_file(content, media_type)

    assert (again["status"], again["created"], again["found"]) == ("done", 0, first["total"])
    assert await listed("/projects", "projects") == projects
