"""What the sidebar of the page shows, with the place that the page is about; labels; the trash."""

import pytest

from fast_zero.core.pagination import PageParams
from fast_zero.labels.models import TodoLabel
from fast_zero.summaries import queries
from fast_zero.summaries.queries import Opened
from tests.factories import (
    LabelFactory,
    ProjectFactory,
    SavedFilterFactory,
    SectionFactory,
    TodoFactory,
)

ALL = PageParams()


async def test_an_overview_has_the_place_that_is_opened(session, save, user):
    [project] = await save(ProjectFactory(owner_id=user.id, name="Home", archived=True))
    names = ("Second", "Third", "First")
    places = (None, None, "0")
    await save(
        *(
            SectionFactory(owner_id=user.id, project_id=project.id, name=name, position=place)
            for name, place in zip(names, places, strict=True)
        )
    )
    [label] = await save(LabelFactory(owner_id=user.id, name="errands", color="green"))
    [saved] = await save(SavedFilterFactory(owner_id=user.id, name="Open", sort="due"))

    overview = await queries.select_overview(session, user.id, Opened("project", project.id))
    assert overview["projects"] == []
    assert (overview["place"]["name"], overview["place"]["archived"]) == ("Home", True)
    sections = [section["name"] for section in overview["place"]["sections"]]
    assert sections == ["First", "Second", "Third"]
    overview = await queries.select_overview(session, user.id, Opened("label", label.id))
    assert overview["place"] == {"name": "errands", "color": "green", "open": 0}
    overview = await queries.select_overview(session, user.id, Opened("filter", saved.id))
    assert (overview["place"]["filter"], overview["place"]["sort"]) == ("is:open", "due")


@pytest.mark.parametrize("kind", ["project", "label", "filter"])
async def test_there_is_no_such_place_for_others(session, save, user, stranger, kind):
    factories = {"project": ProjectFactory, "label": LabelFactory, "filter": SavedFilterFactory}
    [theirs] = await save(factories[kind](owner_id=stranger.id))

    for id_ in (theirs.id, 2**63 - 1):
        overview = await queries.select_overview(session, user.id, Opened(kind, id_))
        assert overview["place"] is None


async def test_labels_are_by_name_with_their_open_todos(session, save, user, stranger):
    labels = await save(*(LabelFactory(owner_id=user.id, name=name) for name in ("b", "A", "c")))
    await save(LabelFactory(owner_id=stranger.id, name="theirs"))
    todos = await save(
        *(TodoFactory(owner_id=user.id, state=state) for state in ("todo", "doing", "done"))
    )
    await save(
        *(TodoLabel(owner_id=user.id, todo_id=row.id, label_id=labels[0].id) for row in todos)
    )

    found = await queries.select_labels(session, user.id, ALL)
    assert [(row["name"], row["open"]) for row in found] == [("A", 0), ("b", 2), ("c", 0)]
    page = PageParams()
    page.after = labels[0].id
    assert [row["name"] for row in await queries.select_labels(session, user.id, page)] == ["c"]


async def test_the_trash_says_how_much_is_in_it(client, session, save, user, stranger):
    [project] = await save(ProjectFactory(owner_id=user.id, name="Home"))
    await save(ProjectFactory(owner_id=user.id, parent_id=project.id))
    await save(
        *(TodoFactory(owner_id=user.id, state="todo", project_id=project.id) for _ in range(3))
    )
    assert (await client.delete(f"/projects/{project.id}")).status_code == 200

    [deletion] = await queries.select_trash(session, user.id, ALL)
    assert (deletion.title, deletion.projects, deletion.todos) == ("Home", 2, 3)
    assert await queries.select_trash(session, stranger.id, ALL) == []
