"""The short way of a route answers as FastAPI's own does, and does nothing twice."""

from typing import Annotated

import pytest
from fastapi import Body, Depends, FastAPI, Form, Query, Request, Response, Security
from fastapi.security import SecurityScopes
from httpx2 import ASGITransport, AsyncClient
from pydantic import BaseModel, Field

from fast_zero.core.routing import Route, room


class Thing(BaseModel):
    name: Annotated[str, Field(max_length=5)]
    size: int = 1


class Mark:
    name = "a mark"
    size = 7


ASKED: list[object] = []
"""What the dependencies were asked, in their order."""

THINGS = room("/things")


async def scopes(needed: SecurityScopes, request: Request) -> list[str]:
    ASKED.append(request.method)
    return needed.scopes


async def deep(given: Annotated[list[str], Security(scopes, scopes=["a", "b"])]) -> str:
    return " ".join(given)


def plain() -> str:
    return "from a thread"


async def opened():
    ASKED.append("opened")
    yield "held"
    ASKED.append("closed")


Deep = Annotated[str, Depends(deep)]


@THINGS.get("/{thing_id}", response_model=Thing)
async def read(thing_id: Annotated[int, Field(ge=1)], said: Deep) -> object:
    return {"name": said, "size": thing_id, "secret": "is left out"}


@THINGS.post("", status_code=201, response_model=Thing)
async def create(thing: Thing, _: Deep) -> Response:
    return Response(thing.model_dump_json(), 201, media_type="application/json")


@THINGS.get("/by/attributes", response_model=Thing, dependencies=[Depends(deep)])
async def mark() -> object:
    return Mark()


@THINGS.get("/of/threads", response_model=str)
async def threaded(said: Annotated[str, Depends(plain)]) -> str:
    return said


@THINGS.get("/of/contexts", response_model=str)
async def held(said: Annotated[str, Depends(opened, scope="function")]) -> str:
    ASKED.append("used")
    return said


@THINGS.get("/of/queries", response_model=list[int])
async def queried(sizes: Annotated[list[int], Query()]) -> list[int]:
    return sizes


@THINGS.get("/of/shared", response_model=list[str])
async def shared(one: Annotated[str, Depends(deep)], other: Deep) -> list[str]:
    return [one, other]


@THINGS.post("/of/forms", response_model=Thing)
async def filled(thing: Annotated[Thing, Form()]) -> object:
    return thing


@THINGS.post("/of/two", response_model=list[Thing])
async def paired(one: Thing, other: Thing) -> object:
    return [one, other]


@THINGS.post("/of/names", response_model=Thing)
async def embedded(thing: Annotated[Thing, Body(embed=True)]) -> object:
    return thing


@THINGS.get("/of/parts", response_model=Thing, response_model_exclude_unset=True)
async def partial() -> object:
    return {"name": "box"}


@THINGS.delete("/{thing_id}", status_code=204)
async def delete(thing_id: int) -> None:
    ASKED.append(thing_id)


@THINGS.get("/wrong/{thing_id}", response_model=Thing)
async def wrong(thing_id: int) -> object:
    return {"name": "far too long", "size": thing_id}


@pytest.fixture
def asked() -> list[object]:
    ASKED.clear()
    return ASKED


@pytest.fixture
def things(asked):
    app = FastAPI()
    app.router.routes.extend(THINGS.routes)
    return app


@pytest.fixture
async def client(things):
    transport = ASGITransport(things, raise_app_exceptions=False)
    async with AsyncClient(transport=transport, base_url="http://test") as client:
        yield client


def test_which_routes_are_short(things):
    short = {route.name for route in things.routes if isinstance(route, Route) and route.call}

    assert short == {"read", "create", "mark", "wrong"}


JSON = {"content-type": "application/json"}
REQUESTS = {
    "a path": ("GET", "/things/7", {}),
    "a path of another kind": ("GET", "/things/seven", {}),
    "a path out of range": ("GET", "/things/0", {}),
    "a body": ("POST", "/things", {"json": {"name": "box", "size": 2}}),
    "a body that breaks a rule": ("POST", "/things", {"json": {"name": "a long box"}}),
    "a body that breaks two": ("POST", "/things", {"json": {"name": 1, "size": "big"}}),
    "no object": ("POST", "/things", {"json": ["box"]}),
    "no body": ("POST", "/things", {}),
    "an empty body": ("POST", "/things", {"content": b"", "headers": JSON}),
    "no JSON": ("POST", "/things", {"content": b'{"name": ', "headers": JSON}),
    "no UTF-8": ("POST", "/things", {"content": b'{"name": "\xff"}', "headers": JSON}),
    "UTF-16": ("POST", "/things", {"content": '{"name": "box"}'.encode("utf-16"), "headers": JSON}),
    "a lone surrogate": ("POST", "/things", {"content": b'{"name": "\\ud800"}', "headers": JSON}),
    "NaN": ("POST", "/things", {"content": b'{"name": "box", "size": NaN}', "headers": JSON}),
    "a name twice": (
        "POST",
        "/things",
        {"content": b'{"name": "box", "name": "bag"}', "headers": JSON},
    ),
    "JSON of a kind": (
        "POST",
        "/things",
        {"content": b'{"name": "box"}', "headers": {"content-type": "application/merge+json"}},
    ),
    "JSON with a charset": (
        "POST",
        "/things",
        {
            "content": b'{"name": "box"}',
            "headers": {"content-type": "application/json; charset=utf-8"},
        },
    ),
    "text": (
        "POST",
        "/things",
        {"content": b'{"name": "box"}', "headers": {"content-type": "text/plain"}},
    ),
    "attributes": ("GET", "/things/by/attributes", {}),
    "a dependency in a thread": ("GET", "/things/of/threads", {}),
    "a dependency with an end": ("GET", "/things/of/contexts", {}),
    "a query": ("GET", "/things/of/queries?sizes=1&sizes=2", {}),
    "a dependency that two need": ("GET", "/things/of/shared", {}),
    "a form": ("POST", "/things/of/forms", {"data": {"name": "box"}}),
    "JSON for a form": ("POST", "/things/of/forms", {"json": {"name": "box"}}),
    "two models": (
        "POST",
        "/things/of/two",
        {"json": {"one": {"name": "a"}, "other": {"name": "b"}}},
    ),
    "a model by its name": ("POST", "/things/of/names", {"json": {"thing": {"name": "box"}}}),
    "what was set": ("GET", "/things/of/parts", {}),
    "no content": ("DELETE", "/things/3", {}),
    "an answer that breaks a rule": ("GET", "/things/wrong/3", {}),
    "another method": ("PUT", "/things/3", {}),
    "another path": ("GET", "/thing", {}),
}


@pytest.mark.parametrize("asking", REQUESTS.values(), ids=REQUESTS)
async def test_both_ways_answer_the_same(client, asked, monkeypatch, asking):
    async def nothing(_route, _request):
        return None

    method, path, options = asking
    with monkeypatch.context() as patch:
        patch.setattr(Route, "respond", nothing)  # so FastAPI goes its own way
        usual = await client.request(method, path, **options)
    seen, asked[:] = list(asked), []
    response = await client.request(method, path, **options)

    assert response.status_code == usual.status_code
    assert response.content == usual.content
    assert response.headers == usual.headers
    assert asked == seen  # nobody was asked twice, nor in another order


async def test_a_body_that_comes_in_parts_is_one(client):
    async def parts():
        yield b'{"name": '
        yield b'"box"}'

    response = await client.post("/things", content=parts(), headers=JSON)

    assert response.json() == {"name": "box", "size": 1}


async def test_who_leaves_in_the_middle_of_a_body_has_asked_for_nothing(things, asked):
    messages = [
        {"type": "http.request", "body": b'{"name": ', "more_body": True},
        {"type": "http.disconnect"},
        {"type": "http.disconnect"},
    ]
    sent = []

    async def receive():
        return messages.pop(0)

    async def send(message):
        sent.append(message)

    scope = {
        "type": "http",
        "method": "POST",
        "path": "/things",
        "query_string": b"",
        "headers": [(b"content-type", b"application/json")],
    }
    await things(scope, receive, send)

    assert sent[0]["status"] == 400
    assert asked == []
