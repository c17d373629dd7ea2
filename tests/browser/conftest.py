"""Tests in a real browser: Debian's Chromium, found by its path, driven by Playwright.

Without either, they are skipped, and also beside other tests, since Playwright keeps an event loop
running. To run them, install Chromium and the dependency group `browser`, then: task browser
"""

import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from fastapi.routing import iter_route_contexts
from starlette.routing import Match

from fast_zero.web.router import router
from tests import clusters
from tests.processes import Serving, serving

FLAGS = [
    "--headless",
    "--no-sandbox",  # containers run tests as root
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
FOLDER = Path(__file__).parent
DESK = {"width": 1280, "height": 800}
SAID_BY_CHROMIUM = (
    "Failed to load resource",  # each status of an error, and a refused form has one
    "An unknown error occurred when fetching the script",  # the service worker, without a network
)
PHONE = {"width": 360, "height": 640}
NARROW = {"width": 320, "height": 640}
PASSWORD = "a fine long sentence"
NAMES = ("chromium", "chromium-browser", "google-chrome")


def pytest_collection_modifyitems(items) -> None:
    ours = [item for item in items if item.path.is_relative_to(FOLDER)]
    if len(ours) < len(items):
        for item in ours:
            item.add_marker(pytest.mark.skip(reason="browser tests run alone: task browser"))


def find_chromium() -> str | None:
    return next(filter(None, map(shutil.which, NAMES)), None)


@pytest.fixture(scope="session")
def browser() -> Iterator:
    playwright = pytest.importorskip(
        "playwright.sync_api", reason="the dependency group `browser` is not installed"
    )
    path = find_chromium()
    if path is None:
        pytest.skip("Chromium is not installed")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def server(browser, tmp_path_factory) -> Iterator[Serving]:
    """Serve a database of its own, for all tests of the browser. It is asked for after Chromium."""
    data_dir = clusters.copy_to(tmp_path_factory.mktemp("browser") / "data")
    with serving(data_dir, REGISTRATIONS_PER_HOUR="off", LOGIN_FAILURES="off") as server:
        yield server


class Visit:
    """Opens pages, and fails a test if one logs an error or breaks its Content-Security-Policy."""

    def __init__(self, page, url: str) -> None:
        self.page, self.url = page, url
        self.errors: list[str] = []
        self.swept: set[str] = set()
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("console", self.note)

    def note(self, message) -> None:
        if message.type == "error" and not message.text.startswith(SAID_BY_CHROMIUM):
            self.errors.append(message.text)

    def open(self, path: str) -> None:
        self.page.goto(self.url + path)

    def path(self) -> str:
        return urlsplit(self.page.url).path

    def register(self, name: str) -> None:
        self.open("/app/register")
        self.page.fill("#username", name)
        self.page.fill("#email", f"{name}@example.com")
        self.page.fill("#password", PASSWORD)
        self.page.click("form.main button")
        self.page.wait_for_url("**/app/today")

    def add(self, title: str) -> None:
        self.page.fill("#quick-text", title)
        self.page.press("#quick-text", "Enter")

    def wait_for_module(self, name: str) -> None:
        """Wait for a module that the page imports when it is needed."""
        self.page.evaluate(
            "name => import(document.querySelector('[type=module]').src.replace('app.js', name))",
            name,
        )

    def stop_clock(self) -> None:
        """Let no timer of the page fire but by `page.clock`."""
        self.page.clock.install()
        self.page.clock.pause_at(time.time() + 3600)  # ahead of the clock of the page

    def focused(self) -> str:
        """Return the tag and the accessible name of what has the focus."""
        return self.page.evaluate(
            "(e => `${e.tagName} ${e.ariaLabel ?? e.textContent.trim()}`)(document.activeElement)"
        )

    def overflow(self) -> int:
        return self.page.evaluate(
            "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )

    def violations(self) -> list[str]:
        """Return what axe finds: all of it in light, and in dark what the colours change."""
        self.swept.add(route_of(self.path()))
        axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
        contrast = {"runOnly": ["color-contrast", "link-in-text-block"]}
        found = []
        for scheme, rules in (("light", {}), ("dark", contrast)):
            self.page.emulate_media(color_scheme=scheme)
            options = {"resultTypes": ["violations"], **rules}
            for each in axe.run(self.page, options=options).response["violations"]:
                found += [f"{scheme}: {each['id']} {node['html']}" for node in each["nodes"]]
        return found


def route_of(path: str) -> str:
    """Return the path of the route that serves a page."""
    found = (
        route.path
        for method in ("GET", "POST")
        for route in iter_route_contexts(router.routes)
        if route.original_route.matches({"type": "http", "method": method, "path": path})[0]
        is Match.FULL
    )
    return next(found, "")


@pytest.fixture
def visiting(browser, server, request) -> Iterator[Callable]:
    """Open a browser without cookies; the test fails if a page has logged an error.

    A sweep fails if it has not looked at the routes that its marker names, and only those.
    """
    visits: list[Visit] = []

    @contextmanager
    def visiting(size=DESK, **options) -> Iterator[Visit]:
        context = browser.new_context(viewport=size, reduced_motion="reduce", **options)
        visit = Visit(context.new_page(), server.url)
        visits.append(visit)
        try:
            yield visit
        finally:
            context.close()

    yield visiting
    assert [error for visit in visits for error in visit.errors] == []
    for marker in request.node.iter_markers("sweep"):
        assert set().union(*(visit.swept for visit in visits)) - {""} == set(marker.args)


@pytest.fixture
def name(request) -> str:
    """Return a username of its own for a test."""
    return f"user{abs(hash(request.node.nodeid)) % 10**12}"


@pytest.fixture
def picture(request, tmp_path) -> Callable[[Visit, str], Path]:
    """Save a picture of a page where `--basetemp` says, to be looked at."""

    def picture(visit, name):
        path = tmp_path / f"{name}.png"
        visit.page.screenshot(path=path)
        return path

    return picture
