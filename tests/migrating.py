"""Runs Alembic in the way that the program does."""

import asyncio

from alembic.script import ScriptDirectory

from fast_zero.core.database import migrations


async def alembic(url, function, *arguments):
    """Run an Alembic command as the program does: on a connection that is passed."""

    def run():
        config = migrations.config()
        with migrations.create_migration_engine(url).connect() as connection:
            config.attributes["connection"] = connection
            function(config, *arguments)
            connection.commit()

    await asyncio.to_thread(run)


async def upgrade(url, wait=10):
    """Migrate concurrently with the test."""
    return await asyncio.to_thread(migrations.upgrade, url, wait)


def known_to_alembic() -> list[str]:
    scripts = ScriptDirectory.from_config(migrations.config())
    return [script.revision for script in scripts.walk_revisions()]
