"""What holds for the whole house."""

import ast
import inspect
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute, iter_route_contexts
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from fast_zero.accounts.dependencies import Actor, current_actor
from tests.factories import UserFactory

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
    ("POST", "/auth/token"),
    ("GET", "/account/confirm"),
    ("GET", "/account/password"),
    ("GET", "/account/register"),
    ("POST", "/auth/email/confirm"),
    ("POST", "/auth/password/forgotten"),
    ("POST", "/auth/password/reset"),
}
PROFILES = {
    ("GET", "/users"),
    ("GET", "/users/{user_id}"),
    ("GET", "/users/by-name/{username}"),
    ("GET", "/users/{username}/feed.atom"),
    ("GET", "/users/{username}/feed.json"),
}
LINES_PER_FILE = 400
DOCUMENTED_ALL_THE_SAME = {"_replace"}  # of a named tuple, underscored only against its fields


def operations(app) -> set[tuple[str, str]]:
    return {
        (method, route.path)
        for route in iter_route_contexts(app.routes)
        if isinstance(route.original_route, APIRoute)
        for method in route.methods
    }


async def test_every_route_refuses_a_stranger_or_is_on_the_public_list(app, anonymous):
    await refuses_strangers(anonymous, operations(app) - PUBLIC)


async def test_without_public_profiles_those_refuse_a_stranger_too(app, live, commit):
    [user] = await commit(UserFactory(username="ana"))
    async with live(public_profiles=False) as client:
        await refuses_strangers(client, (operations(app) - PUBLIC) | PROFILES)
    async with live() as client:
        for _, path in PROFILES:
            response = await client.get(path.format(user_id=user.id, username="ana"))
            assert response.status_code == 200, path


async def refuses_strangers(client, operations: set[tuple[str, str]]) -> None:
    ids = ("user_id", "todo_id", "session_id", "token_id", "post_id", "notification_id")
    parts = dict.fromkeys([*ids, "invitation_id"], 1) | {"username": "ana"}
    for method, path in sorted(operations):
        response = await client.request(method, path.format(**parts))
        assert response.status_code == 401, f"{method} {path} answers a stranger"
        assert response.json()["detail"] == "Not authenticated"
        assert response.headers["www-authenticate"] == "Bearer"


def test_the_public_list_names_only_what_exists(app):
    assert operations(app) >= PUBLIC


def test_no_dependency_takes_a_thread(app):
    """FastAPI runs a plain `def` in a worker thread, which costs more than what it does."""
    found = set()
    for route in iter_route_contexts(app.routes):
        if isinstance(route.original_route, APIRoute):
            found |= set(callables(route.original_route.dependant))

    assert len(found) >= 20
    assert [call for call in found if not runs_on_the_loop(call)] == []


def callables(dependant: Dependant) -> Iterator[Callable]:
    yield dependant.call
    for below in dependant.dependencies:
        yield from callables(below)


def runs_on_the_loop(call: Callable) -> bool:
    function = call if inspect.isroutine(call) else type(call).__call__
    return inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function)


def test_imports_point_down():
    done = subprocess.run(
        [sys.executable, "-c", "from importlinter.cli import lint_imports_command as run; run()"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout


def test_a_server_that_traces_nothing_loads_no_tracer():
    words = (
        "import sys, fast_zero.app, fast_zero.worker, fast_zero.core.migrations as _;"
        "fast_zero.app.create_app();"
        "print([name for name in sys.modules if name.startswith('opentelemetry.sdk')])"
    )
    done = subprocess.run([sys.executable, "-c", words], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_no_private_name_of_a_library_is_used():
    found = {
        f"{path.relative_to(ROOT)}: {name}"
        for path in (*ROOT.glob("fast_zero/**/*.py"), *ROOT.glob("migrations/**/*.py"))
        for name in names_from_elsewhere(ast.parse(path.read_text()))
        if is_private(name) and name not in DOCUMENTED_ALL_THE_SAME
    }
    assert found == set()


def names_from_elsewhere(tree: ast.Module) -> Iterator[str]:
    """Give each name that is imported, and each attribute of what is not the object itself."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            yield from (node.module or "").split(".")
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from (part for alias in node.names for part in alias.name.split("."))
        elif isinstance(node, ast.Attribute):
            yield node.attr


def is_private(name: str) -> bool:
    return name.startswith("_") and not name.startswith("__")


async def test_a_dependency_can_be_overridden(app, anonymous, user):
    async def whoever() -> Actor:
        return Actor(user.id)

    app.dependency_overrides[current_actor] = whoever
    try:
        answer = await anonymous.get("/users/me")
    finally:
        app.dependency_overrides.clear()

    assert answer.json()["id"] == user.id
    assert (await anonymous.get("/users/me")).status_code == 401


def test_no_file_is_too_long():
    sizes = {path: path.read_text().count("\n") for path in ROOT.glob("fast_zero/**/*.py")}
    assert [path for path, lines in sizes.items() if lines > LINES_PER_FILE] == []


def test_the_constraints_are_those_of_the_lock():
    packages = tomllib.loads((ROOT / "poetry.lock").read_text())["package"]
    locked = {canonicalize_name(package["name"]): package["version"] for package in packages}
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    pinned = {
        canonicalize_name(requirement.name): str(requirement.specifier).removeprefix("==")
        for requirement in map(Requirement, lines)
    }
    assert pinned == locked


@pytest.mark.parametrize("page", ["README.md", "README.pt-BR.md"])
def test_a_readme_begins_with_the_same_blocks(page):
    assert blocks(page) == blocks("README.md")
    assert len(blocks(page)) >= 3


def blocks(page: str) -> list[str]:
    return [part.split("```")[0] for part in (ROOT / page).read_text().split("```sh\n")[1:]]
