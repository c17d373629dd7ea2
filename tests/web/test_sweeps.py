"""Whether a test in Chromium looks at every page."""

from importlib import import_module
from pathlib import Path

from fastapi.routing import iter_route_contexts

from fast_zero.web.router import router

BROWSER = Path(__file__).parents[1] / "browser"
REDIRECT = "leads to another page"
FILE = "is a file"
PART = "is a part of a page that is in a sweep"
NOT_IN_SWEEPS = {
    "/account/{name}": REDIRECT,
    "/app": REDIRECT,
    "/app/changes": "says whether a list has changed, without a text",
    "/app/labels/names": PART,
    "/app/manifest.webmanifest": FILE,
    "/app/push": PART,
    "/app/quick-add": PART,
    "/app/recurrence": PART,
    "/app/service-worker.js": FILE,
    "/app/settings/data/export.json": FILE,
    "/app/settings/data/imports": REDIRECT,
    "/app/settings/data/todos.csv": FILE,
    "/app/settings/data/todos.ics": FILE,
    "/app/todos/{todo_id}": REDIRECT,
    "/static/{version}/{name}": FILE,
}
"""Routes that no sweep has to look at, and why."""


def swept() -> set[str]:
    """Return the routes that the sweeps name. `tests/browser/conftest.py` holds them to it."""
    modules = [
        import_module(f"tests.browser.{path.stem}") for path in sorted(BROWSER.glob("test_*.py"))
    ]
    return {
        route
        for module in modules
        for test in vars(module).values()
        for mark in getattr(test, "pytestmark", [])
        if mark.name == "sweep"
        for route in mark.args
    }


def test_every_page_is_in_a_sweep_or_has_a_reason_not_to_be():
    pages = {
        route.path for route in iter_route_contexts(router.routes) if "GET" in (route.methods or ())
    }

    assert swept() >= pages - NOT_IN_SWEEPS.keys()
    assert pages >= NOT_IN_SWEEPS.keys()
    assert not swept() & NOT_IN_SWEEPS.keys()
