"""A pool of one connection, for which all have to wait."""

import pytest

from fast_zero.core import database


@pytest.fixture
async def state(settings):
    """Give what requests share, with a pool of one connection."""
    one = settings.model_copy(update={"database_pool_size": 1, "database_pool_wait": 0.5})
    async with database.connected(one) as state:
        yield state
