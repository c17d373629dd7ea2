import pytest
from httpx2 import ASGITransport, AsyncClient
from hypothesis import given
from hypothesis import strategies as st
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from fast_zero.core.http.middleware.forwarded import Forwarded
from tests.factories import PASSWORD, UserFactory

PROXIES = "10.0.0.0/8, 2001:db8::1"


async def client_and_scheme(
    *headers: tuple[str, str], peer="10.0.0.1", trusted=PROXIES, kind="http"
):
    """Return the address of the client and the scheme that an application receives."""
    received = {}

    async def app(scope, _receive, _send):
        received.update(scope)

    raw = [(name.encode(), value.encode("latin-1")) for name, value in headers]
    scheme = "http" if kind == "http" else "ws"
    scope = {"type": kind, "headers": raw, "scheme": scheme, "client": peer and (peer, 5)}
    await Forwarded(app, trusted)(scope, None, None)
    return received["client"] and received["client"][0], received["scheme"]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("for=203.0.113.7", ("203.0.113.7", "http")),
        ("for=203.0.113.7;proto=https;by=10.0.0.1", ("203.0.113.7", "https")),
        ('For="203.0.113.7:4711";Proto=HTTPS', ("203.0.113.7", "https")),
        ('for="[2001:db8:cafe::17]:4711"', ("2001:db8:cafe::17", "http")),
        ('for="[2001:db8:cafe::17]"; proto=https', ("2001:db8:cafe::17", "https")),
        ("for=198.51.100.9, for=203.0.113.7;proto=https", ("203.0.113.7", "https")),
        ("for=198.51.100.9;proto=https, for=10.0.0.2;proto=http", ("198.51.100.9", "https")),
        ("for=10.0.0.3, for=10.0.0.2", ("10.0.0.3", "http")),
        ("for=unknown", ("unknown", "http")),
        ("for=_hidden, for=10.0.0.2", ("_hidden", "http")),
        ("for=198.51.100.9, proto=https", ("10.0.0.1", "https")),
        ("for=203.0.113.7;proto=gopher", ("203.0.113.7", "http")),
        ('for="a, for=203.0.113.7', ("203.0.113.7", "http")),
        ('", for="203.0.113.7:4711"', ("203.0.113.7", "http")),
        ('for="\\, for=203.0.113.7;host="a, \\"b"', ("203.0.113.7", "http")),
        ("for=198.51.100.9;, for=203.0.113.7;; proto=https;", ("203.0.113.7", "https")),
        (",, for=203.0.113.7, ,", ("203.0.113.7", "http")),
        ("for=198.51.100.9, =, for=10.0.0.2", ("10.0.0.2", "http")),
        ("for=198.51.100.9 for=203.0.113.7", ("10.0.0.1", "http")),
        ("203.0.113.7", ("10.0.0.1", "http")),
        ("for=203.0.113.7, =", ("10.0.0.1", "http")),
        ('for="203.0.113.7', ("10.0.0.1", "http")),
        ("", ("10.0.0.1", "http")),
    ],
)
async def test_the_last_untrusted_hop_is_the_client(value, expected):
    assert await client_and_scheme(("forwarded", value)) == expected


async def test_several_header_lines_are_one_value():
    lines = [("forwarded", "for=198.51.100.9"), ("forwarded", "for=203.0.113.7")]

    assert (await client_and_scheme(*lines))[0] == "203.0.113.7"


@pytest.mark.parametrize("peer", ["203.0.113.1", "2001:db8::2", "", None])
async def test_untrusted_hops_are_ignored(peer):
    received = await client_and_scheme(("forwarded", "for=198.51.100.9;proto=https"), peer=peer)

    assert received == (peer, "http")


async def test_x_forwarded_for_takes_precedence():
    both = [("x-forwarded-for", "203.0.113.7"), ("forwarded", "for=198.51.100.9")]

    assert (await client_and_scheme(*both, peer="10.0.0.1"))[0] == "10.0.0.1"


async def test_all_hops_can_be_trusted():
    value = "for=198.51.100.9, for=203.0.113.7"

    address, _ = await client_and_scheme(("forwarded", value), peer="192.0.2.1", trusted="*")

    assert address == "198.51.100.9"


async def test_a_websocket_gets_a_websocket_scheme():
    received = await client_and_scheme(
        ("forwarded", "for=203.0.113.7;proto=https"), kind="websocket"
    )

    assert received == ("203.0.113.7", "wss")


ADDRESSES = st.ip_addresses(network="203.0.113.0/24") | st.ip_addresses(network="2001:db9::/32")
CLIENT_VALUES = st.text(alphabet='for=proto;,"\\ \t[]:.x1', max_size=60) | st.text(
    st.characters(min_codepoint=1, max_codepoint=255, exclude_characters="\r\n"), max_size=60
)


@given(CLIENT_VALUES, ADDRESSES, st.integers(0, 3), st.sampled_from([", ", ",", " ,\t"]))
async def test_a_client_cannot_override_its_proxies(sent, address, proxies, between):
    client = f'"[{address}]:4711"' if address.version == 6 else str(address)
    chain = [f'for={client};proto=https;host="a, \\";for=198.51.100.9"']
    chain += [f"for=10.0.0.{number + 2};proto=https" for number in range(proxies)]
    expected = (str(address), "https")

    assert await client_and_scheme(("forwarded", between.join([sent, *chain]))) == expected
    assert await client_and_scheme(*(("forwarded", line) for line in [sent, *chain])) == expected


@given(CLIENT_VALUES, ADDRESSES, st.integers(0, 3))
async def test_x_forwarded_for_is_read_from_the_right_too(sent, address, proxies):
    chain = [str(address), *(f"10.0.0.{number + 2}" for number in range(proxies))]
    received = {}

    async def app(scope, _receive, _send):
        received.update(scope)

    header = (b"x-forwarded-for", ", ".join([sent, *chain]).encode("latin-1"))
    scope = {"type": "http", "headers": [header], "scheme": "http", "client": ("10.0.0.1", 5)}
    await ProxyHeadersMiddleware(app, PROXIES)(scope, None, None)

    assert received["client"][0] == str(address)


@given(CLIENT_VALUES)
async def test_a_malformed_header_still_yields_an_address(sent):
    assert isinstance((await client_and_scheme(("forwarded", sent)))[0], str)


async def test_a_session_and_its_scheme_are_those_of_the_client(live, commit):
    [user] = await commit(UserFactory())
    form = {"username": user.email, "password": PASSWORD}
    headers = {"Forwarded": "for=203.0.113.7;proto=https"}
    async with live(forwarded_allow_ips="10.0.0.1") as client:
        transport = ASGITransport(client.app, client=("10.0.0.1", 1))
        async with AsyncClient(transport=transport, base_url="http://test") as proxy:
            response = await proxy.post("/auth/token", data=form, headers=headers)
            bearer = {"Authorization": f"Bearer {response.json()['access_token']}"}
            listed = (await client.get("/auth/sessions", headers=bearer | headers)).json()

    assert "strict-transport-security" in response.headers
    assert [session["address"] for session in listed["sessions"]] == ["203.0.113.7"]
