"""The todos of a deleted section."""

from tests.factories import ProjectFactory, SectionFactory, TodoFactory


async def test_todos_of_deleted_sections_come_last_and_positions_stay_short(
    client, order, move, save, user
):
    [project] = await save(ProjectFactory(owner_id=user.id))
    in_project = {"owner_id": user.id, "project_id": project.id}
    sections = await save(*SectionFactory.build_batch(30, **in_project))
    [alone] = await save(TodoFactory(**in_project))
    expected = [alone.id]
    for section in sections:
        todos = await save(*TodoFactory.build_batch(2, **in_project, section_id=section.id))
        await move(todos[1].id, before=todos[0].id)
        expected += [todos[1].id, todos[0].id]
    for section in sections:
        response = await client.delete(f"/projects/{project.id}/sections/{section.id}")
        assert response.is_success, response.text

    assert await order(project_id=project.id) == expected
    page = (await client.get("/todos", params={"project_id": project.id})).json()["todos"]
    assert {todo["section_id"] for todo in page} == {None}
    assert max(len(todo["position"]) for todo in page) == 25
    response = await move(alone.id, after=expected[-1])
    assert len(response.json()["position"]) <= 25
    assert await order(project_id=project.id) == [*expected[1:], alone.id]
