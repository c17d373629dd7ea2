"""Every request ends, whatever it waits for."""

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

LATE = (503, "The server is too busy, or its database does not answer. Try again in a moment.")


def speaking_to(app, seconds: float) -> AsyncClient:
    return AsyncClient(transport=ASGITransport(Deadline(app, seconds)), base_url="http://test")


@pytest.fixture
def unwound() -> asyncio.Event:
    return asyncio.Event()


async def test_what_waits_too_long_is_answered_and_unwound(unwound, caplog):
    async def app(scope, receive, send):
        try:
            await asyncio.Event().wait()
        finally:
            unwound.set()

    with caplog.at_level(logging.WARNING, logger=deadline.__name__):
        async with speaking_to(app, 0.05) as client:
            response = await client.get("/todos")

    assert problem(response) == LATE
    assert response.headers["retry-after"] == "2"
    assert unwound.is_set()
    assert caplog.messages == ["no response in time"]


async def test_what_is_stubborn_does_not_hold_up_the_answer():
    stubborn = asyncio.Event()

    async def app(scope, receive, send):
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            await stubborn.wait()  # as the driver waits for a statement to be cancelled
            await PlainTextResponse("too late")(scope, receive, send)

    sent = []

    async def send(message):
        sent.append(message)
        stubborn.set()

    scope = {"type": "http", "method": "GET", "path": "/", "headers": []}
    async with asyncio.timeout(30):
        await Deadline(app, 0.05)(scope, None, send)

    assert [message.get("status") for message in sent] == [503, None]


async def test_the_way_of_a_body_is_not_counted():
    async def app(scope, receive, send):
        await Request(scope, receive).body()
        await PlainTextResponse("done")(scope, receive, send)

    async def slow():
        for _ in range(3):
            await asyncio.sleep(0.1)
            yield b"a"

    async with speaking_to(app, 0.2) as client:
        assert (await client.post("/", content=slow())).status_code == 200


async def test_work_that_surely_ends_is_not_counted():
    async def app(scope, receive, send):
        with clock.uncounted():
            await asyncio.sleep(0.3)
        await PlainTextResponse("done")(scope, receive, send)

    async with speaking_to(app, 0.1) as client:
        assert (await client.get("/")).status_code == 200
    with clock.uncounted():  # outside of a request it does nothing
        pass


async def test_an_answer_that_has_begun_is_not_cut():
    async def app(scope, receive, send):
        async def parts():
            yield b"a"
            await asyncio.sleep(0.2)
            yield b"b"

        await StreamingResponse(parts())(scope, receive, send)

    async with speaking_to(app, 0.1) as client:
        assert (await client.get("/")).text == "ab"


async def test_a_server_that_stops_cancels_as_ever():
    async def app(scope, receive, send):
        await asyncio.Event().wait()

    scope = {"type": "http", "method": "GET", "path": "/", "headers": []}
    task = asyncio.create_task(Deadline(app, 60)(scope, None, None))
    await asyncio.sleep(0)
    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_request_leaves_no_circle_for_the_garbage_collector():
    clocks = []

    async def app(scope, receive, send):
        clocks.append(weakref.ref(deadline.current.get()))
        await PlainTextResponse("done")(scope, receive, send)

    async def send(_message):
        pass

    scope = {"type": "http", "method": "GET", "path": "/", "headers": []}
    gc.disable()
    try:
        await asyncio.create_task(Deadline(app, 60)(scope, None, send))
        assert [clock() for clock in clocks] == [None]
    finally:
        gc.enable()
