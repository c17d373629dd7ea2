"""The open todos of a project in the order of its sections, page by page."""

import pytest

from fast_zero.core.errors import Invalid
from fast_zero.search import service
from tests.factories import ProjectFactory, SectionFactory, TodoFactory


@pytest.fixture
async def project(save, user):
    """Save a project whose second section comes first, with todos that are not in its order."""
    [project] = await save(ProjectFactory(owner_id=user.id))
    sections = await save(
        SectionFactory(owner_id=user.id, project_id=project.id, name="b"),
        SectionFactory(owner_id=user.id, project_id=project.id, name="a", position="0"),
    )
    places = [sections[0].id, None, sections[1].id, None, sections[0].id, sections[1].id]
    rows = await save(
        *(
            TodoFactory(
                owner_id=user.id, title=title, state="todo", project_id=project.id, section_id=place
            )
            for title, place in zip(["b1", "1", "a1", "2", "b2", "a2"], places, strict=True)
        )
    )
    await save(
        TodoFactory(owner_id=user.id, title="done", state="done", project_id=project.id),
        TodoFactory(
            owner_id=user.id,
            title="part",
            state="todo",
            project_id=project.id,
            section_id=rows[0].section_id,
            parent_id=rows[0].id,
        ),
    )
    return project


@pytest.mark.parametrize("limit", [1, 2, 5, 6, 7])
async def test_pages_are_in_the_order_of_the_sections(session, user, project, limit):
    found, after = [], None
    for _ in range(7):
        rows, after = await service.list_by_section(session, user.id, project.id, after, limit)
        found += [row["title"] for row in rows]
        if after is None:
            break

    assert found == ["1", "2", "a1", "a2", "b1", "b2"]


async def test_a_stranger_finds_nothing(session, stranger, project):
    assert await service.list_by_section(session, stranger.id, project.id, None, 10) == ([], None)


@pytest.mark.parametrize("after", ["", "x", "AAAAAAAAAAc", "%00"])
async def test_what_is_no_cursor_is_refused(session, user, project, after):
    with pytest.raises(Invalid):
        await service.list_by_section(session, user.id, project.id, after, 10)
