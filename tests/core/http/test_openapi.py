import json
import re
from collections.abc import Iterator

import pytest
from openapi_schema_validator import OAS31Validator
from openapi_spec_validator import OpenAPIV31SpecValidator

from fast_zero.core.types import MAX_BIGINT

SENTENCE = re.compile(r"[A-Z].*\.", re.DOTALL)

STALE = "It has changed since you read it. Read it again, then send your change."
CREATED = {"ETag", "Location", "Idempotency-Replayed"}
IN_PROGRESS = "The first request with this Idempotency-Key is still being processed."


@pytest.fixture
async def document(anonymous) -> dict:
    return (await anonymous.get("/openapi.json")).json()


def operations(document) -> Iterator[tuple[str, dict]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield f"{method.upper()} {path}", operation


def is_explained(schema: dict) -> bool:
    """Return whether a schema is explained by a description, an example, or its type."""
    explanations = {"description", "examples", "enum", "const", "$ref", "format", "default"}
    parts = [schema, *schema.get("anyOf", []), schema.get("items", {})]
    return any(part.keys() & explanations for part in parts)


def test_the_document_is_valid(document):
    assert document["openapi"].startswith("3.1.")
    assert [error.message for error in OpenAPIV31SpecValidator(document).iter_errors()] == []


def test_the_document_is_the_same_each_time_and_for_each_application(app, document):
    assert app.openapi() == app.openapi() == document


def test_every_operation_is_described(document):
    for name, operation in operations(document):
        assert re.fullmatch(r"[A-Z][\w', -]+", operation["summary"]), name
        assert SENTENCE.fullmatch(operation["description"]), name


def test_every_operation_has_a_short_unique_summary(document):
    summaries = [operation["summary"] for _, operation in operations(document)]

    assert len(summaries) == len(set(summaries))
    for summary, (_, operation) in zip(summaries, operations(document), strict=True):
        assert summary != operation["operationId"].replace("_", " ").title()
        assert 5 <= len(summary) <= 60, summary


def test_every_success_response_is_described(document):
    described = {
        code: response["description"]
        for _, operation in operations(document)
        for code, response in operation["responses"].items()
        if code < "300"
    }
    assert described.keys() == {"200", "201", "202", "204"}
    assert all(map(SENTENCE.fullmatch, described.values()))
    assert "Successful Response" not in json.dumps(document)


def bodies(operation) -> Iterator[tuple[str, dict]]:
    responses = [response for code, response in operation["responses"].items() if code < "300"]
    for part in (operation.get("requestBody", {}), *responses):
        yield from part.get("content", {}).items()


def test_every_body_has_an_example_that_matches_its_schema(document):
    for name, operation in operations(document):
        for media_type, content in bodies(operation):
            if media_type == "text/html":  # an HTML page
                continue
            schema = content["schema"] | {"components": document["components"]}
            validator = OAS31Validator(schema, format_checker=OAS31Validator.FORMAT_CHECKER)
            errors = [error.message for error in validator.iter_errors(content["example"])]
            assert errors == [], name


def test_the_example_of_a_message_is_the_message(document):
    messages = {
        operation["operationId"]: content["example"]["message"]
        for _, operation in operations(document)
        for _, content in bodies(operation)
        if content["schema"] == {"$ref": "#/components/schemas/Message"}
    }
    assert messages == {
        "delete_todo": "Task has been deleted successfully.",
        "delete_project": "Project has been moved to the trash.",
        "empty_trash": "The trash has been emptied.",
        "delete_from_trash": "It has been deleted for good.",
        "delete_user": "User deleted",
        "send_verification": "An email is on its way to your address.",
        "forget_password": "If an account has this address, an email is on its way to it.",
        "greet": "Olá Mundo!",
    }


async def test_the_maximum_of_ids_is_enforced_but_not_documented(document, client):
    assert str(MAX_BIGINT) not in json.dumps(document)
    [_, operation] = next(
        item for item in operations(document) if item[1]["operationId"] == "read_todo"
    )
    schema = operation["parameters"][0]["schema"]
    assert (schema["format"], schema["minimum"]) == ("int64", 1)

    assert (await client.get(f"/todos/{MAX_BIGINT}")).status_code == 404
    assert (await client.get(f"/todos/{MAX_BIGINT + 1}")).status_code == 422
    assert (await client.get(f"/todos?offset={MAX_BIGINT}")).status_code == 200
    assert (await client.get(f"/todos?offset={MAX_BIGINT + 1}")).status_code == 422


def test_the_document_names_its_own_origin_as_the_server(document):
    assert [server["url"] for server in document["servers"]] == ["/"]


def test_a_bearer_token_can_be_used_wherever_a_password_can(document):
    schemes = document["components"]["securitySchemes"]
    assert schemes.keys() == {"OAuth2PasswordBearer", "BearerToken"}
    pasted = schemes["BearerToken"]
    assert (pasted["type"], pasted["scheme"]) == ("http", "bearer")

    for name, operation in operations(document):
        if security := operation.get("security"):
            [flow, token] = security
            assert flow["OAuth2PasswordBearer"] == token["BearerToken"], name


def test_the_log_in_form_documents_what_each_grant_needs(document):
    schema = {"$ref": "#/components/schemas/TokenForm", "components": document["components"]}
    validator = OAS31Validator(schema)
    account = {"username": "ana", "password": "a fine long sentence"}

    assert validator.is_valid(account)
    assert validator.is_valid(account | {"grant_type": "password", "scope": "todos:read"})
    assert validator.is_valid({"grant_type": "refresh_token", "refresh_token": "q7rX"})
    assert validator.is_valid(account | {"refresh_token": ""})
    assert not validator.is_valid({"username": "ana"})
    assert not validator.is_valid(account | {"password": ""})
    assert not validator.is_valid({"refresh_token": "q7rX"})
    assert not validator.is_valid(account | {"grant_type": "refresh_token"})


def descriptions(part: object) -> Iterator[str]:
    """Return the texts of the document, without quoted error messages."""
    values = part.items() if isinstance(part, dict) else enumerate(part)
    for key, value in values:
        if key in {"description", "summary"} and isinstance(value, str):
            yield re.sub("`[^`]+`", "", value)
        elif isinstance(value, dict | list):
            yield from descriptions(value)


def test_descriptions_use_the_words_todo_and_email(document):
    other = re.compile(r"\b(e-mails?|letters?|mails?|tasks?)\b", re.IGNORECASE)
    assert [text for text in descriptions(document) if other.search(text)] == []


def test_every_operation_id_is_unique_and_a_function_name(document):
    ids = [operation["operationId"] for _, operation in operations(document)]

    assert len(ids) == len(set(ids))
    assert all(re.fullmatch("greet|[a-z]+(_[a-z]+)+", name) for name in ids)
    assert {"create_todo", "list_todos", "read_todo", "update_todo", "delete_todo"} <= set(ids)


def test_every_operation_has_a_tag_that_is_described(document):
    described = {tag["name"]: tag["description"] for tag in document["tags"]}

    used = {tag for _, operation in operations(document) for tag in operation["tags"]}
    assert used == described.keys()
    assert all(map(SENTENCE.fullmatch, described.values()))
    assert all(len(operation["tags"]) == 1 for _, operation in operations(document))


def test_every_error_is_a_problem_with_a_schema(document):
    for name, operation in operations(document):
        refused = {code: entry for code, entry in operation["responses"].items() if code >= "400"}
        assert {"422", "413", "503"} <= refused.keys(), name
        for code, entry in refused.items():
            assert entry["content"].keys() == {"application/problem+json"}, (name, code)
            schema = "ValidationProblem" if code == "422" else "Problem"
            [content] = entry["content"].values()
            assert content["schema"] == {"$ref": f"#/components/schemas/{schema}"}, (name, code)
            assert entry["description"], (name, code)


def test_the_routes_that_need_a_token_document_it(document):
    public = {"check_life", "check_readiness", "read_version", "greet"}
    public |= {"create_user", "list_users", "read_user", "read_user_by_name", "create_token"}
    public |= {"read_atom_feed", "read_json_feed", "stop_letters", "unsubscribe_page"}
    public |= {"confirm_email", "forget_password", "reset_password", "read_calendar"}
    public_by_setting = {"list_users", "read_user", "read_user_by_name"}
    public_by_setting |= {"read_atom_feed", "read_json_feed"}

    for name, operation in operations(document):
        needs_token = operation["operationId"] not in public
        assert bool(operation.get("security")) == needs_token, name
        refused = operation["responses"].get("401", {"description": ""})["description"]
        may_refuse = needs_token or operation["operationId"] in public_by_setting
        assert ("`Not authenticated`" in refused) == may_refuse, name
        # In FastAPI, a 403 response of a route replaces that of its router.
        forbidden = operation["responses"].get("403", {"description": ""})["description"]
        assert ("`This needs a token with the scope …`" in forbidden) == needs_token, name


@pytest.mark.parametrize(
    ("operation_id", "code", "sentence"),
    [
        ("create_user", "403", "Registration is closed."),
        ("create_user", "403", "Registration needs an invitation."),
        ("create_user", "409", "Username already exists"),
        ("create_user", "409", "Email already exists"),
        ("read_user", "404", "User not found"),
        ("replace_user", "403", "Not enough permissions"),
        ("replace_user", "409", "Username or Email already exists"),
        ("delete_user", "403", "Not enough permissions"),
        ("create_token", "401", "Incorrect email or password"),
        ("read_todo", "404", "Task not found."),
        ("update_todo", "404", "Task not found."),
        ("delete_todo", "404", "Task not found."),
        ("update_todo", "412", STALE),
        ("delete_todo", "412", STALE),
        ("replace_user", "412", STALE),
        ("delete_user", "412", STALE),
        ("create_todo", "409", IN_PROGRESS),
        ("create_user", "409", IN_PROGRESS),
        ("do_batch", "409", IN_PROGRESS),
        ("do_batch", "409", "Nothing was done: items that cannot be: 1 of 3."),
    ],
)
def test_the_contract_sentences_are_examples(document, operation_id, code, sentence):
    [operation] = [op for _, op in operations(document) if op["operationId"] == operation_id]
    [content] = operation["responses"][code]["content"].values()

    example = content["examples"][sentence]["value"]
    assert (example["detail"], example["status"]) == (sentence, int(code))


def test_every_parameter_and_property_is_explained(document):
    for name, operation in operations(document):
        for parameter in operation.get("parameters", []):
            assert is_explained(parameter | parameter["schema"]), (name, parameter["name"])
    for name, schema in document["components"]["schemas"].items():
        for key, value in schema.get("properties", {}).items():
            assert is_explained(value), (name, key)


@pytest.mark.parametrize(
    ("operation_id", "code", "request_headers", "response_headers"),
    [
        ("read_todo", "200", {"If-None-Match"}, {"ETag"}),
        ("read_todo", "304", {"If-None-Match"}, {"ETag"}),
        ("read_me", "304", {"If-None-Match"}, {"ETag"}),
        ("read_user", "304", {"If-None-Match"}, {"ETag"}),
        ("update_todo", "200", {"If-Match"}, {"ETag", "X-Change-Set"}),
        ("replace_user", "200", {"If-Match"}, {"ETag"}),
        ("delete_todo", "200", {"If-Match"}, {"X-Change-Set"}),
        ("delete_user", "200", {"If-Match"}, set()),
        ("create_todo", "201", {"Idempotency-Key"}, CREATED | {"X-Change-Set"}),
        ("create_user", "201", {"Idempotency-Key"}, CREATED),
        ("do_batch", "200", {"Idempotency-Key"}, {"Idempotency-Replayed", "X-Change-Set"}),
    ],
)
def test_the_headers_of_a_write_are_described(
    document, operation_id, code, request_headers, response_headers
):
    [operation] = [op for _, op in operations(document) if op["operationId"] == operation_id]
    parameters = operation["parameters"]

    assert {header["name"] for header in parameters if header["in"] == "header"} == request_headers
    assert operation["responses"][code].get("headers", {}).keys() == response_headers
    assert code != "304" or "content" not in operation["responses"][code]


def test_the_password_field_has_the_format_password(document):
    password = document["components"]["schemas"]["UserCreate"]["properties"]["password"]

    assert (password["format"], password["writeOnly"]) == ("password", True)


def test_no_public_schema_has_an_address_or_a_hash(document):
    schemas = document["components"]["schemas"]

    public = {"id", "username", "display_name", "bio", "created_at"}
    assert schemas["UserPublic"]["properties"].keys() == public
    assert "password_hash" not in json.dumps(document)


@pytest.mark.parametrize("page", ["/docs", "/redoc"])
async def test_a_page_loads_nothing_from_other_servers(anonymous, page):
    html = await anonymous.get(page)
    assets = re.findall(r"""(?:src|href|url\()=?['"]?([^'")\s>]+)""", html.text)

    assert html.status_code == 200
    assert html.headers["content-type"].startswith("text/html")
    assert len(assets) >= 2
    for asset in assets:
        assert asset.startswith("/docs/assets/"), asset
        response = await anonymous.get(asset)
        assert response.status_code == 200, asset
        assert response.content, asset
    assert not re.search(r"""(?:https?:)?//[\w.-]+\.\w+""", html.text)
    assert "'/openapi.json'" in html.text or '"/openapi.json"' in html.text
