"""Alembic, as the program runs it."""

from alembic.script import ScriptDirectory

from fast_zero.core import migrations


async def alembic(url, function, *arguments):
    """Run an Alembic command as the program does: on a connection that is passed."""

    def run(connection):
        config = migrations.config()
        config.attributes["connection"] = connection
        function(config, *arguments)

    engine = migrations.create_migration_engine(url)
    async with engine.connect() as connection:
        await connection.run_sync(run)
        await connection.commit()


def known_to_alembic() -> list[str]:
    scripts = ScriptDirectory.from_config(migrations.config())
    return [script.revision for script in scripts.walk_revisions()]
