"""Sends a push to a push service (RFC 8030).

For use in jobs only, which import it with their first push: its libraries take a quarter of a
second and 12 MiB. Of pywebpush only the encryption is used, since its requests follow redirects.
"""

import socket
from collections.abc import Mapping
from datetime import UTC, datetime
from http import HTTPStatus

import aiohttp
from opentelemetry.trace import SpanKind
from pywebpush import WebPusher

from fast_zero.core.database import AnyRow
from fast_zero.core.jobs import JobError, PermanentFailure
from fast_zero.core.observability.spans import span
from fast_zero.core.settings import Settings
from fast_zero.push import networks, vapid
from fast_zero.push.messages import Message

TIMEOUT_SECONDS = 10
TTL_SECONDS = 24 * 60 * 60  # how long the push service waits for the browser
GONE = {HTTPStatus.NOT_FOUND, HTTPStatus.GONE}  # RFC 8030, section 7.3
TEMPORARY = {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS}
PRIVATE = "the address of the push service is not public"


class PrivateAddress(OSError):
    """A connection to an address that is not public was refused."""


async def send(settings: Settings, to: AnyRow, message: Message) -> bool:
    """Send a push. Returns whether the push service still knows the subscription.

    The errors do not contain the endpoint, since they are logged.
    """
    if not (settings.push_private_networks or networks.is_public_url(to.endpoint)):
        raise PermanentFailure(PRIVATE)
    keys = {"p256dh": to.p256dh, "auth": to.auth}
    pusher = WebPusher({"endpoint": to.endpoint, "keys": keys})
    headers = {
        "Authorization": vapid.authorization(settings, to.endpoint, datetime.now(UTC)),
        "Content-Encoding": "aes128gcm",
        "Content-Type": "application/octet-stream",
        "TTL": str(TTL_SECONDS),
        "Urgency": message.urgency,
        "Topic": message.topic,
    }
    with span("send a push", SpanKind.CLIENT, {"network.protocol.name": "http"}):
        status = await post(settings, to.endpoint, pusher.encode(message.payload)["body"], headers)
    if status in GONE:
        return False
    if status in TEMPORARY or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        raise JobError(f"the push service replied with {status}")
    if not HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
        raise PermanentFailure(f"the push service refused the push with {status}")
    return True


async def post(settings: Settings, url: str, body: bytes, headers: Mapping[str, str]) -> int:
    """Send a request and return the status of the response, whose body is not read."""
    connector = aiohttp.TCPConnector(
        socket_factory=None if settings.push_private_networks else open_public_socket
    )
    timeout = aiohttp.ClientTimeout(total=TIMEOUT_SECONDS)
    try:
        async with (
            aiohttp.ClientSession(connector=connector, timeout=timeout) as client,
            client.post(url, data=body, headers=headers, allow_redirects=False) as response,
        ):
            return response.status
    except aiohttp.ClientConnectorError as error:
        if isinstance(error.os_error, PrivateAddress):
            raise PermanentFailure(PRIVATE) from None
        raise JobError("cannot connect to the push service") from None
    except (aiohttp.ClientError, OSError) as error:  # a timeout is an OSError
        raise JobError(f"cannot reach the push service: {type(error).__name__}") from None


def open_public_socket(found: aiohttp.AddrInfoType) -> socket.socket:
    """Open a socket for an address to connect to, so that no later look-up can replace it."""
    family, kind, protocol, _, address = found
    if not networks.is_public_address(str(address[0])):
        raise PrivateAddress(PRIVATE)
    return socket.socket(family, kind, protocol)
