"""Projects, labels, saved filters, what is done, and the trash: their lists and their forms."""

import re
from datetime import UTC, datetime, timedelta
from html import unescape

import pytest
from sqlalchemy import func, select, update

from fast_zero.core.languages import KNOWN
from fast_zero.filter_language import parsing
from fast_zero.filter_language.parsing import FilterError
from fast_zero.labels.models import TodoLabel
from fast_zero.models import Deletion, Label, Project, SavedFilter, Section, Todo
from fast_zero.web.pages.places.ordering import find_step
from fast_zero.web.presentation.filter_faults import EXPECTED
from fast_zero.web.texts import translations_of
from tests.factories import (
    LabelFactory,
    ProjectFactory,
    SavedFilterFactory,
    SectionFactory,
    TodoFactory,
)
from tests.web.conftest import (
    NASTY,
    counts,
    errors,
    fault,
    follow,
    heading,
    more,
    send,
    titles,
    toast,
    undo,
)

STATEMENTS = 3


@pytest.fixture
async def project(save, user):
    [project] = await save(ProjectFactory(owner_id=user.id, name="Home", color="teal"))
    return project


@pytest.fixture
async def label(save, user):
    [label] = await save(LabelFactory(owner_id=user.id, name="errands", color="green"))
    return label


@pytest.fixture
async def saved(save, user):
    [saved] = await save(
        SavedFilterFactory(owner_id=user.id, name="Open", filter="is:open", sort="title")
    )
    return saved


@pytest.fixture
async def sections(save, user, project):
    names = ("This week", "Later", "Never")
    return await save(
        *(SectionFactory(owner_id=user.id, project_id=project.id, name=name) for name in names)
    )


@pytest.fixture
def todo(save, user):
    async def todo(title, owner=user, **values):
        [row] = await save(TodoFactory(owner_id=owner.id, title=title, state="todo", **values))
        return row

    return todo


@pytest.fixture
def names_of(sessions, user):
    """Return the names of a user's rows of a table, oldest first."""

    async def names_of(model, *wanted):
        async with sessions() as session:
            found = select(model.name).where(model.owner_id == user.id, *wanted)
            return (await session.scalars(found.order_by(model.id))).all()

    return names_of


def headings(response) -> list[str]:
    found = re.findall(r'<h2 id="[^"]+" tabindex="-1">(.*?)</h2>', response.text)
    return [unescape(text) for text in found]


def places(response) -> list[str]:
    found = re.findall(r'<a class="what".*?<span>(.*?)</span>', response.text)
    return [unescape(text) for text in found]


async def test_a_project_shows_its_todos_by_section(reader, todo, project, sections):
    week, later, _ = sections
    await todo("Later", project_id=project.id, section_id=later.id)
    await todo("Now", project_id=project.id, section_id=week.id)
    await todo("Anywhere", project_id=project.id)
    page = await reader.get(f"/app/projects/{project.id}")

    assert heading(page) == "Home"
    assert titles(page) == ["Anywhere", "Now", "Later"]
    assert headings(page) == ["In no section", "This week", "Later", "Never"]
    assert page.text.count("No open task in this section.") == 1


async def test_what_a_list_has_is_counted_on_all_its_pages(
    reader, save, user, project, sections, label, saved
):
    inside = {"project_id": project.id, "section_id": sections[0].id}
    rows = await save(
        *(TodoFactory(owner_id=user.id, state="todo", **inside) for _ in range(201)),
        TodoFactory(owner_id=user.id, state="todo", project_id=project.id),
        TodoFactory(owner_id=user.id, state="done", project_id=project.id),
    )
    await save(TodoFactory(owner_id=user.id, state="todo", parent_id=rows[0].id, **inside))
    carried = (TodoLabel(owner_id=user.id, todo_id=row.id, label_id=label.id) for row in rows)
    await save(*carried)

    def of(response):
        return {title: number for title, number in counts(response).items() if number != "0"}

    first = await reader.get(f"/app/projects/{project.id}")
    assert of(first) == {"In no section": "1", "This week": "201"}
    assert of(await reader.get(more(first))) == {"This week": "201"}
    first = await reader.get(f"/app/labels/{label.id}")
    assert of(first) == of(await reader.get(more(first))) == {"Tasks": "202"}
    first = await reader.get(f"/app/filters/{saved.id}")
    assert of(first) == {"Tasks": "200+"}
    assert of(await reader.get(more(first))) == {"Tasks": "3+"}
    first = await reader.get("/app/search?filter=is:open")
    assert of(first) == of(await reader.get(more(first))) == {"Found": "50+"}


async def test_sections_can_be_ordered_and_todos_follow(
    reader, todo, project, sections, statements
):
    for section in sections:
        await todo(f"In {section.name}", project_id=project.id, section_id=section.id)
    form = {"up": sections[2].id}
    page = await send(reader, f"/app/projects/{project.id}/sections/move", **form)

    assert toast(page) == "Moved: “Never” · 2/3"
    assert f'data-focus="s{sections[2].id}"' in page.text
    page = await reader.get(f"/app/projects/{project.id}")
    assert titles(page) == ["In This week", "In Never", "In Later"]
    await send(reader, f"/app/projects/{project.id}/sections/move", down=sections[0].id)
    page = await reader.get(f"/app/projects/{project.id}")
    assert titles(page) == ["In Never", "In This week", "In Later"]


async def test_a_long_project_has_pages_and_a_tick_leads_back_to_its_page(
    reader, save, user, project, sections
):
    await save(
        *(
            TodoFactory(
                owner_id=user.id,
                title=f"Todo {number}",
                state="todo",
                project_id=project.id,
                section_id=sections[number % 2].id,
            )
            for number in range(250)
        )
    )
    first = await reader.get(f"/app/projects/{project.id}")
    [more] = re.findall(r'href="(/app/projects/\d+\?after=[^"]+)"', first.text)
    second = await reader.get(unescape(more))

    assert (len(titles(first)), len(titles(second))) == (200, 50)
    assert not set(titles(first)) & set(titles(second))
    assert headings(first) == ["This week", "Later"]
    assert headings(second) == ["Later", "Never"]
    [back] = re.findall(r'id="list".*?name="next" value="([^"]+)"', second.text, re.DOTALL)
    assert unescape(back) == unescape(more)
    [tick, *_] = re.findall(r'name="complete" value="([^"]+)"', second.text)
    response = await reader.post("/app/todos/act", data={"complete": tick, "next": unescape(back)})
    assert response.headers["location"] == unescape(more)
    assert len(titles(await follow(reader, response))) == 49


@pytest.mark.parametrize(
    "path",
    [
        "projects",
        "projects/{project}",
        "projects/{project}/edit",
        "labels",
        "labels/{label}",
        "labels/{label}/edit",
        "filters",
        "filters/{saved}",
        "filters/{saved}/edit",
        "done",
        "done?project_id={project}",
        "trash",
        "trash/empty",
        "upcoming",
    ],
)
async def test_a_page_takes_three_statements(
    reader, project, label, saved, sections, todo, statements, path
):
    for number in range(5):
        due = datetime.now(UTC).date() + timedelta(days=number)
        await todo(f"Todo {number}", project_id=project.id, due_on=due)
    address = path.format(project=project.id, label=label.id, saved=saved.id)
    with statements() as sent:
        assert (await reader.get(f"/app/{address}")).status_code == 200

    assert len(sent) <= STATEMENTS


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize(
    "path", ["projects/{project}/edit", "labels/{label}/edit", "filters/{saved}/edit"]
)
async def test_what_a_stranger_has_does_not_exist(reader, save, stranger, method, path):
    [project] = await save(ProjectFactory(owner_id=stranger.id, name="Theirs"))
    [label] = await save(LabelFactory(owner_id=stranger.id, name="theirs"))
    [saved] = await save(SavedFilterFactory(owner_id=stranger.id, name="Theirs"))
    address = "/app/" + path.format(project=project.id, label=label.id, saved=saved.id)
    form = {"name": "Mine", "filter": "is:open", "color": "red"}
    options = {"data": form} if method == "POST" else {}

    for path_ in (address, address.removesuffix("/edit")):
        if method == "POST" and path_ != address:
            continue
        response = await reader.request(method, path_, **options)
        assert (response.status_code, heading(response)) == (404, "There is nothing here")


async def test_nothing_of_a_stranger_is_changed(reader, save, stranger, sessions):
    [project] = await save(ProjectFactory(owner_id=stranger.id, name="Theirs"))
    [section] = await save(SectionFactory(owner_id=stranger.id, project_id=project.id))
    [label] = await save(LabelFactory(owner_id=stranger.id, name="theirs"))
    [saved] = await save(SavedFilterFactory(owner_id=stranger.id, name="Theirs"))
    [deletion] = await save(Deletion(owner_id=stranger.id, kind="todo", item_id=1, title="Theirs"))
    own = f"/app/projects/{project.id}"
    gone = {
        f"{own}/delete": "This project does not exist any more.",
        f"{own}/archive": "This project does not exist any more.",
        f"{own}/sections": "This project does not exist any more.",
        f"{own}/sections/{section.id}": "This section does not exist any more.",
        f"{own}/sections/{section.id}/delete": "This section does not exist any more.",
        f"/app/labels/{label.id}/delete": "This label does not exist any more.",
        f"/app/filters/{saved.id}/delete": "This filter does not exist any more.",
        f"/app/trash/{deletion.id}/delete": "This is not in the trash any more.",
    }
    for path, text in gone.items():
        response = await reader.post(path, data={"name": "Mine", "next": "/app/today"})
        response.headers["location"] = "/app/today"  # where it leads is gone as well
        assert fault(await follow(reader, response)) == text, path
    assert (await reader.get(f"/app/trash/{deletion.id}/delete")).status_code == 404
    async with sessions() as session:
        for model in (Project, Section, Label, SavedFilter):
            assert (
                await session.scalar(select(func.count()).where(model.owner_id == stranger.id)) == 1
            )


async def test_create_change_archive_and_delete_a_project(reader, project, names_of, todo):
    new = {"name": " Garden ", "color": "green", "parent_id": project.id}
    page = await send(reader, "/app/projects", **new)
    assert (heading(page), toast(page)) == ("Garden", "Project created: “Garden”")
    [made] = re.findall(r'action="/app/projects/(\d+)/delete"', page.text)
    await todo("Dig", project_id=int(made))
    assert 'class="level-1"' in page.text

    form = {"name": "Yard", "color": "olive", "description": "**All** of it", "parent_id": ""}
    page = await send(reader, f"/app/projects/{made}/edit", **form)
    assert (heading(page), toast(page)) == ("Yard", "Saved: “Yard”")
    assert "<strong>All</strong> of it" in page.text
    assert 'class="level-1"' not in page.text

    page = await send(reader, f"/app/projects/{made}/archive", archived="1")
    assert toast(page) == "Archived: “Yard”"
    assert titles(page) == ["Dig"]
    assert "Archived: it is not in the sidebar." in page.text
    listed = await reader.get("/app/projects")
    assert places(listed) == ["Home", "Yard"]
    page = await send(reader, f"/app/projects/{made}/archive", archived="0")
    assert toast(page) == "Back from the archive: “Yard”"

    page = await send(reader, f"/app/projects/{made}/delete")
    assert toast(page) == "Moved to the trash: “Yard”"
    assert places(page) == ["Home"]
    page = await undo(reader, page, "/app/projects")
    assert places(page) == ["Home", "Yard"]


async def test_the_description_of_a_project_can_be_emptied(reader, project):
    await send(reader, f"/app/projects/{project.id}/edit", name="Home", description="Old")
    await send(reader, f"/app/projects/{project.id}/edit", name="Home", description="")

    assert "Old" not in (await reader.get(f"/app/projects/{project.id}/edit")).text


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"name": ""}, {"name": "Fill this in."}),
        ({"name": " "}, "name"),
        ({"name": "a" * 101}, "name"),
        ({"name": "a\x00"}, "name"),
        ({"name": "Garden", "color": "#ff0000"}, "color"),
        ({"name": "Garden", "parent_id": "x"}, "parent_id"),
        ({"name": "Garden", "parent_id": "9" * 19}, "parent_id"),
        ({"name": "Garden", "parent_id": "9" * 50}, "parent_id"),
        (
            {"name": "Garden", "parent_id": "999999"},
            {"parent_id": "This project does not exist any more. Choose another."},
        ),
    ],
)
@pytest.mark.parametrize("path", ["/app/projects", "/app/projects/{}/edit"])
async def test_a_project_that_is_refused_says_why(reader, project, names_of, path, fields, wrong):
    response = await reader.post(path.format(project.id), data=fields)

    assert response.status_code in {404, 422}
    found = errors(response)
    assert found == wrong if isinstance(wrong, dict) else list(found) == [wrong]
    if fields["name"].isprintable():
        assert f'value="{fields["name"]}"' in response.text
    assert await names_of(Project) == ["Home"]


async def test_projects_are_not_nested_too_deep_nor_in_themselves(reader, project, save, user):
    [inside] = await save(ProjectFactory(owner_id=user.id, parent_id=project.id))
    [deep] = await save(ProjectFactory(owner_id=user.id, parent_id=inside.id))
    form = await reader.get(f"/app/projects/{project.id}/edit")
    assert re.findall(r'<option value="(\d+)"', form.text) == []

    for parent, text in (
        (inside, "A project cannot be inside itself. Choose another."),
        (deep, "A project cannot be inside itself. Choose another."),
    ):
        fields = {"name": "Home", "parent_id": parent.id}
        response = await reader.post(f"/app/projects/{project.id}/edit", data=fields)
        assert errors(response) == {"parent_id": text}
    response = await reader.post("/app/projects", data={"name": "Four", "parent_id": deep.id})
    text = "Projects can be nested three levels deep. Choose another."
    assert errors(response) == {"parent_id": text}


async def test_a_project_stays_inside_of_one_that_is_archived(
    reader, project, save, user, sessions
):
    [inside] = await save(ProjectFactory(owner_id=user.id, name="Inside", parent_id=project.id))
    await send(reader, f"/app/projects/{project.id}/archive", archived="1")
    form = await reader.get(f"/app/projects/{inside.id}/edit")
    assert '<option value="same" selected>' in form.text
    await send(reader, f"/app/projects/{inside.id}/edit", name="Still", parent_id="same")

    async with sessions() as session:
        found = select(Project.parent_id).where(Project.name == "Still")
        assert await session.scalar(found) == project.id


async def test_projects_and_filters_are_moved_up_and_down(reader, save, user):
    projects = await save(*(ProjectFactory(owner_id=user.id, name=name) for name in "abc"))
    filters = await save(*(SavedFilterFactory(owner_id=user.id, name=name) for name in "abc"))
    for path, rows in (("/app/projects", projects), ("/app/filters", filters)):
        page = await send(reader, f"{path}/move", up=rows[2].id)
        assert (places(page), toast(page)) == (["a", "c", "b"], "Moved: “c” · 2/3")
        page = await undo(reader, page, path)
        assert places(page) == ["a", "b", "c"]
        page = await send(reader, f"{path}/move", down=rows[0].id)
        assert places(page) == ["b", "a", "c"]
        for fields in ({"up": rows[1].id}, {"down": rows[2].id}, {"up": "x"}, {}, {"down": 0}):
            page = await send(reader, f"{path}/move", **fields)
            assert (places(page), toast(page), fault(page)) == (["b", "a", "c"], None, None)


def test_a_step_is_beside_its_neighbour():
    assert find_step({"up": "3"}, [1, 2, 3]) == (3, 2, True, "2/3")
    assert find_step({"down": "1"}, [1, 2, 3]) == (1, 2, False, "2/3")
    assert find_step({"up": "1"}, [1, 2, 3]) is None
    assert find_step({"down": "3"}, [1, 2, 3]) is None
    assert find_step({}, []) is None


async def test_sections_are_created_renamed_and_deleted(reader, project, names_of, todo, sections):
    own = f"/app/projects/{project.id}"
    row = await todo("Dig", project_id=project.id, section_id=sections[0].id)
    page = await send(reader, f"{own}/sections", name="Someday", next=own)
    assert headings(page)[-1] == "Someday"
    page = await send(reader, f"{own}/sections/{sections[0].id}", name="Next week")
    assert toast(page) == "Saved: “Next week”"
    page = await send(reader, f"{own}/sections/{sections[0].id}/delete")
    assert toast(page) == "Section deleted: “Next week”"
    assert titles(await reader.get(own)) == ["Dig"]
    assert await names_of(Section) == ["Later", "Never", "Someday"]

    await undo(reader, page, own)
    assert f'id="t{row.id}"' in (await reader.get(own)).text
    assert headings(await reader.get(own)) == ["Next week", "Later", "Never", "Someday"]


@pytest.mark.parametrize("name", ["", "  ", "a" * 101, "a\x00"])
async def test_a_section_that_is_refused_says_why_beside_its_field(reader, project, sections, name):
    own = f"/app/projects/{project.id}/sections"
    response = await reader.post(own, data={"name": name})
    assert response.status_code == 422
    assert list(errors(response)) == ["section"]
    response = await reader.post(f"{own}/{sections[1].id}", data={"name": name})
    assert response.status_code == 422
    assert list(errors(response)) == [f"section-{sections[1].id}"]


async def test_a_label_shows_its_open_todos(reader, todo, label, save, user, sessions):
    today = datetime.now(UTC).date()
    later = await todo("Later", due_on=today + timedelta(days=3))
    soon = await todo("Soon", due_on=today)
    [done] = await save(TodoFactory(owner_id=user.id, title="Done", state="done"))
    await todo("Other")
    await save(
        *(
            TodoLabel(owner_id=user.id, todo_id=row.id, label_id=label.id)
            for row in (later, soon, done)
        )
    )
    page = await reader.get(f"/app/labels/{label.id}")

    assert heading(page) == "@errands"
    assert titles(page) == ["Soon", "Later"]
    assert "<li>@errands</li>" not in page.text
    assert "2 open" in (await reader.get("/app/labels")).text
    form = {"text": "Bread", "label_id": label.id, "next": f"/app/labels/{label.id}"}
    assert f'name="label_id" value="{label.id}"' in page.text
    page = await send(reader, "/app/todos", **form)
    assert titles(page) == ["Soon", "Later", "Bread"]


async def test_the_names_of_labels_are_those_of_the_reader(reader, save, user, stranger):
    await save(*(LabelFactory(owner_id=user.id, name=name) for name in ("b", "a b")))
    await save(LabelFactory(owner_id=stranger.id, name="theirs"))

    assert (await reader.get("/app/labels/names")).json() == {"names": ["b", "a b"]}


async def test_create_change_and_delete_a_label(reader, names_of, todo, user, save):
    page = await send(reader, "/app/labels", name="shop", color="pink")
    assert (places(page), toast(page)) == (["shop"], "Label created: “shop”")
    [made] = re.findall(r'href="/app/labels/(\d+)"', page.text)
    row = await todo("Bread")
    await save(TodoLabel(owner_id=user.id, todo_id=row.id, label_id=int(made)))
    page = await send(reader, f"/app/labels/{made}/edit", name="market", color="red")
    assert toast(page) == "Saved: “market”"
    page = await send(reader, f"/app/labels/{made}/delete")
    assert (places(page), toast(page)) == ([], "Label deleted: “market”")
    page = await undo(reader, page, "/app/labels")
    assert places(page) == ["market"]
    assert "1 open" in page.text


@pytest.mark.parametrize("path", ["/app/labels", "/app/labels/{}/edit"])
async def test_a_label_that_is_refused_says_why(reader, label, save, user, path):
    await save(LabelFactory(owner_id=user.id, name="shop"))
    response = await reader.post(path.format(label.id), data={"name": "SHOP"})
    assert response.status_code == 409
    text = "You have a label with this name already. Choose another."
    assert errors(response) == {"name": text}
    assert 'value="SHOP"' in response.text
    response = await reader.post(path.format(label.id), data={"name": "a" * 51})
    assert list(errors(response)) == ["name"]


async def test_many_labels_have_pages_in_the_order_of_their_names(reader, save, user):
    await save(*(LabelFactory(owner_id=user.id, name=f"l{i:03}") for i in reversed(range(250))))
    first = await reader.get("/app/labels")
    [more] = re.findall(r'href="(/app/labels\?after=[^"]+)"', first.text)
    second = await reader.get(more)

    assert places(first) + places(second) == [f"l{i:03}" for i in range(250)]
    assert "Back to the start" in second.text


async def test_a_filter_shows_what_it_finds_in_its_sort(reader, todo, saved):
    for title in ("Milk", "Bread", "Apples"):
        await todo(title)
    page = await reader.get(f"/app/filters/{saved.id}")

    assert heading(page) == "Open"
    assert titles(page) == ["Apples", "Bread", "Milk"]
    assert "<code>is:open</code>" in page.text


async def test_create_change_and_delete_a_filter(reader, todo, names_of, sessions):
    await todo("Bread", priority="high")
    form = await reader.get("/app/filters?filter=prioridade:alta")
    assert 'name="filter" value="prioridade:alta"' in form.text
    new = {"name": "High", "filter": "prioridade:alta", "sort": "due", "color": "red"}
    page = await send(reader, "/app/filters", **new)
    assert (heading(page), toast(page), titles(page)) == (
        "High",
        "Filter created: “High”",
        ["Bread"],
    )
    assert "<code>priority:high</code>" in page.text
    [made] = re.findall(r'href="/app/filters/(\d+)/edit"', page.text)
    form = await reader.get(f"/app/filters/{made}/edit")
    assert '<option value="due" selected>' in form.text

    page = await send(reader, f"/app/filters/{made}/edit", **new | {"name": "Low", "sort": ""})
    assert (heading(page), toast(page)) == ("Low", "Saved: “Low”")
    async with sessions() as session:
        assert await session.scalar(select(SavedFilter.sort)) is None
    page = await send(reader, f"/app/filters/{made}/delete")
    assert (places(page), toast(page)) == ([], "Filter deleted: “Low”")
    assert places(await undo(reader, page, "/app/filters")) == ["Low"]


@pytest.mark.parametrize("path", ["/app/filters", "/app/filters/{}/edit"])
async def test_a_mistake_in_a_filter_is_shown_beside_it(reader, saved, path):
    fields = {"name": "High", "filter": "due:today priority>=hihg", "color": "red"}
    response = await reader.post(path.format(saved.id), data=fields)

    assert response.status_code == 422
    text = "Column 21: expected none, low, medium, high or urgent."
    assert errors(response) == {"filter": text}
    shown = "<code>due:today priority&gt;=<mark>hihg</mark></code>"
    assert shown in response.text
    assert 'value="due:today priority&gt;=hihg"' in response.text
    assert 'value="red" checked' in response.text


@pytest.mark.parametrize("title", NASTY)
async def test_names_and_mistakes_are_text(reader, title, user):
    for path in ("/app/projects", "/app/labels", "/app/filters"):
        fields = {"name": title, "filter": f"due:{title}", "color": "red"}
        response = await reader.post(path, data=fields)
        assert response.status_code in {303, 422}
        page = await reader.get(path)
        for text in (response.text, page.text):
            assert "<img" not in text
            assert "<script>" not in text


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"name": "", "filter": "is:open"}, "name"),
        ({"name": "Two", "filter": ""}, "filter"),
        ({"name": "Two", "filter": "(" * 50}, "filter"),
        ({"name": "Two", "filter": "a" * 1001}, "filter"),
        ({"name": "Two", "filter": "is:open", "sort": "size"}, "sort"),
        ({"name": "open", "filter": "is:open"}, "name"),
    ],
)
async def test_a_filter_that_is_refused_says_why(reader, saved, names_of, fields, wrong):
    response = await reader.post("/app/filters", data=fields)

    assert response.status_code in {409, 422}
    assert list(errors(response)) == [wrong]
    assert await names_of(SavedFilter) == ["Open"]


async def test_there_is_a_limit_of_filters(reader, save, user):
    await save(*(SavedFilterFactory(owner_id=user.id) for _ in range(100)))
    response = await reader.post("/app/filters", data={"name": "One more", "filter": "is:open"})

    text = "You have as many filters as there can be. Delete one first."
    assert (response.status_code, errors(response)) == (409, {"": text})


MISTAKES = [
    "",
    "a and",
    "(a",
    "due:",
    '"a',
    "label>b",
    "due<today,friday",
    "due:x",
    "completed:x",
    "created:x",
    "due<none",
    '"\u0301"',
    'label:" "',
    "not (a " * 6 + "b" + ")" * 6,
    "not (a or not (b c or " * 6 + "d" + "))" * 6,
    "label:" + ",".join(str(number) for number in range(60)),
    "a" * 1001,
    "size:3",
    "a)",
]


@pytest.mark.parametrize("text", MISTAKES)
def test_what_the_parser_expects_is_a_text_of_the_catalogue(text):
    with pytest.raises(FilterError) as refused:
        parsing.parse(text)

    assert refused.value.expected in EXPECTED


def test_all_that_a_parser_can_say_is_in_the_catalogue():
    names = ("CONDITION", "FURTHER", "INSIDE", "ONE_VALUE", "CLOSING_QUOTE", "COLON", "CONTENT")
    names += ("FIELD", "DAY_AHEAD", "DAY_BEHIND", "DAY_BEHIND_ALWAYS")

    assert {getattr(parsing, name) for name in names} <= set(EXPECTED)


WORDS = {"state": "draft", "priority": "none", "is": "open"}


@pytest.mark.parametrize("language", KNOWN)
def test_a_filter_can_be_written_with_the_words_that_are_said_to_be_expected(language):
    gettext = translations_of(language).gettext
    for name, first in WORDS.items():
        [english] = [text for text in EXPECTED if text.startswith(f"{first}, ")]
        said = [re.split(r", | or | ou ", text) for text in (english, gettext(english))]
        for word, meaning in zip(said[1], said[0], strict=True):
            assert parsing.parse(f"{name}:{word}") == parsing.parse(f"{name}:{meaning}")
    [english] = [text for text in EXPECTED if text.startswith("a field (")]
    said = [re.search(r"\((.*)\)", text)[1].split(", ") for text in (english, gettext(english))]
    for word, meaning in zip(said[1], said[0], strict=True):
        value = WORDS.get(meaning, "today")
        assert parsing.parse(f"{word}:{value}") == parsing.parse(f"{meaning}:{value}")


async def test_mistakes_are_said_in_portuguese(reader, sessions, user):
    reader.headers["Accept-Language"] = "pt"
    async with sessions.begin() as session:
        row = await session.get(type(user), user.id)
        row.language = "pt-BR"
    for text, said in (
        ("vence:hoje prioridade>=x", "nenhuma, baixa, média, alta ou urgente"),
        ("estado:x", "rascunho, fazer, fazendo, concluída ou lixeira"),
        ("está:x", "aberta, concluída, atrasada, bloqueada, recorrente ou subtarefa"),
        ("tamanho:3", "um campo (vence, "),
        ("a e", "uma condição, como vence:hoje"),
    ):
        response = await reader.post("/app/filters", data={"name": "x", "filter": text})
        assert said in errors(response)["filter"]


async def test_done_shows_what_is_done_by_day_and_opens_it_again(
    reader, save, user, project, sessions
):
    await save(
        TodoFactory(owner_id=user.id, title="Old", project_id=project.id, state="done"),
        TodoFactory(owner_id=user.id, title="New", state="done"),
        TodoFactory(owner_id=user.id, title="Open", state="todo"),
    )
    async with sessions.begin() as session:
        day_before = {"completed_at": Todo.completed_at - timedelta(days=1)}
        await session.execute(update(Todo).where(Todo.title == "Old").values(day_before))
    page = await reader.get("/app/done")
    assert titles(page) == ["New", "Old"]
    assert [text.split(",")[0] for text in headings(page)] == ["Today", "Yesterday"]
    of_project = await reader.get(f"/app/done?project_id={project.id}")
    assert (heading(of_project), titles(of_project)) == ("Completed: Home", ["Old"])

    [tick, *_] = re.findall(r'name="reopen" value="(\d+)"', page.text)
    page = await send(reader, "/app/todos/act", reopen=tick, next="/app/done")
    assert toast(page) == "Reopened: “New”"
    assert titles(page) == ["Old"]
    assert titles(await undo(reader, page, "/app/done")) == ["New", "Old"]


async def test_much_that_is_done_has_pages(reader, save, user):
    await save(
        *(TodoFactory(owner_id=user.id, title=f"Todo {i:03}", state="done") for i in range(250))
    )
    first = await reader.get("/app/done")
    [more] = re.findall(r'href="(/app/done\?after=[^"]+)"', first.text)
    second = await reader.get(unescape(more))

    assert (len(titles(first)), len(titles(second))) == (200, 50)
    assert set(titles(first)) | set(titles(second)) == {f"Todo {i:03}" for i in range(250)}


async def test_the_trash_restores_and_deletes_for_good(
    reader, todo, project, user, bearer, sessions
):
    for title in ("Dig", "Plant"):
        await todo(title, project_id=project.id)
    parent = await todo("Parent")
    await todo("Child", parent_id=parent.id)
    other = await todo("Other")
    for row in (parent, other):
        await reader.delete(f"/todos/{row.id}", headers=bearer(user))
    await send(reader, f"/app/projects/{project.id}/delete")
    page = await reader.get("/app/trash")
    assert re.findall(r"<b>(.*?)</b>", page.text) == ["Home", "Other", "Parent"]
    assert "with 2 tasks" in page.text
    assert "with 1 subtask" in page.text
    assert "deleted: today" in page.text

    page = await send(reader, "/app/trash/restore", restore=f"todo/{parent.id}", next="/app/trash")
    assert toast(page) == "Restored: “Parent”"
    page = await undo(reader, page, "/app/trash")
    assert re.findall(r"<b>(.*?)</b>", page.text) == ["Parent", "Home", "Other"]
    page = await send(
        reader, "/app/trash/restore", restore=f"project/{project.id}", next="/app/trash"
    )
    assert toast(page) == "Restored: “Home”"
    assert titles(await reader.get(f"/app/projects/{project.id}")) == ["Dig", "Plant"]

    [ask, *_] = re.findall(r'href="(/app/trash/\d+/delete)"', page.text)
    asked = await reader.get(ask)
    assert heading(asked) == "Delete for good?"
    assert "“Parent”" in asked.text
    page = await send(reader, ask)
    assert toast(page) == "Deleted for good: “Parent”"
    assert 'name="change_set"' not in page.text
    assert heading(await reader.get("/app/trash/empty")) == "Empty the trash?"
    page = await send(reader, "/app/trash/empty")
    assert toast(page) == "The trash is empty now."
    assert "The trash is empty" in page.text
    async with sessions() as session:
        found = await session.scalars(select(Todo.title).order_by(Todo.id))
        assert found.all() == ["Dig", "Plant"]


@pytest.mark.parametrize(
    "value", ["", "todo", "todo/", "todo/x", "todo/999999", "project/1", "x/1"]
)
async def test_what_is_not_in_the_trash_cannot_be_restored(reader, todo, value):
    await todo("Bread")
    page = await send(reader, "/app/trash/restore", restore=value)

    assert fault(page) is not None


async def test_nothing_of_a_strangers_trash_is_shown_or_emptied(
    reader, save, stranger, todo, bearer, sessions
):
    row = await todo("Secret", owner=stranger)
    await reader.delete(f"/todos/{row.id}", headers=bearer(stranger))
    assert "Secret" not in (await reader.get("/app/trash")).text
    page = await send(reader, "/app/trash/restore", restore=f"todo/{row.id}")
    assert fault(page) == "This is not in the trash any more."
    await send(reader, "/app/trash/empty")
    async with sessions() as session:
        assert await session.scalar(select(func.count()).select_from(Deletion)) == 1


@pytest.mark.parametrize(
    ("path", "text", "example"),
    [
        ("projects", "No project yet", "House and garden"),
        ("labels", "No label yet", "errands"),
        ("filters", "No filter yet", "due:today priority>=high"),
        ("upcoming", "Nothing is due after today", "Buy bread tomorrow at 9am"),
        ("done", "Nothing completed yet", ""),
        ("trash", "The trash is empty", ""),
    ],
)
async def test_an_empty_place_says_what_to_write(reader, path, text, example):
    page = (await reader.get(f"/app/{path}")).text

    assert f"<h2>{text}</h2>" in page
    assert example in page


async def test_a_page_whose_todos_are_gone_leads_back(reader, todo, project):
    await todo("Bread", due_on=datetime.now(UTC).date() + timedelta(days=2), project_id=project.id)
    for path in ("labels", "trash"):
        page = await reader.get(f"/app/{path}?after=AAAAAAAAAAE")
        assert "Back to the start" in page.text
    assert (await reader.get("/app/labels?after=x")).status_code == 422
    assert (await reader.get(f"/app/projects/{project.id}?after=x")).status_code == 422


async def test_what_is_added_to_upcoming_is_for_tomorrow(reader):
    page = await send(reader, "/app/todos", text="Bread", list="upcoming", next="/app/upcoming")

    assert titles(page) == ["Bread"]
    assert [text.split(",")[0] for text in headings(page)] == ["Tomorrow"]


async def test_a_label_that_is_gone_refuses_a_new_todo(reader, save, stranger):
    [theirs] = await save(LabelFactory(owner_id=stranger.id))
    page = await send(reader, "/app/todos", text="Bread", label_id=theirs.id)

    assert fault(page) == "This label does not exist any more."
