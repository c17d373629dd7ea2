"""Stop and disconnect hosts of a fast_zero with many machines, while clients write.

Three hosts with etcd, Patroni and PostgreSQL, haproxy, PgBouncer, two web processes and a worker,
with the unchanged configuration of deploy/topology. Each host is a network namespace on this
machine, so this needs root, Linux, Debian's packages etcd-server, postgresql, haproxy and
pgbouncer, and Patroni 4.1 or newer (see docs/scaling.md). After each fault, the log of changes is
replayed from the beginning; the column "log" counts what it misses, has twice or has differently.
Meanwhile, the client of docs/sync.md runs; "sync" counts what it has differently in the end. Run it
from the checkout:

    sudo task topology [fault ...]
"""

import argparse
import asyncio
import contextlib
import json
import os
import re
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx2
import psutil
import psycopg

from tests import hosts, mirroring
from tests.chaos import COLUMNS, Outcome, Service, line, measure_fault, report
from tests.hosts import EDGE, as_account, inside
from tests.processes import PATIENCE, run, serving, working
from tests.writers import KeyedClients, registered_client

FILES = Path(__file__).parents[1] / "deploy/topology"
NODES = ("pg1", "pg2", "pg3")
PASSWORDS = {
    f"PATRONI_{role}_PASSWORD": secrets.token_urlsafe()
    for role in ("SUPERUSER", "REPLICATION", "REWIND")
}
SETTINGS = {
    "DATABASE_URL": f"postgresql://fast_zero@{EDGE}:6432/fast_zero",
    "DATABASE_DIRECT_URL": f"postgresql://fast_zero@{EDGE}:5000/fast_zero",
    "DATABASE_READ_URL": f"postgresql://fast_zero@{EDGE}:6432/fast_zero_reads",
    "DATABASE_PASSWORD": "fast_zero",
    "SECRET_KEY": secrets.token_urlsafe(48),
    "HOST": EDGE,
    "RUN_JOBS": "false",
    "FORWARDED_ALLOW_IPS": EDGE,
}
# An older version trusts an etcd member that is disconnected from the others, and loses writes.
PATRONI = (4, 1)
PACKAGES = {
    "etcd": "etcd-server",
    "postgres": "postgresql",
    "haproxy": "haproxy",
    "pgbouncer": "pgbouncer",
}
SETTLE_SECONDS = 120  # seconds until all three members must be running


def programs() -> dict[str, str | None]:
    """Find the programs. Some, such as those of PostgreSQL, may not be on the path."""
    newest = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parts[-2]))
    places = os.pathsep.join([*map(str, newest[-1:]), os.environ["PATH"], "/usr/sbin"])
    return {name: shutil.which(name, path=places) for name in ("patroni", *PACKAGES)}


def missing() -> list[str]:
    """List what is missing, as instructions."""
    found = programs()
    absent = [package for name, package in PACKAGES.items() if found[name] is None]
    requirements = [f"apt install {' '.join(absent)}"] if absent else []
    if version_of(found["patroni"]) < PATRONI:
        requirements.append("Patroni 4.1 or newer on the path (see docs/scaling.md)")
    return requirements if os.geteuid() == 0 else ["root, for network namespaces", *requirements]


def version_of(patroni: str | None) -> tuple[int, ...]:
    if patroni is None:
        return ()
    result = subprocess.run([patroni, "--version"], check=False, capture_output=True, text=True)
    return tuple(map(int, re.findall(r"\d+", result.stdout)))


class Topology:
    """All processes of the topology, and the addresses of its hosts."""

    def __init__(self, folder: Path, addresses: dict[str, str]) -> None:
        self.folder = folder
        self.addresses = addresses
        self.programs = programs()
        self.url = f"http://{EDGE}:8000"
        self.processes: list[subprocess.Popen] = []

    def spawn(self, name: str, command: list[str], **variables: str) -> None:
        with (self.folder / f"{name}.log").open("a") as log:
            self.processes.append(
                subprocess.Popen(
                    command, cwd=self.folder, env=os.environ | variables, stdout=log, stderr=log
                )
            )

    def start_host(self, name: str) -> None:
        """Start the processes of a host. Its data may exist already."""
        address = self.addresses[name]
        data = self.folder / name
        if not data.exists():
            data.mkdir(mode=0o700)
            shutil.chown(data, "nobody", "nogroup")
        self.spawn(
            f"{name}-etcd",
            [
                *(*inside(name), self.programs["etcd"], "--name", name),
                *("--data-dir", f"{data}/etcd", "--log-level", "error"),
                *("--listen-client-urls", f"http://{address}:2379"),
                *("--advertise-client-urls", f"http://{address}:2379"),
                *("--listen-peer-urls", f"http://{address}:2380"),
                *("--initial-advertise-peer-urls", f"http://{address}:2380"),
                "--initial-cluster",
                ",".join(f"{peer}=http://{at}:2380" for peer, at in self.addresses.items()),
            ],
        )
        self.spawn(
            f"{name}-patroni",
            [*inside(name), self.programs["patroni"], str(FILES / "patroni.yml")],
            PATRONI_NAME=name,
            PATRONI_RESTAPI_LISTEN=f"{address}:8008",
            PATRONI_RESTAPI_CONNECT_ADDRESS=f"{address}:8008",
            PATRONI_POSTGRESQL_LISTEN=f"{address}:5432",
            PATRONI_POSTGRESQL_CONNECT_ADDRESS=f"{address}:5432",
            PATRONI_POSTGRESQL_DATA_DIR=f"{data}/postgresql",
            PATRONI_POSTGRESQL_BIN_DIR=str(Path(self.programs["postgres"] or "").parent),
            PATRONI_POSTGRESQL_PGPASS=f"{data}/pgpass",
            **PASSWORDS,
        )

    def start_edge(self) -> None:
        for name in ("haproxy.cfg", "pgbouncer.ini"):
            shutil.copy(FILES / name, self.folder)
        (self.folder / "userlist.txt").write_text('"fast_zero" "fast_zero"\n')
        self.spawn("haproxy", [self.programs["haproxy"], "-db", "-f", "haproxy.cfg"])
        self.spawn(
            "pgbouncer", [*as_account("nobody"), self.programs["pgbouncer"], "-q", "pgbouncer.ini"]
        )

    def make_role(self) -> None:
        password = PASSWORDS["PATRONI_SUPERUSER_PASSWORD"]
        url = f"postgresql://postgres:{password}@{EDGE}:5000/postgres"
        retry_connection(lambda: psycopg.connect(url).close())
        with psycopg.connect(url, autocommit=True) as connection:
            for statement in (FILES / "role.sql").read_text().split(";")[:-1]:
                connection.execute(statement.encode())

    def connect(self) -> psycopg.Connection:
        """Connect to the primary."""
        password = PASSWORDS["PATRONI_SUPERUSER_PASSWORD"]
        url = f"postgresql://postgres:{password}@{EDGE}:5000/fast_zero"
        return psycopg.connect(url, autocommit=True)

    def members(self) -> dict[str, str]:
        """Return the role of each member that takes part, according to Patroni."""
        for address in self.addresses.values():
            with contextlib.suppress(httpx2.HTTPError, KeyError, json.JSONDecodeError):
                response = httpx2.get(f"http://{address}:8008/cluster", timeout=2).json()
                return {
                    member["name"]: member["role"]
                    for member in response["members"]
                    if member["state"] in {"running", "streaming"}
                }
        return {}

    def member_with_role(self, role: str) -> str:
        return next(name for name, found in self.members().items() if found == role)

    def settled(self) -> bool:
        return sorted(self.members().values()) == ["leader", "replica", "sync_standby"]

    def pids(self, name: str) -> list[int]:
        found = subprocess.run(
            ["ip", "netns", "pids", name], check=True, capture_output=True, text=True
        )
        return [int(pid) for pid in found.stdout.split()]

    def kill(self, name: str) -> None:
        """Power off a host."""
        while pids := self.pids(name):  # some may have been starting
            for pid in pids:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            for process in self.processes:
                process.poll()  # otherwise killed processes would remain as zombies

    def recover(self, victim: str) -> None:
        """Wait until the other hosts are a primary and its standby; then restore the third."""

        def taken_over() -> bool:
            others = {name: role for name, role in self.members().items() if name != victim}
            return set(others.values()) == {"leader", "sync_standby"}

        wait_until(taken_over, self)
        hosts.reconnect(victim)
        for name in self.addresses:
            if not self.pids(name):
                self.start_host(name)
        wait_until(self.settled, self)

    def stop(self) -> None:
        for name in self.addresses:
            self.kill(name)
        for process in self.processes:
            with contextlib.suppress(psutil.NoSuchProcess, ProcessLookupError):
                process.kill()
            process.wait(PATIENCE)


def retry_connection(act: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            act()
        except psycopg.OperationalError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)
        else:
            return


def wait_until(condition: Callable[[], bool], topology: Topology) -> None:
    deadline = time.monotonic() + SETTLE_SECONDS
    while not condition():
        if time.monotonic() > deadline:
            message = f"it did not settle: {topology.members()}"
            raise AssertionError(message)
        time.sleep(0.2)


@contextlib.contextmanager
def running() -> Iterator[Topology]:
    """Run the topology until the block ends."""
    with contextlib.ExitStack() as stack:
        directory = stack.enter_context(tempfile.TemporaryDirectory(prefix="fast_zero-topology-"))
        folder = Path(directory)
        folder.chmod(0o755)
        topology = Topology(folder, stack.enter_context(hosts.hosts(NODES)))
        stack.callback(topology.stop)
        for name in NODES:
            topology.start_host(name)
        topology.start_edge()
        wait_until(topology.settled, topology)
        topology.make_role()
        migrated = run(folder / "migrate", "migrate", **SETTINGS)
        assert migrated.returncode == 0, migrated.stderr
        for port in ("8001", "8002"):
            stack.enter_context(serving(folder / port, "--port", port, "--no-migrate", **SETTINGS))
        stack.enter_context(working(folder / "worker", **SETTINGS))
        ready = f"{topology.url}/readyz"
        wait_until(lambda: httpx2.get(ready).status_code == 200, topology)
        yield topology


@dataclass(frozen=True)
class Fault:
    """A failure of the host with a role."""

    role: str
    apply: Callable[[Topology, str], None]


def lose_power(topology: Topology, name: str) -> None:
    topology.kill(name)


def lose_network(_topology: Topology, name: str) -> None:
    hosts.disconnect(name)


FAULTS = {
    "standby_killed": Fault("sync_standby", lose_power),
    "primary_killed": Fault("leader", lose_power),
    "standby_cut": Fault("sync_standby", lose_network),
    "primary_cut": Fault("leader", lose_network),
}


def cause_fault(topology: Topology, name: str) -> Outcome:
    """Cause one failure and restore all three hosts, while clients write."""
    wait_until(topology.settled, topology)
    fault = FAULTS[name]
    victim = topology.member_with_role(fault.role)

    async def apply() -> None:
        fault.apply(topology, victim)
        await asyncio.to_thread(topology.recover, victim)

    return asyncio.run(measure_while_mirroring(name, topology, apply))


async def measure_while_mirroring(
    name: str, topology: Topology, apply: Callable[[], Awaitable[None]]
) -> Outcome:
    """Measure a failure while the client of docs/sync.md copies the account."""
    file = topology.folder / "mirror.db"
    service = Service(topology.url, topology.connect)
    async with (
        registered_client(topology.url) as client,
        mirroring.started(client, file) as mirror,
    ):
        outcome = await measure_fault(name, service, apply, KeyedClients)
        outcome.sync = await mirroring.differences(mirror, file, await mirroring.listed(client))
    return outcome


OMITTED = {"no response", "unready", "/ failed", "recovery s"}
SHOWN = {title: field for title, field in COLUMNS.items() if title not in OMITTED}
SHOWN |= {"sync": "sync"}


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="task topology", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("faults", nargs="*", metavar="fault", help=", ".join(FAULTS))
    options = parser.parse_args()
    if unknown := set(options.faults) - set(FAULTS):
        parser.error(f"there is no fault {', '.join(sorted(unknown))}")
    if requirements := missing():
        parser.error(f"this needs {', and '.join(requirements)}")
    outcomes = []
    with running() as topology:
        print(line(list(SHOWN)), flush=True)
        for name in options.faults or FAULTS:
            outcomes.append(cause_fault(topology, name))
            report(outcomes[-1], SHOWN)
    sys.exit(not all(outcome.passed() for outcome in outcomes))


if __name__ == "__main__":
    main()
