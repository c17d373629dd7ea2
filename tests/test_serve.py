"""`fast-zero serve`, as a separate process with the embedded database."""

import asyncio
import re
import signal
import socket
import threading
from contextlib import ExitStack

import httpx2
import psutil
import pytest
from sqlalchemy import make_url

from tests.processes import PATIENCE, call, postmaster, run, serving

ACCOUNT = {"username": "ana", "email": "ana@example.com", "password": "a fine long sentence"}


@pytest.fixture
def connect():
    """Open clients that are closed at the end of the test."""
    with ExitStack() as stack:
        yield lambda url: stack.enter_context(httpx2.Client(base_url=url, timeout=PATIENCE))


@pytest.fixture
def log_in(connect):
    """Return a client of the account, which carries its token."""

    def log_in(url: str) -> httpx2.Client:
        client = connect(url)
        form = {"username": ACCOUNT["email"], "password": ACCOUNT["password"]}
        token = client.post("/auth/token", data=form).json()["access_token"]
        client.headers["Authorization"] = f"Bearer {token}"
        return client

    return log_in


@pytest.fixture
def register(connect, log_in):
    def register(url: str) -> httpx2.Client:
        assert connect(url).post("/users/", json=ACCOUNT).status_code == 201
        return log_in(url)

    return register


def all_titles(client: httpx2.Client) -> set[str]:
    titles, after = set(), {}
    while True:
        page = client.get("/todos/", params={"limit": 1000, **after}).json()
        titles |= {todo["title"] for todo in page["todos"]}
        if page["next"] is None:
            return titles
        after = {"after": page["next"]}


@pytest.mark.parametrize("signal_number", [signal.SIGTERM, signal.SIGINT])
def test_the_server_stops_cleanly_with_its_database(tmp_path, signal_number):
    data_dir = tmp_path / "data"
    with serving(data_dir, measured=True) as server:
        assert httpx2.get(server.url).json() == {"message": "Olá Mundo!"}
        assert postmaster(data_dir)

        assert server.stop(signal_number) == 0

        assert postmaster(data_dir) is None
        log = server.log.read_text()
        assert f"data: {data_dir}" in log
        assert "Traceback" not in log


@pytest.mark.parametrize("victims", ["server", "database", "both"])
def test_no_acknowledged_write_is_lost_by_kill_9(data_dir, victims, register, log_in):
    acknowledged: set[str] = set()
    refusals: list[int] = []
    enough = threading.Event()

    def write(client: httpx2.Client, writer: int) -> None:
        for number in range(10_000):
            title = f"{writer}-{number}"
            try:
                response = client.post("/todos/", json={"title": title})
            except httpx2.TransportError:
                return
            if response.status_code != 201:
                refusals.append(response.status_code)
                return
            acknowledged.add(title)
            if len(acknowledged) >= 200:
                enough.set()

    with serving(data_dir) as server:
        clients = [register(server.url), *(log_in(server.url) for _ in range(3))]
        writers = [
            threading.Thread(target=write, args=(client, number))
            for number, client in enumerate(clients)
        ]
        for writer in writers:
            writer.start()
        assert enough.wait(PATIENCE)
        if victims in {"server", "both"}:
            server.process.kill()
        if victims in {"database", "both"}:
            postmaster(data_dir).kill()
        for writer in writers:
            writer.join(PATIENCE)

    with serving(data_dir) as server:
        stored = all_titles(log_in(server.url))

    assert len(acknowledged) >= 200
    assert acknowledged <= stored
    assert set(refusals) <= {503}


def test_a_second_server_shares_the_database(data_dir, register, log_in):
    with serving(data_dir) as first, serving(data_dir) as second:
        register(first.url).post("/todos/", json={"title": "shared"})
        assert all_titles(log_in(second.url)) == {"shared"}

        first.stop()

        assert all_titles(log_in(second.url)) == {"shared"}
    assert postmaster(data_dir) is None


def test_workers_share_the_database_and_do_not_outlive_their_parent(data_dir, register, log_in):
    with serving(data_dir, "--workers", "2", measured=True) as server:
        client = register(server.url)
        client.post("/todos/", json={"title": "kept"})
        workers = server.workers()

        server.process.kill()

        _, alive = psutil.wait_procs(workers, PATIENCE)
        assert alive == []
        # The last worker exited normally, and stopped the database.
        assert postmaster(data_dir) is None

    with serving(data_dir, WORKERS="2") as server:
        assert all_titles(log_in(server.url)) == {"kept"}
        assert server.stop() == 0
        assert postmaster(data_dir) is None


async def test_a_request_in_flight_gets_its_response_before_the_server_exits(data_dir):
    with serving(data_dir) as server:
        async with httpx2.AsyncClient(base_url=server.url, timeout=PATIENCE) as client:
            await client.get("/livez")  # the server listens before it can respond
            # A registration hashes for a tenth of a second. The signal arrives during that time.
            registration = asyncio.create_task(client.post("/users/", json=ACCOUNT))
            await asyncio.sleep(0.05)
            server.process.send_signal(signal.SIGTERM)
            assert (await registration).status_code == 201
        assert await asyncio.to_thread(server.process.wait, PATIENCE) == 0


def test_a_failed_start_is_reported_with_a_message(tmp_path):
    data_dir = tmp_path / "data"
    data_dir.parent.joinpath("file").touch()
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port = str(listener.getsockname()[1])
        with socket.socket() as silent:
            silent.bind(("127.0.0.1", 0))  # bound, and never listening: connections are refused
            closed = f"postgresql://ana:hidden-word@127.0.0.1:{silent.getsockname()[1]}/todos"
            key = {"SECRET_KEY": "k" * 40}
            cases = {
                "Cannot listen on 127.0.0.1:": run(data_dir, "serve", "--port", port),
                "Cannot use DATA_DIR": call(data_dir.parent / "file/x", "migrate"),
                "PORT: Input should be": run(data_dir, "serve", "--port", "70000"),
                "DATABASE_URL: its scheme is mysql://": run(
                    data_dir, "serve", DATABASE_URL="mysql://localhost/todos"
                ),
                "did not respond within 0 s": call(
                    data_dir, "migrate", DATABASE_URL=closed, DATABASE_WAIT="0", **key
                ),
                "SECRET_KEY is not set. Make one with": run(
                    data_dir, "serve", "--port", "0", DATABASE_URL=closed
                ),
                "SECRET_KEY is shorter than 32 bytes": run(
                    data_dir, "serve", "--port", "0", DATABASE_URL=closed, SECRET_KEY="short"
                ),
            }
    for sentence, result in cases.items():
        assert result.returncode == 1, sentence
        assert sentence in result.stderr
        assert result.stderr.startswith("error: ")
        assert result.stderr.count("\n") == 1, result.stderr
        assert "hidden-word" not in result.stderr


def test_the_server_uses_a_given_database(tmp_path, database_url):
    data_dir = tmp_path / "data"
    name = make_url(database_url).database
    variables = {"DATABASE_URL": database_url, "SECRET_KEY": "k" * 40}
    with serving(data_dir, "--no-migrate", **variables) as server:
        assert httpx2.get(f"{server.url}/users").status_code == 200
        assert re.search(rf"data: postgresql\S+/{name}", server.log.read_text())
        assert not data_dir.exists()


def test_the_server_with_reload_serves_and_stops(data_dir, connect):
    with serving(data_dir, "--reload", measured=True) as server:
        assert connect(server.url).get("/").status_code == 200
        assert server.stop() == 0
        assert postmaster(data_dir) is None


@pytest.mark.parametrize("options", [(), ("--workers", "2")])
def test_links_contain_the_selected_port(data_dir, options, connect):
    with serving(data_dir, "--host", "0.0.0.0", *options) as server:
        client = connect(server.url)
        assert client.post("/users/", json=ACCOUNT).status_code == 201
        feed = client.get("/users/ana/feed.json").json()
        log = server.log.read_text()

    assert feed["feed_url"] == f"{server.url}/users/ana/feed.json"
    assert f"begin with {server.url}, which works on this machine only; set PUBLIC_URL" in log
    assert "open: on all interfaces" in log


def test_no_warning_is_logged_with_a_public_url(data_dir, connect):
    with serving(data_dir, PUBLIC_URL="https://todo.example.com") as server:
        connect(server.url).get("/livez").raise_for_status()
        log = server.log.read_text()

    assert "PUBLIC_URL" not in log
    assert "all interfaces" not in log
