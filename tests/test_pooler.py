"""The server behind PgBouncer in transaction mode."""

import contextlib
import os
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx2
import psycopg
import pytest
from sqlalchemy import make_url

from tests import processes
from tests.chaos import own_database
from tests.processes import PATIENCE, free_port, serving

PGBOUNCER = shutil.which("pgbouncer") or shutil.which("/usr/sbin/pgbouncer")
ACCOUNT = {"username": "ana", "email": "ana@example.com", "password": "a fine long sentence"}
EMAIL = re.compile("an email was written to")
CONFIGURATION = """\
[databases]
* = host={host} port={port} user={user}

[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {listen}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = 3
"""

pytestmark = pytest.mark.skipif(
    PGBOUNCER is None, reason="PgBouncer is not installed: apt install pgbouncer"
)


@contextlib.contextmanager
def pooled(database) -> Iterator[str]:
    """Put PgBouncer in front of a database; return its address."""
    url = make_url(database.url)
    listen = free_port()
    host = url.host or url.query["host"]
    file = Path(database.folder).parent / "pgbouncer.ini"
    file.write_text(
        CONFIGURATION.format(host=host, port=url.port or 5432, user=url.username, listen=listen)
    )
    # It refuses to run as root.
    account = ["--user", "nobody"] if os.geteuid() == 0 else []
    with subprocess.Popen([PGBOUNCER, "--quiet", *account, str(file)]) as process:
        address = f"postgresql://{url.username}@127.0.0.1:{listen}/{url.database}"
        try:
            wait_for(address)
            yield address
        finally:
            process.terminate()


def wait_for(address: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            psycopg.connect(address).close()
        except psycopg.OperationalError:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        else:
            return


def test_requests_jobs_and_revocations_work_through_a_pooler(tmp_path):
    with own_database() as database, pooled(database) as address:
        variables = {
            "DATABASE_URL": address,
            "DATABASE_DIRECT_URL": database.url,
            "SECRET_KEY": "k" * 48,
        }
        with (
            serving(database.folder.parent / "server", "--workers", "2", **variables) as server,
            httpx2.Client(base_url=server.url, timeout=PATIENCE) as client,
        ):
            client.post("/users", json=ACCOUNT)
            form = {"username": ACCOUNT["email"], "password": ACCOUNT["password"]}
            token = client.post("/auth/token", data=form).json()["access_token"]
            client.headers["Authorization"] = f"Bearer {token}"

            def use_todos(number: int) -> set[int]:
                todo = client.post("/todos", json={"title": f"todo {number}"}).json()["id"]
                batch = {"items": [{"op": "update", "id": todo, "state": "done"}]}
                responses = [
                    client.get("/todos?state=done&limit=5"),
                    client.patch(f"/todos/{todo}", json={"title": "another"}),
                    client.post("/todos/batch", json=batch),
                    client.get(f"/todos/{todo}"),
                ]
                return {response.status_code for response in responses}

            with ThreadPoolExecutor(8) as threads:
                statuses = set().union(*threads.map(use_todos, range(60)))
            listed = client.get("/todos?limit=100").json()["todos"]
            client.post("/auth/logout")
            refused = {client.get("/todos").status_code for _ in range(20)}
            processes.wait_for(EMAIL, server.process, server.log)  # shows that jobs run
        log = server.log.read_text()

    assert statuses == {200}
    assert len(listed) == 60
    assert refused == {401}  # both workers have received the revocation
    assert "not listening" not in log
