from collections.abc import Iterator
from itertools import count

import pytest
from fastapi import FastAPI
from sqlalchemy import make_url

from fast_zero.app import create_app
from fast_zero.client import api
from tests.postgres import copied
from tests.processes import served_in_thread
from tests.terminals import Person, register

NUMBERS = count()


@pytest.fixture(scope="session")
def application(database_url, settings, tmp_path_factory) -> Iterator[FastAPI]:
    """Return an application with a database of its own, since what is written to it stays."""
    with copied(database_url) as url:
        changes = {
            "database_url": make_url(url),
            "data_dir": tmp_path_factory.mktemp("data"),
            "run_jobs": True,
            "registrations_per_hour": None,
        }
        yield create_app(settings.model_copy(update=changes))


@pytest.fixture(scope="module")
def server_url(application) -> Iterator[str]:
    """Serve the application, to commands in this process and to programs."""
    with served_in_thread(application) as url:
        yield url


@pytest.fixture(autouse=True)
def hurried(monkeypatch) -> None:
    """Do not wait between two attempts. Programs that are started do."""
    monkeypatch.setattr(api, "PAUSES", (0, 0))


@pytest.fixture
def newcomer(server_url, tmp_path) -> Person:
    """Return a person with an account, who has not logged in."""
    return register(tmp_path / "home", server_url, f"person{next(NUMBERS)}")


@pytest.fixture
def person(newcomer) -> Person:
    """Return a person who has logged in."""
    return newcomer.log_in()
