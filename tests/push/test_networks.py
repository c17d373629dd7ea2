import pytest

from fast_zero.push import networks


@pytest.mark.parametrize(
    "address",
    ["93.184.215.14", "2606:2800:21f:cb07::1", "64:ff9b::5db8:d70e", "::ffff:93.184.215.14"],
)
def test_public_addresses_are_public(address):
    assert networks.is_public_address(address)


@pytest.mark.parametrize(
    "address",
    [
        "0.0.0.0",
        "10.0.0.1",
        "100.64.0.1",
        "127.0.0.1",
        "127.8.8.8",
        "169.254.169.254",
        "172.16.0.1",
        "192.168.1.1",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::7f00:1",
        "::ffff:127.0.0.1",
        "64:ff9b::10.0.0.1",
        "2002:7f00:1::",
        "2001:db8::1",
        "fc00::1",
        "fe80::1",
        "fe80::1%eth0",
        "ff02::1",
    ],
)
def test_other_addresses_are_not(address):
    assert not networks.is_public_address(address)


@pytest.mark.parametrize(
    "url",
    [
        "https://fcm.googleapis.com/fcm/send/fA3:APA91b-_x",
        "https://updates.push.services.mozilla.com/wpush/v2/gAAAAABn==",
        "https://web.push.apple.com/QGu4r",
        "https://wns2-par02p.notify.windows.com/w/?token=BQYAAAD%2bx%3d",
        "https://93.184.215.14:8443/a",
        "https://[2606:2800:21f:cb07::1]/a",
    ],
)
def test_the_urls_of_push_services_are_public(url):
    assert networks.is_url(url)
    assert networks.is_public_url(url)


@pytest.mark.parametrize(
    "url",
    [
        "https://localhost./a",
        "https://app.localhost/a",
        "https://printer.local/a",
        "https://LOCALHOST/a",
        "https://2130706433/a",
        "https://127.1/a",
        "https://0x7f.0x1/a",
        "https://0.0.0.0/a",
    ],
)
def test_local_names_are_not_public(url):
    assert networks.is_url(url)
    assert not networks.is_public_url(url)
