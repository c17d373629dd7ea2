"""The scripts of the pipeline, with a fake flyctl that records its arguments."""

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

from tests.processes import PATIENCE

ROOT = Path(__file__).parents[1]
WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yml"))
PREVIOUS = [{"Registry": "registry.fly.io", "Repository": "fast-zero", "Digest": "sha256:abc"}]
IMAGE = "registry.fly.io/fast-zero@sha256:abc"
FLYCTL = """\
#!/usr/bin/env python3
import json, os, sys
from pathlib import Path

folder = Path(os.environ["STAND_IN"])
arguments = sys.argv[1:]
with (folder / "calls").open("a") as file:
    file.write(" ".join(arguments) + "\\n")
if arguments[:2] == ["image", "show"]:
    print((folder / "running").read_text())
failing = (folder / "failing").read_text().split(",")
sys.exit("rollback" in failing if "--image" in arguments else arguments[0] in failing)
"""
SMOKE = """\
#!/bin/sh
echo "smoke $2" >> "$STAND_IN/calls"
if grep -q -- --image "$STAND_IN/calls"; then exit 0; fi
! grep -q smoke "$STAND_IN/failing"
"""


@pytest.fixture
def deploy(tmp_path):
    """Deploy with fake programs; return the status, the output, and the arguments of flyctl."""
    for name, text in {"flyctl": FLYCTL, "fast-zero": SMOKE}.items():
        file = tmp_path / name
        file.write_text(text)
        file.chmod(0o755)

    def deploy(*arguments: str, failing: str = "", running: object = PREVIOUS):
        (tmp_path / "failing").write_text(failing)
        text = "App has not been deployed yet."
        output = text if running == "in words" else json.dumps(running)
        (tmp_path / "running").write_text(output)
        path = f"{tmp_path}:{Path(sys.executable).parent}:{os.environ['PATH']}"
        result = subprocess.run(
            [ROOT / "scripts/deploy", *arguments],
            env=os.environ | {"PATH": path, "STAND_IN": str(tmp_path)},
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        calls = tmp_path / "calls"
        return (
            result.returncode,
            result.stderr,
            calls.read_text().splitlines() if calls.exists() else [],
        )

    return deploy


URL = "https://todo.example.com"
BASE = (ROOT / "deploy/base-image").read_text().strip()
DEPLOY = f"deploy --remote-only --build-arg PYTHON_IMAGE={BASE}"
SHOW, SMOKE_TEST = "image show --json", f"smoke {URL}"
ROLLBACK = f"deploy --image {IMAGE}"


@pytest.mark.parametrize(
    ("failing", "running", "status", "calls", "message"),
    [
        ("", PREVIOUS, 0, [SHOW, DEPLOY, SMOKE_TEST], "went well"),
        ("deploy", PREVIOUS, 1, [SHOW, DEPLOY], "could not deploy"),
        (
            "smoke",
            PREVIOUS,
            1,
            [SHOW, DEPLOY, SMOKE_TEST, ROLLBACK, SMOKE_TEST],
            "the image before runs again",
        ),
        (
            "smoke,rollback",
            PREVIOUS,
            1,
            [SHOW, DEPLOY, SMOKE_TEST, ROLLBACK],
            "does not work either",
        ),
        ("smoke", [], 1, [SHOW, DEPLOY, SMOKE_TEST], "there is no image before"),
        ("image", [], 0, [SHOW, DEPLOY, SMOKE_TEST], "running now: nothing yet"),
        ("", None, 0, [SHOW, DEPLOY, SMOKE_TEST], "running now: nothing yet"),
        ("", "in words", 0, [SHOW, DEPLOY, SMOKE_TEST], "running now: nothing yet"),
    ],
    ids=[
        "works",
        "deploy fails",
        "goes back",
        "going back fails",
        "first fails",
        "first ever",
        "null",
        "in words",
    ],
)
def test_a_failed_deployment_is_rolled_back_by_its_digest(
    deploy, failing, running, status, calls, message
):
    result = deploy(URL, failing=failing, running=running)

    assert (result[0], result[2]) == (status, calls)
    assert message in result[1]


def test_a_deployment_needs_a_url_and_passes_other_arguments(deploy):
    status, message, calls = deploy()
    assert (status, calls) == (2, [])
    assert message.startswith("usage:")

    assert deploy(URL, "--app", "other")[2][1] == f"{DEPLOY} --app other"


@pytest.fixture
def release_notes(tmp_path):
    """Copy the files that `release-notes` reads, and run it."""
    (tmp_path / "scripts").mkdir()
    shutil.copy(ROOT / "scripts/release-notes", tmp_path / "scripts")
    (tmp_path / "pyproject.toml").write_text('[project]\nversion = "1.2.3"\n')

    def notes(changelog: str, tag: str = "v1.2.3"):
        (tmp_path / "CHANGELOG.md").write_text(changelog)
        return subprocess.run(
            [tmp_path / "scripts/release-notes", tag], capture_output=True, text=True, check=False
        )

    return notes


LOG = (
    "# Changelog\n\n## [Unreleased]\n\n## [1.2.3] - 2026-12-01\n\n- New.\n\n## [1.2.2]\n\n- Old.\n"
)


def test_the_release_notes_are_the_section_of_the_changelog(release_notes):
    assert release_notes(LOG).stdout == "- New.\n"


@pytest.mark.parametrize(
    ("changelog", "tag", "message"),
    [
        (LOG, "v1.2.4", "The tag is v1.2.4, and pyproject.toml has the version 1.2.3."),
        (
            LOG.replace("[1.2.3]", "[1.2.1]"),
            "v1.2.3",
            "The newest release in CHANGELOG.md is 1.2.1",
        ),
        (
            "# Changelog\n\n## [Unreleased]\n",
            "v1.2.3",
            "The newest release in CHANGELOG.md is none",
        ),
    ],
)
def test_a_tag_that_does_not_match_the_release_is_refused(release_notes, changelog, tag, message):
    result = release_notes(changelog, tag)

    assert result.returncode == 1
    assert message in result.stderr


def steps(workflow: Path):
    for job in yaml.safe_load(workflow.read_text())["jobs"].values():
        yield from job.get("steps", ())


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda file: file.name)
def test_workflows_have_few_permissions_and_pinned_actions(workflow):
    content = yaml.safe_load(workflow.read_text())
    used = re.findall(r"uses: (\S+)(.*)", workflow.read_text())

    assert content["permissions"] == {}
    assert "concurrency" in content
    for job in content["jobs"].values():
        assert "permissions" in job
        assert "timeout-minutes" in job or "uses" in job
    for action, comment in used:
        if not action.startswith("./"):
            assert re.fullmatch(r"[\w./-]+@[0-9a-f]{40}", action), action
            assert re.match(r" # v\d", comment), action


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda file: file.name)
def test_workflow_steps_run_commands_that_work_locally(workflow):
    tasks = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["taskipy"]["tasks"]
    for step in steps(workflow):
        if command := step.get("run"):
            assert "\n" not in command
            script, task = (
                re.search(r"scripts/([\w-]+)", command),
                re.search(r"task (\w+)", command),
            )
            assert script or task
            assert not script or os.access(ROOT / "scripts" / script[1], os.X_OK)
            assert not task or task[1] in tasks


def test_the_tests_run_on_every_supported_python():
    [matrix] = re.findall(r"python: \[(.+)\]", (ROOT / ".github/workflows/ci.yml").read_text())
    classifiers = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["classifiers"]
    supported = [
        classifier.rpartition(" ")[2] for classifier in classifiers if "Python :: 3." in classifier
    ]

    assert re.findall(r'"(.+?)"', matrix) == supported
