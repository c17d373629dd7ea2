"""With any filters, all pages together are the whole list."""

import unicodedata

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fast_zero.todos.models import TodoState
from tests.factories import TodoFactory, UserFactory

# Cases, accents, what looks like an accent and is none, and what SQL takes as signs elsewhere.
LETTERS = "aA%_\\/ãÃåo\u0303ÉéçøΆΣşğ"
texts = st.text(LETTERS, max_size=4)
fragments = st.sampled_from(
    [*LETTERS.replace("\u0303", ""), "aA", "%a", "\\%", "/_", "ao", "o\u0303"]
)  # most are found somewhere
states = st.sampled_from([TodoState.TODO, TodoState.DONE, TodoState.DRAFT])
rows = st.tuples(texts.filter(bool), texts, states)
filters = st.fixed_dictionaries(
    {"limit": st.integers(1, 5), "offset": st.integers(0, 2)},
    optional={
        "title": fragments,
        "description": fragments,
        "state": st.lists(states, min_size=1, max_size=len(TodoState)),
    },
)


def folded(text: str) -> str:
    # Character by character, as PostgreSQL does, which has no final sigma.
    decomposed = unicodedata.normalize("NFD", "".join(letter.lower() for letter in text))
    return "".join(letter for letter in decomposed if not "\u0300" <= letter <= "\u036f")


def expected(todos, wanted) -> list[int]:
    """Compute in plain Python the ids on the pages, in order."""

    def matches(todo) -> bool:
        return (
            folded(wanted.get("title", "")) in folded(todo.title)
            and folded(wanted.get("description", "")) in folded(todo.description)
            and todo.state in wanted.get("state", [todo.state])
        )

    return [todo.id for todo in todos if matches(todo)][wanted["offset"] :]


async def walk(client, headers, wanted) -> list[int]:
    seen, params = [], wanted
    while True:
        body = (await client.get("/todos", params=params, headers=headers)).json()
        page = [todo["id"] for todo in body["todos"]]
        assert not {*seen} & {*page}
        seen += page
        assert len(page) == wanted["limit"] or body["next"] is None
        if body["next"] is None:
            return seen
        params = {**wanted, "after": body["next"], "offset": 0}


# Each example has a user of its own, so that it does not matter that all share a transaction.
@settings(
    max_examples=50,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(contents=st.lists(rows, min_size=4, max_size=12), wanted=filters)
async def test_all_pages_together_are_the_filtered_list(anonymous, save, bearer, contents, wanted):
    [user] = await save(UserFactory())
    todos = await save(
        *(
            TodoFactory(owner_id=user.id, title=title, description=description, state=state)
            for title, description, state in contents
        )
    )

    assert await walk(anonymous, bearer(user), wanted) == expected(todos, wanted)
