"""The OpenAPI document, and the pages for it, which work without a CDN."""

import re
from base64 import b64encode
from collections.abc import Iterator
from hashlib import sha256
from importlib import resources
from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi.openapi.docs import get_redoc_html, get_swagger_ui_html
from fastapi.responses import HTMLResponse, Response
from fastapi.routing import APIRoute
from fastapi.staticfiles import StaticFiles
from pydantic.json_schema import models_json_schema

from fast_zero.core.errors import Unavailable, UnsupportedMediaType
from fast_zero.core.http import examples
from fast_zero.core.http.idempotency import CHANGE_SET
from fast_zero.core.http.problems import MEDIA_TYPE, responses
from fast_zero.core.types import Problem, ValidationProblem

ASSETS = "/docs/assets"
REF = "#/components/schemas/{model}"
FIRST_SENTENCE = re.compile(r"(.+?)\.(?:\s|$)", re.DOTALL)
INLINE_SCRIPT = re.compile(rb"<script>(.*?)</script>", re.DOTALL)
REDOC_LOGO = b"https://cdn.redoc.ly/redoc/logo-mini.svg"

# Relative, so that it is right behind any proxy and for any host. The users of generated clients
# set the address of the server.
SERVERS = [{"url": "/", "description": "The server that this document came from."}]

TOKEN_ALONE = "BearerToken"  # noqa: S105  # a scheme's name, not a secret

# They replace FastAPI's description "Successful Response".
SUCCESSES = {
    "200": "The request was done. The body has the result.",
    "201": "It was created. The body shows it.",
    "202": "The request was accepted. What it asks for follows by email.",
    "204": "The request was done. There is no body.",
}

# Every route may return these.
COMMON_RESPONSES: dict[int | str, dict[str, Any]] = {
    400: {
        "description": "A header is malformed, or the body is not UTF-8 or nested too deeply.",
        "content": {MEDIA_TYPE: {"schema": {"$ref": REF.format(model="Problem")}}},
    },
    413: {
        "description": "The body is larger than the limit.",
        "content": {MEDIA_TYPE: {"schema": {"$ref": REF.format(model="Problem")}}},
    },
    422: {
        "description": "A field breaks a rule.",
        "content": {MEDIA_TYPE: {"schema": {"$ref": REF.format(model="ValidationProblem")}}},
    },
    **responses(Unavailable("The database is not available. Try again in a moment.")),
}

CHANGE_SET_HEADER = {
    CHANGE_SET: {
        "description": "The id of all that this request changed.",
        "schema": {"type": "string", "format": "uuid"},
    }
}

TO_PAGE: dict[int | str, dict[str, Any]] = {
    303: {
        "description": "`Accept` prefers `text/html`: the page for people is at `Location`.",
        "headers": {"Location": {"schema": {"type": "string", "examples": ["/app/"]}}},
    }
}


def operation_id(route: APIRoute) -> str:
    return route.name


def extend(app: FastAPI, logged_scope: str) -> None:
    """Extend the document with what FastAPI does not generate."""
    describe = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            document = describe()
            add_problems(document)
            add_bearer_scheme(document)
            schemas = document["components"]["schemas"]
            for operation in operations(document):
                summarize(operation)
                add_change_set(operation, logged_scope)
                add_media_type(operation)
                add_examples(operation, schemas)
        return describe()

    # The documented way: see "Extending OpenAPI" in FastAPI's documentation.
    app.openapi = openapi  # type: ignore[method-assign]  # see above


def operations(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for methods in document["paths"].values():
        yield from methods.values()


def add_problems(document: dict[str, Any]) -> None:
    """Add the schemas that the error responses refer to."""
    _, definitions = models_json_schema(
        [(Problem, "serialization"), (ValidationProblem, "serialization")], ref_template=REF
    )
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    schemas.update(definitions["$defs"])


def add_bearer_scheme(document: dict[str, Any]) -> None:
    """Add a bearer scheme next to the password flow, for every operation that requires it.

    It is added here and not as a dependency, since both schemes use the same header, which the
    routes read once.
    """
    document["components"].setdefault("securitySchemes", {})[TOKEN_ALONE] = {
        "type": "http",
        "scheme": "bearer",
        "description": "Paste a personal token (`fzp_…`), or an access token of a log-in.",
    }
    for operation in operations(document):
        for alternative in list(operation.get("security", [])):
            [scopes] = alternative.values()
            operation["security"].append({TOKEN_ALONE: scopes})


def add_media_type(operation: dict[str, Any]) -> None:
    """Add the 415 response to an operation that takes a body."""
    if body := operation.get("requestBody"):
        expected = ", ".join(body["content"])
        operation["responses"]["415"] = responses(UnsupportedMediaType(expected))[415]


def summarize(operation: dict[str, Any]) -> None:
    """Use the first sentence of the docstring as summary, and describe the success responses."""
    if found := FIRST_SENTENCE.match(operation.get("description", "")):
        operation["summary"] = found[1]
    for status, response in operation["responses"].items():
        if response["description"] == "Successful Response":
            response["description"] = SUCCESSES[status]


def add_change_set(operation: dict[str, Any], logged_scope: str) -> None:
    """Add the header of the operations whose writes are logged: those that need this scope."""
    needed = [scopes for scheme in operation.get("security", ()) for scopes in scheme.values()]
    if any(logged_scope in scopes for scopes in needed):
        for status, response in operation["responses"].items():
            if status < "300":
                response.setdefault("headers", {}).update(CHANGE_SET_HEADER)


def add_examples(operation: dict[str, Any], schemas: dict[str, Any]) -> None:
    """Add an example to every request and success response with a body."""
    successes = [found for status, found in operation["responses"].items() if status < "300"]
    for part in (operation.get("requestBody", {}), *successes):
        for content in part.get("content", {}).values():
            found = examples.compose(content["schema"], schemas)
            if found is not None:
                content.setdefault("example", found)


def install_pages(app: FastAPI) -> None:
    """Serve Swagger UI at `/docs` and ReDoc at `/redoc` from local files."""
    pages = APIRouter(include_in_schema=False)

    @pages.get("/docs")
    async def swagger_ui() -> HTMLResponse:
        page = get_swagger_ui_html(
            openapi_url="/openapi.json",
            title=f"{app.title} · Swagger UI",
            swagger_js_url=f"{ASSETS}/swagger-ui-bundle.js",
            swagger_css_url=f"{ASSETS}/swagger-ui.css",
            swagger_favicon_url=f"{ASSETS}/favicon.png",
        )
        return restricted(page)

    @pages.get("/redoc")
    async def redoc() -> HTMLResponse:
        page = get_redoc_html(
            openapi_url="/openapi.json",
            title=f"{app.title} · ReDoc",
            redoc_js_url=f"{ASSETS}/redoc.standalone.js",
            redoc_favicon_url=f"{ASSETS}/favicon.png",
            with_google_fonts=False,
        )
        return restricted(page)

    @pages.get(f"{ASSETS}/redoc.standalone.js")
    async def redoc_script() -> Response:
        """Return ReDoc with our own icon instead of one that it would load from a CDN."""
        file = resources.files("fastapi_offline") / "static" / "redoc.standalone.js"
        script = file.read_bytes().replace(REDOC_LOGO, f"{ASSETS}/favicon.png".encode())
        headers = {"Cache-Control": "public, max-age=86400"}
        return Response(script, media_type="text/javascript", headers=headers)

    app.include_router(pages)
    app.mount(ASSETS, StaticFiles(packages=[("fastapi_offline", "static")]))


def restricted(page: HTMLResponse) -> HTMLResponse:
    """Set a Content-Security-Policy that allows only the scripts of the page and this server."""
    hashes = (b64encode(sha256(text).digest()) for text in INLINE_SCRIPT.findall(page.body))
    scripts = " ".join(["'self'", *(f"'sha256-{found.decode()}'" for found in hashes)])
    policy = {
        "default-src": "'none'",
        "script-src": scripts,
        "style-src": "'self' 'unsafe-inline'",  # both pages create styles at run time
        "img-src": "'self' data:",
        "connect-src": "'self'",
        "worker-src": "blob:",  # ReDoc searches in a worker that it creates from a string
        "base-uri": "'none'",
        "form-action": "'none'",
        "frame-ancestors": "'none'",
    }
    page.headers["Content-Security-Policy"] = "; ".join(map(" ".join, policy.items()))
    return page
