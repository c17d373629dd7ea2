"""A streaming standby of a test database."""

import contextlib
import shutil
from collections.abc import Iterator

from fast_zero.core.database import embedded
from fast_zero.core.database.embedded import programs, roles
from tests.chaos import Database


class Standby(Database):
    """A streaming standby, which is started, stopped and killed like the other servers."""

    def __init__(self, primary: Database) -> None:
        self.folder = primary.folder.parent / "standby"
        self.cluster = self.folder / primary.cluster.name
        self.programs = primary.programs
        self.folder.mkdir()
        self.folder.chmod(0o777)  # the account that runs PostgreSQL creates the cluster in it
        options = ["-h", primary.cluster, "-U", roles.SUPERUSER, "-c", "fast", "-R"]
        copy = [self.programs / "pg_basebackup", "-D", self.cluster, *options]
        assert programs.run(copy, primary.cluster) == 0
        # The folder of the primary contains its socket, so the lock of the socket is copied, too.
        (self.cluster / f"{embedded.SOCKET_NAME}.lock").unlink()
        self.url = f"postgresql://{roles.SUPERUSER}@/postgres?host={self.cluster}"


@contextlib.contextmanager
def followed(primary: Database) -> Iterator[Standby]:
    """Run a synchronous standby until the block ends."""
    standby = Standby(primary)
    standby.start()
    wait_for(primary, standby="*")
    try:
        yield standby
    finally:
        wait_for(primary, standby="")
        standby.stop("immediate")
        shutil.rmtree(standby.folder)


def wait_for(primary: Database, *, standby: str) -> None:
    """Make commits wait for a standby, or for none."""
    with primary.connect() as connection:
        connection.execute(f"ALTER SYSTEM SET synchronous_standby_names = '{standby}'")
        connection.execute("SELECT pg_reload_conf()")
