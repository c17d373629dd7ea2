"""Every request ends within the time limit."""

import asyncio
import gc
import logging
import weakref

import pytest
from httpx2 import ASGITransport, AsyncClient
from starlette.requests import Request
from starlette.responses import PlainTextResponse, StreamingResponse

from fast_zero.core import clock
from fast_zero.core.http.middleware import deadline
from fast_zero.core.http.middleware.deadline import Deadline
from tests.core.expect import problem

TIMED_OUT = (503, "The server is too busy, or its database does not answer. Try again in a moment.")


def client_for(app, seconds: float) -> AsyncClient:
    return AsyncClient(transport=ASGITransport(Deadline(app, seconds)), base_url="http://test")


@pytest.fixture
def cleaned_up() -> asyncio.Event:
    return asyncio.Event()


async def test_a_request_that_takes_too_long_gets_503_and_is_cancelled(cleaned_up, caplog):
    async def app(scope, receive, send):
        try:
            await asyncio.Event().wait()
        finally:
            cleaned_up.set()

    with caplog.at_level(logging.WARNING, logger=deadline.__name__):
        async with client_for(app, 0.05) as client:
            response = await client.get("/todos")

    assert problem(response) == TIMED_OUT
    assert response.headers["retry-after"] == "2"
    assert cleaned_up.is_set()
    assert caplog.messages == ["no response within the time limit"]


async def test_a_request_that_resists_cancellation_does_not_delay_the_503():
    released = asyncio.Event()

    async def app(scope, receive, send):
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            await released.wait()  # as the driver waits for a statement to be cancelled
            await PlainTextResponse("too late")(scope, receive, send)

    sent = []

    async def send(message):
        sent.append(message)
        released.set()

    scope = {"type": "http", "method": "GET", "path": "/", "headers": []}
    async with asyncio.timeout(30):
        await Deadline(app, 0.05)(scope, None, send)

    assert [message.get("status") for message in sent] == [503, None]


async def test_the_time_to_receive_a_body_does_not_count():
    async def app(scope, receive, send):
        await Request(scope, receive).body()
        await PlainTextResponse("done")(scope, receive, send)

    async def slow():
        for _ in range(3):
            await asyncio.sleep(0.1)
            yield b"a"

    async with client_for(app, 0.2) as client:
        assert (await client.post("/", content=slow())).status_code == 200


async def test_work_with_a_paused_deadline_does_not_count():
    async def app(scope, receive, send):
        with clock.deadline_paused():
            await asyncio.sleep(0.3)
        await PlainTextResponse("done")(scope, receive, send)

    async with client_for(app, 0.1) as client:
        assert (await client.get("/")).status_code == 200
    with clock.deadline_paused():  # outside of a request it does nothing
        pass


async def test_a_response_that_has_started_is_not_aborted():
    async def app(scope, receive, send):
        async def parts():
            yield b"a"
            await asyncio.sleep(0.2)
            yield b"b"

        await StreamingResponse(parts())(scope, receive, send)

    async with client_for(app, 0.1) as client:
        assert (await client.get("/")).text == "ab"


async def test_a_cancellation_by_the_server_is_passed_on():
    async def app(scope, receive, send):
        await asyncio.Event().wait()

    scope = {"type": "http", "method": "GET", "path": "/", "headers": []}
    task = asyncio.create_task(Deadline(app, 60)(scope, None, None))
    await asyncio.sleep(0)
    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_request_leaves_no_reference_cycle():
    deadlines = []

    async def app(scope, receive, send):
        deadlines.append(weakref.ref(deadline.current.get()))
        await PlainTextResponse("done")(scope, receive, send)

    async def send(_message):
        pass

    scope = {"type": "http", "method": "GET", "path": "/", "headers": []}
    gc.disable()
    try:
        await asyncio.create_task(Deadline(app, 60)(scope, None, send))
        assert [reference() for reference in deadlines] == [None]
    finally:
        gc.enable()
