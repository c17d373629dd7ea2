"""The contract, with a single server. `test_topology` checks it with many machines."""

from tests import contract
from tests.processes import serving


def test_the_contract_holds_and_leaves_nothing_behind(data_dir):
    with serving(data_dir) as server:
        contract.check(server.url)
        contract.check(server.url)
