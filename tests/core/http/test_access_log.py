import logging

import pytest

from tests.factories import TodoFactory

NAME = "x-request-id"


@pytest.fixture
def request_records(caplog):
    """Return the log records of requests."""
    caplog.set_level(logging.DEBUG, "fast_zero.core.http.middleware.access_log")
    return lambda: [record for record in caplog.records if record.message == "answered"]


async def test_every_response_has_a_request_id(anonymous):
    responses = [await anonymous.get(path) for path in ("/", "/nowhere", "/todos", "/livez")]

    ids = {response.headers[NAME] for response in responses}
    assert len(ids) == 4
    assert {len(request_id) for request_id in ids} == {32}


@pytest.mark.parametrize("given", ["0197c2f2-5f0e-7c3a-9d51-3f4f0a7c9b1e", "a.b_c-12", "a" * 128])
async def test_a_received_request_id_is_used(anonymous, given):
    response = await anonymous.get("/", headers={NAME: given})

    assert response.headers.get_list(NAME) == [given]


@pytest.mark.parametrize(
    "given", ["short", "a" * 129, "with space 1", '1"}{injected', "ana@example.com", ""]
)
async def test_an_unsafe_request_id_is_replaced(anonymous, given):
    response = await anonymous.get("/", headers={NAME: given})

    assert given not in response.headers.get_list(NAME)


async def test_the_log_line_has_route_status_time_and_user(client, user, save, request_records):
    [todo] = await save(TodoFactory(owner_id=user.id))
    await client.get(f"/todos/{todo.id}/")

    [record] = request_records()
    assert record.levelno == logging.INFO
    assert record.fields["status"] == 200
    assert record.fields["milliseconds"] > 0


async def test_probes_are_logged_at_debug_level(anonymous, request_records):
    await anonymous.get("/livez")

    assert [record.levelno for record in request_records()] == [logging.DEBUG]
