"""Rules for the whole code base."""

import ast
import inspect
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import UUID

import pytest
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute, iter_route_contexts
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from fast_zero.identity.dependencies import AuthenticatedUser, current_user
from tests.factories import UserFactory
from tests.routes import operations

ROOT = Path(__file__).parents[1]
PUBLIC = {
    ("GET", "/"),
    ("GET", "/livez"),
    ("GET", "/readyz"),
    ("GET", "/version"),
    ("GET", "/docs"),
    ("GET", "/redoc"),
    ("GET", "/docs/assets/redoc.standalone.js"),
    ("GET", "/users"),
    ("POST", "/users"),
    ("GET", "/users/{user_id}"),
    ("GET", "/users/by-name/{username}"),
    ("GET", "/users/{username}/feed.atom"),
    ("GET", "/users/{username}/feed.json"),
    ("GET", "/letters/unsubscribe"),
    ("POST", "/letters/unsubscribe"),
    ("GET", "/calendars/{secret}.ics"),
    ("POST", "/auth/token"),
    ("GET", "/account/confirm"),
    ("GET", "/account/password"),
    ("GET", "/account/register"),
    ("POST", "/auth/email/confirm"),
    ("POST", "/auth/password/forgotten"),
    ("POST", "/auth/password/reset"),
}
PROFILE_ROUTES = {
    ("GET", "/users"),
    ("GET", "/users/{user_id}"),
    ("GET", "/users/by-name/{username}"),
    ("GET", "/users/{username}/feed.atom"),
    ("GET", "/users/{username}/feed.json"),
}
LINES_PER_FILE = 400
ALLOWED = {
    "_replace": "a documented method of named tuples; the underscore keeps it apart from fields"
}
BY_STRING = {"getattr", "hasattr", "setattr", "delattr", "attrgetter", "methodcaller"}
RETURN_TYPE = "the return type of a documented function, which mypy requires to be named"
UNDOCUMENTED = {
    "fastapi.routing.iter_route_contexts": "it lists the routes of included routers",
    "fastapi.security.utils.get_authorization_scheme_param": "FastAPI's security schemes use it",
    "sqlalchemy.sql.base.ReadOnlyColumnCollection": RETURN_TYPE,
    "sqlalchemy.sql.dml.ReturningInsert": RETURN_TYPE,
    "sqlalchemy.sql.dml.ReturningUpdate": RETURN_TYPE,
    "sqlalchemy.sql.selectable.ExecutableReturnsRows": RETURN_TYPE,
    "sqlalchemy.sql.selectable.LateralFromClause": RETURN_TYPE,
    "starlette.routing.Match": "a route's `matches` returns it; it distinguishes 404 from 405",
    "uvicorn.logging.ColourizedFormatter": "the base of uvicorn's documented formatters",
    "uvicorn.protocols.http.httptools_impl.HttpToolsProtocol": "no other way to end slow requests",
    "uvicorn.protocols.http.httptools_impl.RequestResponseCycle": "as HttpToolsProtocol",
    "uvicorn.supervisors.ChangeReload": "`uvicorn.run` starts it, but opens the sockets itself",
    "uvicorn.supervisors.Multiprocess": "as ChangeReload",
}
"""Undocumented public names that we use, and the reasons."""


async def test_every_route_requires_a_user_or_is_on_the_public_list(app, anonymous):
    await check_user_required(anonymous, operations(app) - PUBLIC)


async def test_profile_routes_require_a_user_if_profiles_are_not_public(app, live, commit):
    [user] = await commit(UserFactory(username="ana"))
    async with live(public_profiles=False) as client:
        await check_user_required(client, (operations(app) - PUBLIC) | PROFILE_ROUTES)
    async with live() as client:
        for _, path in PROFILE_ROUTES:
            response = await client.get(path.format(user_id=user.id, username="ana"))
            assert response.status_code == 200, path


async def check_user_required(client, operations: set[tuple[str, str]]) -> None:
    ids = ("user_id", "todo_id", "session_id", "token_id", "post_id", "notification_id")
    ids += ("subscription_id", "filter_id", "import_id")
    more = ("invitation_id", "project_id", "section_id", "deletion_id", "label_id", "other_id")
    others = {"username": "ana", "kind": "blocks", "change_set_id": UUID(int=1)}
    others["day"] = "2026-12-04"
    path_parameters = dict.fromkeys([*ids, *more], 1) | others
    for method, path in sorted(operations):
        response = await client.request(method, path.format(**path_parameters))
        assert response.status_code == 401, f"{method} {path} returns a response without a user"
        assert response.json()["detail"] == "Not authenticated"
        assert response.headers["www-authenticate"] == "Bearer"


def test_the_public_list_names_only_existing_routes(app):
    assert operations(app) >= PUBLIC


def test_no_dependency_runs_in_a_thread(app):
    """FastAPI runs a plain `def` in a worker thread, which costs more than the function."""
    found = set()
    for route in iter_route_contexts(app.routes):
        if isinstance(route.original_route, APIRoute):
            found |= set(callables(route.original_route.dependant))

    assert len(found) >= 20
    assert [call for call in found if not runs_on_the_loop(call)] == []


def callables(dependant: Dependant) -> Iterator[Callable]:
    yield dependant.call
    for child in dependant.dependencies:
        yield from callables(child)


def runs_on_the_loop(call: Callable) -> bool:
    function = call if inspect.isroutine(call) else type(call).__call__
    return inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function)


def test_imports_point_down():
    result = subprocess.run(
        [sys.executable, "-c", "from importlinter.cli import lint_imports_command as run; run()"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stdout


def test_every_room_has_the_same_layers():
    linter = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    rooms = {f"fast_zero.{path.parent.name}" for path in (ROOT / "fast_zero").glob("*/__init__.py")}
    inside = next(
        contract for contract in linter["contracts"] if contract["name"] == "Inside a room"
    )
    others = {"fast_zero.core", "fast_zero.client", "fast_zero.operations", "fast_zero.web"}
    assert set(inside["containers"]) == rooms - others


def test_a_server_without_tracing_does_not_import_the_tracing_sdk():
    script = (
        "import sys, fast_zero.app, fast_zero.worker, fast_zero.core.database.migrations as _;"
        "fast_zero.app.create_app();"
        "print([name for name in sys.modules if name.startswith('opentelemetry.sdk')])"
    )
    result = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert result.stdout == "[]\n"


def sources() -> Iterator[tuple[str, ast.Module]]:
    for path in (*ROOT.glob("fast_zero/**/*.py"), *ROOT.glob("migrations/**/*.py")):
        yield str(path.relative_to(ROOT)), ast.parse(path.read_text())


def test_no_name_that_begins_with_an_underscore_is_used():
    found = {
        (path, name)
        for path, tree in sources()
        for name in names_from_elsewhere(tree)
        if is_private(name)
    }
    assert {(path, name) for path, name in found if name not in ALLOWED} == set()
    assert {name for _, name in found} == ALLOWED.keys()


@pytest.mark.parametrize(
    "line",
    [
        "import a._b",
        "from a._b import c",
        "from a import _b",
        "a._b",
        "self.a._b = 1",
        'getattr(a, "_b")',
        'hasattr(a, "_b")',
        'setattr(a, "_b", 1)',
        'attrgetter("c", "c._b")',
        'operator.methodcaller("_b")',
    ],
)
def test_a_name_that_begins_with_an_underscore_is_found(line):
    assert [name for name in names_from_elsewhere(ast.parse(line)) if is_private(name)] == ["_b"]


def names_from_elsewhere(tree: ast.Module) -> Iterator[str]:
    """Return each imported name and each attribute, including attributes that a string names.

    This includes attributes of our own objects, since types are unknown here; none of them begins
    with an underscore either. Names that are built at run time are not found.
    """
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            yield from (node.module or "").split(".")
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from (part for alias in node.names for part in alias.name.split("."))
        elif isinstance(node, ast.Attribute):
            yield node.attr
        elif isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] in BY_STRING:
            for argument in node.args:
                if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
                    yield from argument.value.split(".")


def is_private(name: str) -> bool:
    return name.startswith("_") and not name.startswith("__")


def test_only_listed_modules_with_undocumented_names_are_used():
    modules = {name.rpartition(".")[0] for name in UNDOCUMENTED}
    documented = {"fastapi.routing.APIRoute"}
    found = {
        f"{node.module}.{alias.name}"
        for _, tree in sources()
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module in modules
        for alias in node.names
    }
    assert found - documented == UNDOCUMENTED.keys()


async def test_a_dependency_can_be_overridden(app, anonymous, user):
    async def override() -> AuthenticatedUser:
        return AuthenticatedUser(user.id)

    app.dependency_overrides[current_user] = override
    try:
        response = await anonymous.get("/users/me")
    finally:
        app.dependency_overrides.clear()

    assert response.json()["id"] == user.id
    assert (await anonymous.get("/users/me")).status_code == 401


def test_no_file_is_too_long():
    sizes = {path: path.read_text().count("\n") for path in ROOT.glob("fast_zero/**/*.py")}
    assert [path for path, lines in sizes.items() if lines > LINES_PER_FILE] == []


def test_the_constraints_match_the_lock_file():
    packages = tomllib.loads((ROOT / "poetry.lock").read_text())["package"]
    locked = {canonicalize_name(package["name"]): package["version"] for package in packages}
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    pinned = {
        canonicalize_name(requirement.name): str(requirement.specifier).removeprefix("==")
        for requirement in map(Requirement, lines)
    }
    assert pinned == locked


@pytest.mark.parametrize("page", ["README.md", "README.pt-BR.md"])
def test_every_readme_has_the_same_code_blocks(page):
    assert blocks(page) == blocks("README.md")
    assert len(blocks(page)) >= 3


def blocks(page: str) -> list[str]:
    return [part.split("```")[0] for part in (ROOT / page).read_text().split("```sh\n")[1:]]
