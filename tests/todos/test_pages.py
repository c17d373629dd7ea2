"""Whatever is asked for, walking all pages gives what a plain list would."""

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fast_zero.todos.models import TodoState
from tests.factories import TodoFactory, UserFactory

LETTERS = "abAB%_\\/ãÃ"  # cases, and what SQL's LIKE and its escape take as signs
texts = st.text(LETTERS, min_size=1, max_size=4)
rows = st.tuples(texts, st.text(LETTERS, max_size=4), st.sampled_from(TodoState))
filters = st.fixed_dictionaries(
    {"limit": st.integers(1, 5)},
    optional={
        "title": texts.filter(lambda text: len(text) < 3),
        "description": texts.filter(lambda text: len(text) < 3),
        "state": st.sampled_from(TodoState),
        "offset": st.integers(0, 6),
    },
)


def expected(todos, wanted) -> list[int]:
    """Tell in plain Python which ids the pages hold, one after another."""

    def matches(todo) -> bool:
        return (
            wanted.get("title", "").lower() in todo.title.lower()
            and wanted.get("description", "").lower() in todo.description.lower()
            and wanted.get("state", todo.state) == todo.state
        )

    return [todo.id for todo in todos if matches(todo)][wanted.get("offset", 0) :]


async def walk(client, headers, wanted) -> list[int]:
    seen, params = [], wanted
    while True:
        body = (await client.get("/todos", params=params, headers=headers)).json()
        seen += [todo["id"] for todo in body["todos"]]
        assert len(body["todos"]) == wanted["limit"] or body["next"] is None
        if body["next"] is None:
            return seen
        params = {**wanted, "after": body["next"], "offset": 0}


# Each example has a user of its own, so that it does not matter that all share a transaction.
@settings(
    max_examples=50,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(contents=st.lists(rows, max_size=12), wanted=filters)
async def test_all_pages_together_are_the_filtered_list(anonymous, save, bearer, contents, wanted):
    [user] = await save(UserFactory())
    todos = await save(
        *(
            TodoFactory(owner_id=user.id, title=title, description=description, state=state)
            for title, description, state in contents
        )
    )

    assert await walk(anonymous, bearer(user), wanted) == expected(todos, wanted)
