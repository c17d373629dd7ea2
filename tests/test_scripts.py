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
BEFORE = [{"Registry": "registry.fly.io", "Repository": "fast-zero", "Digest": "sha256:abc"}]
IMAGE = "registry.fly.io/fast-zero@sha256:abc"
FLYCTL = """\
#!/usr/bin/env python3
import json, os, sys
from pathlib import Path

folder = Path(os.environ["STAND_IN"])
words = sys.argv[1:]
with (folder / "asked").open("a") as file:
    file.write(" ".join(words) + "\\n")
if words[:2] == ["image", "show"]:
    print((folder / "running").read_text())
failing = (folder / "failing").read_text().split(",")
sys.exit("rollback" in failing if "--image" in words else words[0] in failing)
"""
SMOKE = """\
#!/bin/sh
echo "smoke $2" >> "$STAND_IN/asked"
if grep -q -- --image "$STAND_IN/asked"; then exit 0; fi
! grep -q smoke "$STAND_IN/failing"
"""


@pytest.fixture
def deploy(tmp_path):
    """Deploy with fake programs; return the status, the output, and the arguments of flyctl."""
    for name, text in {"flyctl": FLYCTL, "fast-zero": SMOKE}.items():
        file = tmp_path / name
        file.write_text(text)
        file.chmod(0o755)

    def deploy(*words: str, failing: str = "", running: object = BEFORE):
        (tmp_path / "failing").write_text(failing)
        words_of_flyctl = "App has not been deployed yet."
        told = words_of_flyctl if running == "in words" else json.dumps(running)
        (tmp_path / "running").write_text(told)
        path = f"{tmp_path}:{Path(sys.executable).parent}:{os.environ['PATH']}"
        done = subprocess.run(
            [ROOT / "scripts/deploy", *words],
            env=os.environ | {"PATH": path, "STAND_IN": str(tmp_path)},
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        asked = tmp_path / "asked"
        return (
            done.returncode,
            done.stderr,
            asked.read_text().splitlines() if asked.exists() else [],
        )

    return deploy


URL = "https://todo.example.com"
BASE = (ROOT / "deploy/base-image").read_text().strip()
DEPLOY = f"deploy --remote-only --build-arg PYTHON_IMAGE={BASE}"
SHOW, SESSION = "image show --json", f"smoke {URL}"
BACK = f"deploy --image {IMAGE}"


@pytest.mark.parametrize(
    ("failing", "running", "status", "asked", "said"),
    [
        ("", BEFORE, 0, [SHOW, DEPLOY, SESSION], "went well"),
        ("deploy", BEFORE, 1, [SHOW, DEPLOY], "could not deploy"),
        ("smoke", BEFORE, 1, [SHOW, DEPLOY, SESSION, BACK, SESSION], "the image before runs again"),
        ("smoke,rollback", BEFORE, 1, [SHOW, DEPLOY, SESSION, BACK], "does not work either"),
        ("smoke", [], 1, [SHOW, DEPLOY, SESSION], "there is no image before"),
        ("image", [], 0, [SHOW, DEPLOY, SESSION], "running now: nothing yet"),
        ("", None, 0, [SHOW, DEPLOY, SESSION], "running now: nothing yet"),
        ("", "in words", 0, [SHOW, DEPLOY, SESSION], "running now: nothing yet"),
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
    deploy, failing, running, status, asked, said
):
    done = deploy(URL, failing=failing, running=running)

    assert (done[0], done[2]) == (status, asked)
    assert said in done[1]


def test_a_deployment_needs_a_url_and_passes_other_arguments(deploy):
    status, said, asked = deploy()
    assert (status, asked) == (2, [])
    assert said.startswith("usage:")

    assert deploy(URL, "--app", "other")[2][1] == f"{DEPLOY} --app other"


@pytest.fixture
def checkout(tmp_path):
    """Copy what the script for releases reads."""
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


def test_the_release_notes_are_the_section_of_the_changelog(checkout):
    assert checkout(LOG).stdout == "- New.\n"


@pytest.mark.parametrize(
    ("changelog", "tag", "said"),
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
def test_a_tag_that_does_not_fit_is_refused(checkout, changelog, tag, said):
    done = checkout(changelog, tag)

    assert done.returncode == 1
    assert said in done.stderr


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
    promised = [one.rpartition(" ")[2] for one in classifiers if "Python :: 3." in one]

    assert re.findall(r'"(.+?)"', matrix) == promised
