"""A pool with a single connection, which all requests have to wait for."""

import pytest

from fast_zero.core import database


@pytest.fixture
async def state(settings):
    """Return the state of an application whose pool has one connection."""
    one = settings.model_copy(update={"database_pool_size": 1, "database_pool_wait": 0.5})
    async with database.connected(one) as state:
        yield state
