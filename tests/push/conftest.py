import pytest

from tests.push import push_service
from tests.push.push_service import Browser


@pytest.fixture
async def service():
    async with push_service.running() as service:
        yield service


@pytest.fixture
def register(client, settings):
    """Register a browser, also one whose push service is on the loopback interface."""

    async def register(browser=None, headers=None):
        browser = browser or Browser()
        before = client.state["settings"]
        client.state["settings"] = settings.model_copy(update={"push_private_networks": True})
        response = await client.post(
            "/users/me/push-subscriptions", json=browser.subscription(), headers=headers
        )
        client.state["settings"] = before
        assert response.status_code == 201, response.text
        return response.json()

    return register
