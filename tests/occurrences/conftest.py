"""Fixtures for tests of todos that recur, on a clock that the tests move."""

from collections.abc import Iterator

import freezegun
import pytest
from freezegun.api import FrozenDateTimeFactory


@pytest.fixture
def clock() -> Iterator[FrozenDateTimeFactory]:
    """Stop the clock of this process on Monday, 6 January 2031. That of PostgreSQL goes on."""
    # Tokens are checked by the same clock: they are signed while it stands.
    with freezegun.freeze_time("2031-01-06T08:00:00Z") as clock:
        yield clock


@pytest.fixture
def client(clock, anonymous, user, bearer):
    """Return a client whose token is always valid."""

    async def sign(request):
        request.headers.update(bearer(user))

    anonymous.event_hooks["request"].append(sign)
    return anonymous


@pytest.fixture
def create(client):
    """Create a todo that recurs; return it."""

    async def create(rule="FREQ=WEEKLY;BYDAY=MO,TH", counted_from="due", **fields):
        recurrence = {"rule": rule, "from": counted_from}
        body = {"title": "Water the plants", "recurrence": recurrence, **fields}
        response = await client.post("/todos", json=body)
        assert response.status_code == 201, response.text
        return response.json()

    return create


@pytest.fixture
def past(client):
    """Return the past occurrences of a todo, oldest first: the day and what became of it."""

    async def past(todo_id):
        listed = (await client.get(f"/todos/{todo_id}/occurrences")).json()
        return [(each["day"], each["status"]) for each in reversed(listed["past"])]

    return past
