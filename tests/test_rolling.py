"""Rolling updates behind nginx, configured as in deploy/nginx, while clients write."""

import asyncio
import contextlib
import re
import shutil
import socket
import ssl
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from tests.chaos import own_database
from tests.processes import PATIENCE, Serving, free_port, serving

NGINX = shutil.which("nginx") or shutil.which("/usr/sbin/nginx")
OPENSSL = shutil.which("openssl")
SITE_CONFIGURATION = Path(__file__).parents[1] / "deploy/nginx/fast_zero.conf"
ACCOUNT = {"username": "ana", "email": "ana@example.com", "password": "a fine long sentence"}
NGINX_CONFIGURATION = """\
daemon off;
pid {folder}/pid;
error_log {folder}/error.log;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    include {folder}/fast_zero.conf;
}}
"""

pytestmark = pytest.mark.skipif(
    NGINX is None or OPENSSL is None,
    reason="nginx or openssl is not installed: apt install nginx openssl",
)


@contextlib.contextmanager
def proxied(folder: Path, ports: list[int]) -> Iterator[str]:
    """Put nginx in front of processes, with our configuration except for addresses and files."""
    secure, plain = free_port(), free_port()
    subprocess.run(
        [
            *(OPENSSL, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"),
            *("-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"),
            *("-keyout", folder / "privkey.pem", "-out", folder / "fullchain.pem"),
        ],
        check=True,
        capture_output=True,
    )
    site = SITE_CONFIGURATION.read_text().replace("/etc/nginx/certificates", str(folder))
    site = site.replace("listen 443", f"listen 127.0.0.1:{secure}")
    site = site.replace("listen 80", f"listen 127.0.0.1:{plain}")
    servers = " ".join(f"server 127.0.0.1:{port} max_fails=0;" for port in ports)
    (folder / "fast_zero.conf").write_text(site.replace("server app:8000 max_fails=0;", servers))
    (folder / "nginx.conf").write_text(NGINX_CONFIGURATION.format(folder=folder))
    with subprocess.Popen(
        [NGINX, "-c", folder / "nginx.conf", "-e", folder / "error.log"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        try:
            wait_for(secure, process)
            yield f"https://localhost:{secure}"
        finally:
            process.terminate()


def wait_for(port: int, process: subprocess.Popen) -> None:
    deadline = time.monotonic() + PATIENCE
    while True:
        assert process.poll() is None
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except ConnectionRefusedError:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        else:
            return


async def write(client: httpx2.AsyncClient, statuses: Counter, stopped: asyncio.Event) -> int:
    """Create and read todos until stopped; return the number of acknowledged writes."""
    acknowledged = 0
    while not stopped.is_set():
        created = await client.post("/todos", json={"title": "Buy bread"})
        read = await client.get("/todos?limit=5")
        statuses.update([created.status_code, read.status_code])
        acknowledged += created.status_code == 201
    return acknowledged


async def test_a_rolling_update_fails_no_request(tmp_path):
    tmp_path.chmod(0o755)
    ports = [free_port(), free_port()]
    with own_database() as database, contextlib.ExitStack() as stack:
        variables = {
            "DATABASE_URL": database.url,
            "SECRET_KEY": "k" * 48,
            "FORWARDED_ALLOW_IPS": "127.0.0.1",
        }

        def start(port: int) -> Serving:
            folder = database.folder.parent / f"server-{port}"
            return stack.enter_context(serving(folder, "--port", str(port), **variables))

        running = [start(port) for port in ports]
        url = stack.enter_context(proxied(tmp_path, ports))
        tls_context = ssl.create_default_context(cafile=str(tmp_path / "fullchain.pem"))
        async with httpx2.AsyncClient(base_url=url, timeout=PATIENCE, verify=tls_context) as client:
            registered = await client.post("/users", json=ACCOUNT)
            form = {"username": ACCOUNT["email"], "password": ACCOUNT["password"]}
            token = (await client.post("/auth/token", data=form)).json()["access_token"]
            client.headers["Authorization"] = f"Bearer {token}"
            statuses, stopped = Counter(), asyncio.Event()
            writers = [asyncio.create_task(write(client, statuses, stopped)) for _ in range(6)]
            codes = []
            for number, port in enumerate(ports):
                codes.append(await asyncio.to_thread(running[number].stop))
                running[number] = await asyncio.to_thread(start, port)
            # Roll back to processes that are older than the schema.
            with database.connect() as connection:
                connection.execute("UPDATE alembic_version SET version_num = '9999'")
            for number, port in enumerate(ports):
                codes.append(await asyncio.to_thread(running[number].stop))
                running[number] = await asyncio.to_thread(start, port)
            stopped.set()
            acknowledged = sum(await asyncio.gather(*writers))
            with database.connect() as connection:
                [stored] = connection.execute("SELECT count(*) FROM todos").fetchone()

    assert registered.headers["strict-transport-security"]
    assert codes == [0] * 4
    assert statuses.keys() == {200, 201}
    assert stored == acknowledged > 0


def test_nginx_has_the_same_limits_as_the_server():
    site = SITE_CONFIGURATION.read_text()
    example = (SITE_CONFIGURATION.parents[2] / ".env.example").read_text()
    [head] = re.findall(r"client_header_timeout (\d+)s;", site)

    assert f"REQUEST_HEAD_TIMEOUT={head}\n" in example
    assert "client_max_body_size  1m;" in site
    assert f"MAX_BODY_BYTES={1024 * 1024}\n" in example
