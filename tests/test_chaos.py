"""The short version of `task chaos`: a few faults, each for a moment."""

import pytest

from tests import chaos


@pytest.mark.parametrize("fault", ["restarted", "away", "full", "embedded"])
def test_no_database_failure_loses_or_duplicates_a_write(fault):
    outcome = chaos.run(fault, seconds=1)

    assert outcome.passed(), outcome
    assert outcome.requests > 0
