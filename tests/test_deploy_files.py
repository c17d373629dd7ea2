"""The deployment files: what they refer to must exist in the code."""

import os
import re
import shlex
import shutil
import subprocess
import tomllib
from pathlib import Path
from typing import Annotated, Literal

import pytest
import yaml
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from pydantic import BaseModel, ConfigDict, Field

from fast_zero.core.secret_files import NAMES
from fast_zero.core.settings import Settings
from tests.chaos import own_database
from tests.processes import call, environment

ROOT = Path(__file__).parents[1]
SETTINGS = {name.upper() for name in Settings.model_fields} | {f"{name}_FILE" for name in NAMES}
Duration = Annotated[str, Field(pattern=r"^\d+(ms|s|m|h)$")]


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Build(Strict):
    dockerfile: str


class Deploy(Strict):
    release_command: str
    release_command_timeout: Duration
    strategy: Literal["rolling", "canary", "bluegreen", "immediate"]


class Concurrency(Strict):
    type: Literal["requests", "connections"]
    soft_limit: int
    hard_limit: int


class Check(Strict):
    method: Literal["GET", "HEAD"]
    path: str
    interval: Duration
    timeout: Duration
    grace_period: Duration


class HttpService(Strict):
    processes: list[str]
    internal_port: int
    force_https: bool
    auto_stop_machines: Literal["off", "stop", "suspend"]
    auto_start_machines: bool
    min_machines_running: int
    concurrency: Concurrency
    checks: list[Check]


class Metrics(Strict):
    processes: list[str]
    port: int
    path: str


class Machine(Strict):
    size: str
    memory: Annotated[str, Field(pattern=r"^\d+(mb|gb)$")]


class Fly(Strict):
    """The part of Fly's reference that we use. The schema store's file refuses valid settings."""

    app: str
    primary_region: Annotated[str, Field(pattern="^[a-z]{3}$")]
    kill_signal: Literal["SIGINT", "SIGTERM", "SIGQUIT", "SIGKILL"]
    kill_timeout: Annotated[int, Field(le=300)]
    build: Build
    deploy: Deploy
    processes: dict[str, str]
    env: dict[str, str]
    http_service: HttpService
    metrics: list[Metrics]
    vm: list[Machine]


@pytest.fixture(scope="module")
def fly() -> Fly:
    return Fly.model_validate(tomllib.loads((ROOT / "fly.toml").read_text()))


def paths(app: FastAPI) -> set[str | None]:
    return {route.path for route in iter_route_contexts(app.routes)}


def is_command(command: str) -> bool:
    """Return whether the program accepts these arguments, without running the command."""
    program, *rest = shlex.split(command)
    return program == "fast-zero" and call(Path("/nowhere"), *rest, "--help").returncode == 0


def test_what_the_fly_configuration_refers_to_exists(fly, app):
    assert (ROOT / fly.build.dockerfile).exists()
    assert is_command(fly.deploy.release_command)
    assert all(map(is_command, fly.processes.values()))
    assert fly.env.keys() <= SETTINGS
    assert not fly.env.keys() & set(NAMES)
    assert {check.path for check in fly.http_service.checks} <= paths(app)
    assert fly.http_service.internal_port == int(image_variable("PORT"))
    assert [metrics.port for metrics in fly.metrics] == [int(fly.env["METRICS_PORT"])]
    assert set(fly.http_service.processes) <= fly.processes.keys()


def test_the_kill_timeout_of_fly_exceeds_the_graceful_shutdown(fly):
    assert fly.kill_signal == "SIGTERM"
    assert fly.kill_timeout > 2 * Settings.model_fields["shutdown_grace"].default


def image_variable(name: str) -> str:
    return re.search(rf"\b{name}=(\S+)", (ROOT / "Dockerfile").read_text())[1]


def test_the_release_command_runs_under_the_entrypoint_and_migrates_once(fly):
    with own_database(migrated=False) as database:
        results = [
            subprocess.run(
                [ROOT / "entrypoint.sh", *shlex.split(fly.deploy.release_command)],
                env=environment(Path("/nowhere"), DATABASE_URL=database.url, SECRET_KEY="k" * 48),
                cwd="/",
                capture_output=True,
                text=True,
                check=False,
            )
            for _ in range(2)
        ]

    assert [result.returncode for result in results] == [0, 0]
    assert results[0].stderr.count("Migrated the database") == 1
    assert "Migrated" not in results[1].stderr


@pytest.mark.parametrize(
    ("command", "commands"),
    [
        (["fast-zero", "serve"], ["migrate", "serve --no-migrate"]),
        (["fast-zero", "serve", "--port", "1"], ["migrate", "serve --port 1 --no-migrate"]),
        (["fast-zero", "serve", "--no-migrate"], ["serve --no-migrate"]),
        (["fast-zero", "worker"], ["worker"]),
        (["fast-zero", "migrate"], ["migrate"]),
    ],
    ids=" ".join,
)
def test_the_entrypoint_migrates_before_it_serves_unless_disabled(tmp_path, command, commands):
    program = tmp_path / "fast-zero"
    program.write_text('#!/bin/sh\necho "$@"\n')
    program.chmod(0o755)
    result = subprocess.run(
        [ROOT / "entrypoint.sh", *command],
        env=os.environ | {"PATH": f"{tmp_path}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=True,
    )

    assert result.stdout.splitlines() == commands


def test_the_entrypoint_does_not_serve_if_the_migration_fails(tmp_path):
    program = tmp_path / "fast-zero"
    program.write_text('#!/bin/sh\necho "$@"\n[ "$1" != migrate ]\n')
    program.chmod(0o755)
    result = subprocess.run(
        [ROOT / "entrypoint.sh", "fast-zero", "serve"],
        env=os.environ | {"PATH": f"{tmp_path}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert (result.returncode, result.stdout) == (1, "migrate\n")


def test_what_the_render_configuration_refers_to_exists(app):
    blueprint = yaml.safe_load((ROOT / "render.yaml").read_text())
    variables = [variable for group in blueprint["envVarGroups"] for variable in group["envVars"]]
    for service in blueprint["services"]:
        variables += service["envVars"]
        assert is_command(service["dockerCommand"])
        assert service["maxShutdownDelaySeconds"] > 2 * 10
        assert service.get("preDeployCommand") is None or is_command(service["preDeployCommand"])
        assert service.get("healthCheckPath") in {None} | paths(app)
    names = {variable["key"] for variable in variables if "key" in variable}
    databases = {database["name"] for database in blueprint["databases"]}

    assert names <= SETTINGS
    assert {
        variable["fromDatabase"]["name"] for variable in variables if "fromDatabase" in variable
    } == databases
    assert not [
        variable for variable in variables if variable.get("key") in NAMES and "value" in variable
    ]


def test_what_the_kubernetes_configuration_refers_to_exists(app):
    folder = ROOT / "deploy/kubernetes"
    documents = [
        document
        for name in yaml.safe_load((folder / "kustomization.yaml").read_text())["resources"]
        for document in yaml.safe_load_all((folder / name).read_text())
    ]
    pods = [
        document["spec"]["template"]["spec"]
        for document in documents
        if "template" in document["spec"]
    ]
    for pod in pods:
        [container] = pod["containers"]
        assert is_command(" ".join(container["args"]))
        assert {variable["name"] for variable in container.get("env", ())} <= SETTINGS
        probes = [container[name] for name in container if name.endswith("Probe")]
        assert {probe["httpGet"]["path"] for probe in probes} <= paths(app)
        assert container["securityContext"]["readOnlyRootFilesystem"]
        assert pod["securityContext"]["runAsUser"] == 10001
        assert pod["terminationGracePeriodSeconds"] > 2 * 10

    assert len(pods) == 3


def has_compose():
    """Return whether there is a docker command, with its plug-in."""
    if shutil.which("docker") is None:
        return False
    result = subprocess.run(["docker", "compose", "version"], capture_output=True, check=False)
    return result.returncode == 0


@pytest.mark.skipif(not has_compose(), reason="there is no docker compose")
@pytest.mark.parametrize("profiles", [[], ["proxy"], ["pool"], ["observe"]], ids=str)
def test_the_compose_file_is_valid(profiles):
    options = [option for profile in profiles for option in ("--profile", profile)]
    result = subprocess.run(
        ["docker", "compose", *options, "config", "--quiet"],
        cwd=ROOT,
        env=os.environ | {"COMPOSE_DISABLE_ENV_FILE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert (result.returncode, result.stderr) == (0, "")


def test_what_the_compose_file_refers_to_exists():
    services = yaml.safe_load((ROOT / "compose.yaml").read_text())["services"]
    applications = [services["app"], services["worker"]]

    assert {name for service in applications for name in service["environment"]} <= SETTINGS
    assert is_command(" ".join(services["worker"]["command"]))


def test_the_database_role_of_compose_is_not_a_superuser():
    """The image's variables would create a superuser, so a script creates an ordinary role."""
    services = yaml.safe_load((ROOT / "compose.yaml").read_text())["services"]
    [script] = [
        ROOT / volume.split(":")[0]
        for volume in services["database"]["volumes"]
        if "/docker-entrypoint-initdb.d/" in volume
    ]
    role = re.search(r"postgresql://(\w+)@", services["app"]["environment"]["DATABASE_URL"])[1]

    assert services["database"]["environment"].keys() == {"POSTGRES_PASSWORD_FILE"}
    assert f"CREATE ROLE {role} LOGIN PASSWORD :'password';" in script.read_text()
