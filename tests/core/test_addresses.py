import pytest

from fast_zero.core.addresses import network


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:DB8:1:2::", "2001:db8:1:2::/64"),
        ("::1", "::/64"),
        ("_hidden", "_hidden"),
        ("", ""),
    ],
)
def test_an_address_identifies_one_client(address, expected):
    assert network(address) == expected
