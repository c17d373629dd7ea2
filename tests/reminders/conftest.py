from datetime import UTC, datetime
from email import message_from_bytes
from email.policy import default

import pytest
from freezegun import freeze_time

from fast_zero.core.jobs import Context
from fast_zero.reminders.jobs import EVERY_MINUTE
from tests.factories import UserFactory

VERIFIED = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def subscriber(save):
    """Store a user who gets reminders by email."""

    async def subscriber(**given):
        wanted = {"email_verified_at": VERIFIED, "letters": ["reminder"]}
        [user] = await save(UserFactory(**(wanted | given)))
        return user

    return subscriber


@pytest.fixture
def create(client, bearer):
    """Create a todo through the API."""

    async def create(owner=None, **fields):
        headers = bearer(owner) if owner else {}
        response = await client.post("/todos", json={"title": "Bread", **fields}, headers=headers)
        assert response.status_code == 201, response.text
        return response.json()

    return create


@pytest.fixture
def run_at(settings, sessions):
    """Run what a worker runs every minute, at a moment."""

    async def run_at(moment):
        with freeze_time(moment, real_asyncio=True):
            for job in EVERY_MINUTE.values():
                await job(Context(settings, sessions))

    return run_at


@pytest.fixture
def reminders(client, bearer):
    """Return the titles of a user's reminders among the notifications, and how late they were."""

    async def reminders(owner=None):
        headers = bearer(owner) if owner else {}
        page = (await client.get("/notifications", headers=headers)).json()
        found = [one for one in page["notifications"] if one["kind"] == "reminder"]
        assert page["unread"] >= sum(not one["read"] for one in found)
        return [(one["todo"]["title"], one["minutes_late"]) for one in found]

    return reminders


@pytest.fixture
def sent_emails(do_jobs, tmp_path):
    """Run the jobs at a moment, and return the emails."""

    async def sent_emails(moment) -> list:
        with freeze_time(moment, real_asyncio=True):
            await do_jobs(data_dir=tmp_path)
        paths = sorted((tmp_path / "mail").glob("*.eml"))
        found = [message_from_bytes(path.read_bytes(), policy=default) for path in paths]
        for path in paths:
            path.unlink()
        return found

    return sent_emails


@pytest.fixture
def body():
    return lambda message: message.get_body(("plain",)).get_content().replace("\r\n", "\n")
