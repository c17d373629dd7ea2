import logging

import pytest
from fastapi import FastAPI
from httpx2 import ASGITransport, AsyncClient
from sqlalchemy import text
from starlette.middleware import Middleware

from fast_zero.core import errors
from fast_zero.core.http import problems
from tests.core.expect import invalid_fields, problem

RAISED = {
    "unauthenticated": errors.Unauthenticated("Who are you?"),
    "forbidden": errors.Forbidden("Not you."),
    "missing": errors.NotFound("Not here."),
    "conflict": errors.Conflict("Taken."),
    "invalid": errors.Invalid("All of it is wrong."),
    "field": errors.Invalid("Too short.", "name"),
    "away": errors.Unavailable("Away."),
    "mistake": ZeroDivisionError("s3cr3t"),
}


@pytest.fixture
async def client():
    """Return a client of an application with one route, which raises the error in its path."""
    app = FastAPI(middleware=[Middleware(problems.ErrorHandler)])
    problems.install(app)

    @app.get("/{name}/{number}")
    async def fail(name: str, number: int) -> None:
        raise RAISED[name]

    transport = ASGITransport(app)
    async with AsyncClient(transport=transport, base_url="http://test") as client:
        yield client


@pytest.mark.parametrize(
    ("name", "expected", "headers"),
    [
        ("unauthenticated", (401, "Who are you?"), {"www-authenticate": "Bearer"}),
        ("forbidden", (403, "Not you."), {}),
        ("missing", (404, "Not here."), {}),
        ("conflict", (409, "Taken."), {}),
        ("invalid", (422, "All of it is wrong."), {}),
        ("away", (503, "Away."), {"retry-after": "2"}),
        ("mistake", (500, "This is our mistake. It has been logged."), {}),
    ],
)
async def test_an_error_becomes_a_problem(client, name, expected, headers):
    response = await client.get(f"/{name}/1")

    assert problem(response) == expected
    standard = {"content-type", "content-length"}
    assert {key: response.headers[key] for key in {*response.headers} - standard} == headers
    assert "s3cr3t" not in response.text


async def test_an_invalid_field_has_the_format_of_a_validation_error(client):
    response = await client.get("/field/1")

    assert invalid_fields(response) == ["body.name"]
    assert problem(response)[1] == [
        {"type": "value_error", "loc": ["body", "name"], "msg": "Too short."}
    ]


async def test_a_validation_error_does_not_repeat_the_input(client):
    response = await client.get("/field/s3cr3t")

    assert invalid_fields(response) == ["path.number"]
    assert "s3cr3t" not in str(problem(response)[1])


@pytest.mark.parametrize("path", ["/a%20b/ç", "/%ff/%ed%a0%80", "//double", "/%3Fa=b%23c"])
async def test_the_instance_of_an_unusual_path_is_a_url(client, path):
    status, _ = problem(await client.get(path))

    assert status in {404, 422}


async def test_only_an_unavailable_database_is_logged(client, caplog):
    with caplog.at_level(logging.INFO, logger=problems.__name__):
        for name in ("conflict", "away"):
            await client.get(f"/{name}/1")

    assert [record.getMessage() for record in caplog.records] == ["Away."]


def test_the_errors_of_one_status_are_described_together():
    described = problems.responses(errors.Conflict("Taken."), errors.Conflict("Gone."))

    [(status, entry)] = described.items()
    assert (status, entry["description"]) == (409, "`Taken.` `Gone.`")
    examples = entry["content"]["application/problem+json"]["examples"]
    assert [example["value"]["detail"] for example in examples.values()] == ["Taken.", "Gone."]


async def test_an_unexpected_exception_is_logged_in_one_line_without_its_message(caplog):
    app = FastAPI(middleware=[Middleware(problems.ErrorHandler)])
    problems.install(app)

    @app.get("/")
    async def fail() -> None:
        raise ZeroDivisionError("s3cr3t")  # its message must not be logged

    transport = ASGITransport(app)
    async with AsyncClient(transport=transport, base_url="http://test") as client:
        response = await client.get("/")

    assert problem(response) == (500, "This is our mistake. It has been logged.")
    [line] = [message for message in caplog.messages if "ZeroDivisionError" in message]
    assert line == "ZeroDivisionError at problems.py:" + line.rpartition(":")[2]
    assert "s3cr3t" not in caplog.text
    assert "Traceback" not in caplog.text


async def test_the_statement_of_a_database_that_is_not_migrated_is_not_logged(
    anonymous, connection, caplog
):
    await connection.execute(text("ALTER TABLE users RENAME TO gone"))
    with caplog.at_level(logging.INFO, logger=problems.__name__):
        await anonymous.get("/users")

    assert caplog.messages == ['relation "users" does not exist']
