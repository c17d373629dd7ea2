"""Any sequence of moves gives the order of a plain list."""

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.factories import ProjectFactory, TodoFactory, UserFactory

TODOS = 6
# Which todo is moved, to which project, and before or after which of those that are there then.
moves = st.lists(
    st.tuples(
        st.integers(0, TODOS - 1),
        st.integers(0, 1),
        st.sampled_from(["before", "after", None]),
        st.integers(0, TODOS - 1),
        st.booleans(),
    ),
    min_size=1,
    max_size=30,
)


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(moves)
async def test_moves_give_the_order_of_a_list(client, move, order, save, bearer, moves):
    [user] = await save(UserFactory())
    headers = bearer(user)
    projects = [
        project.id for project in await save(*ProjectFactory.build_batch(2, owner_id=user.id))
    ]
    saved = await save(*TodoFactory.build_batch(TODOS, owner_id=user.id, project_id=projects[0]))
    todos = [todo.id for todo in saved]
    model: dict[int, list[int]] = {projects[0]: list(todos), projects[1]: []}
    for index, to, side, place, says_project in moves:
        todo, target = todos[index], projects[to]
        others = [other for other in model[target] if other != todo]
        where = {"project_id": target}
        at = len(others)
        if side and others:
            at = place % len(others)
            where = {side: others[at]} | (where if says_project else {})
            at += side == "after"
        response = await move(todo, headers, **where)
        assert response.status_code == 200, response.text
        for listed in model.values():
            if todo in listed:
                listed.remove(todo)
        model[target].insert(at, todo)

    assert {project: await order(headers, project_id=project) for project in projects} == model
