"""The short version of `task topology`: many machines, one of which dies."""

import os
import shutil
import subprocess

import pytest

from tests import contract, topology
from tests.processes import run
from tests.test_readme import blocks

WANTING = topology.missing()

pytestmark = pytest.mark.skipif(bool(WANTING), reason=f"this needs {', and '.join(WANTING)}")


@pytest.fixture(scope="module")
def running():
    with topology.running() as running:
        yield running


def test_the_contract_holds_in_the_whole_topology(running, tmp_path):
    contract.hold(running.url)
    smoke = run(tmp_path, "smoke", running.url)
    assert smoke.returncode == 0, smoke.stdout


@pytest.mark.skipif(not shutil.which("curl"), reason="the README's session is one of curl's")
def test_the_first_session_runs_in_the_whole_topology(running):
    environment = os.environ | {"API": running.url}
    words = ["sh", "-eu", "-c", blocks()[2]]
    done = subprocess.run(words, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("fault", ["standby_killed", "primary_killed"])
def test_no_lost_host_loses_or_duplicates_a_write(running, fault):
    outcome = topology.strike(running, fault)

    assert outcome.good(), outcome
    assert outcome.requests > 0
