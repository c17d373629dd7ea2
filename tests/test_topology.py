"""The short version of `task topology`: many machines, one of which dies."""

import os
import shutil
import subprocess

import pytest

from tests import contract, topology
from tests.processes import run
from tests.test_readme import blocks

MISSING = topology.missing()

pytestmark = pytest.mark.skipif(bool(MISSING), reason=f"this needs {', and '.join(MISSING)}")


@pytest.fixture(scope="module")
def running():
    with topology.running() as running:
        yield running


def test_the_contract_holds_in_the_whole_topology(running, tmp_path):
    contract.check(running.url)
    smoke = run(tmp_path, "smoke", running.url)
    assert smoke.returncode == 0, smoke.stdout


@pytest.mark.skipif(not shutil.which("curl"), reason="the README's session uses curl")
def test_the_first_session_runs_in_the_whole_topology(running):
    environment = os.environ | {"API": running.url}
    command = ["sh", "-eu", "-c", blocks()[2]]
    result = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr


@pytest.mark.parametrize("fault", ["standby_killed", "primary_killed"])
def test_no_lost_host_loses_or_duplicates_a_write(running, fault):
    outcome = topology.cause_fault(running, fault)

    assert outcome.passed(), outcome
    assert outcome.requests > 0
