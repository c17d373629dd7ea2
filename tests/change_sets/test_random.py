"""Random writes, of which some are undone and redone."""

import os
import random

from tests.test_sync import Writer

WRITES = int(os.environ.get("UNDO_WRITES", "100"))
UNDONE = int(os.environ.get("UNDO_COUNT", "30"))
SEED = int(os.environ.get("UNDO_SEED", "7"))


async def test_random_change_sets_are_undone_and_redone_to_the_same_rows(account):
    writer, chance = Writer(account.client, SEED), random.Random(SEED)
    for _ in range(WRITES):
        await writer.write()
    undone = conflicts = 0
    for change_set in chance.sample(writer.change_sets, min(UNDONE, len(writer.change_sets))):
        before = await account.rows()
        force = chance.random() < 0.3
        path = f"/change-sets/{change_set}/undo"
        response = await account.client.post(path, params={"force": force})
        if response.status_code == 404:  # it changed no column
            continue
        assert response.status_code == 200, response.text
        result = response.json()
        undone, conflicts = undone + len(result["undone"]), conflicts + len(result["conflicts"])
        if not result["undone"]:
            assert await account.rows() == before
            continue
        redone = await account.undo(response.headers["x-change-set"])
        after = await account.rows()
        assert after == before, (change_set, force, result, redone)
        assert redone["conflicts"] == [], (change_set, force, result)

    assert undone
    assert conflicts
