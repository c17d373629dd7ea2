"""What somebody sees while the database is away, and when it is back."""

from contextlib import contextmanager

import pytest

from tests import clusters
from tests.browser.conftest import DESK, NARROW
from tests.processes import postmaster, serving


@pytest.fixture
def killable(browser, tmp_path):
    """Serve a database of its own, which may be killed; yield its server and folder."""
    data_dir = clusters.copy_to(tmp_path / "data")
    with serving(data_dir, REGISTRATIONS_PER_HOUR="off") as server:
        yield server, data_dir


@contextmanager
def killed(data_dir):
    """Kill the database and all its processes. A request starts it again, but not in here."""
    needed = data_dir / "pg18/global"
    server = postmaster(data_dir)
    family = [server, *server.children(recursive=True)]
    needed.rename(data_dir / "away")
    for process in family:
        process.kill()
    server.wait()
    try:
        yield
    finally:
        (data_dir / "away").rename(needed)


@pytest.mark.parametrize("scripts", [True, False])
def test_a_killed_database_is_a_page_that_says_so_and_comes_back(visiting, killable, name, scripts):
    server, data_dir = killable
    with visiting(locale="pt-BR", java_script_enabled=scripts) as visit:
        page, visit.url = visit.page, server.url
        visit.register(name)
        visit.add("Pão")
        page.wait_for_selector(".todo >> text=Pão")

        with killed(data_dir):
            visit.open("/app/today")
            assert page.inner_text("h1") == "O banco de dados não responde"
        page.wait_for_selector(".todo >> text=Pão", timeout=60_000)  # it loads itself again
        assert page.inner_text("h1") == "Hoje"


def test_what_was_written_while_the_database_was_killed_stays(visiting, killable, name):
    server, data_dir = killable
    with visiting(locale="en-US") as visit:
        page, visit.url = visit.page, server.url
        visit.register(name)

        with killed(data_dir):
            visit.add("Bread")
            page.wait_for_selector("#faults >> text=The database does not answer.")
            assert page.input_value("#quick-text") == "Bread"
            assert visit.focused() != "BODY"
        for _ in range(60):
            page.press("#quick-text", "Enter")
            page.wait_for_timeout(1000)
            if page.locator(".todo").count():
                break
        assert page.locator(".todo >> text=Bread").count() == 1


@pytest.mark.sweep("/app/today")
@pytest.mark.parametrize("size", [NARROW, DESK])
def test_the_page_about_a_killed_database_is_accessible(visiting, killable, name, size):
    server, data_dir = killable
    with visiting(size, locale="pt-BR", service_workers="block") as visit:
        page, visit.url = visit.page, server.url
        visit.register(name)
        with killed(data_dir):
            visit.open("/app/today")
            assert page.inner_text("h1") == "O banco de dados não responde"
            assert (visit.violations(), visit.overflow()) == ([], 0)
