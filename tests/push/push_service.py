"""A push service and browsers: what sends to them, and what decrypts what they receive."""

import base64
import json
import re
import secrets
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import http_ece
import jwt
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

LONGEST_LIFETIME = 24 * 60 * 60  # RFC 8292, section 2


def encode(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


def decode(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


class Browser:
    """A subscription of a browser, with its private key."""

    def __init__(self, origin: str = "https://push.example.com") -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.auth = secrets.token_bytes(16)
        self.secret = secrets.token_urlsafe(24)
        self.endpoint = f"{origin}/v1/{self.secret}"

    def subscription(self) -> dict:
        """Return what `JSON.stringify(subscription)` writes in a browser."""
        point = self.key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        keys = {"p256dh": encode(point), "auth": encode(self.auth)}
        return {"endpoint": self.endpoint, "expirationTime": None, "keys": keys}

    def decrypt(self, body: bytes) -> dict:
        return json.loads(
            http_ece.decrypt(body, private_key=self.key, auth_secret=self.auth, version="aes128gcm")
        )


@dataclass
class Push:
    """A request that the push service has received."""

    path: str
    headers: dict[str, str]
    body: bytes

    def claims(self, origin: str) -> tuple[dict, str]:
        """Verify the signature as a push service does; return the claims and the public key."""
        token, key = re.fullmatch(
            r"vapid t=([\w.-]+), k=([\w-]+)", self.headers["Authorization"]
        ).groups()
        public = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), decode(key))
        required = {"require": ["aud", "exp", "sub"]}
        claims = jwt.decode(token, public, ["ES256"], audience=origin, options=required)
        assert claims["exp"] - time.time() <= LONGEST_LIFETIME
        return claims, key


@dataclass
class PushService:
    origin: str = ""
    status: int = 201
    received: list[Push] = field(default_factory=list)

    async def receive(self, request: web.Request) -> web.Response:
        self.received.append(Push(request.path, dict(request.headers), await request.read()))
        return web.Response(status=self.status, headers={"Location": "/elsewhere"})


@asynccontextmanager
async def running() -> AsyncIterator[PushService]:
    """Run a push service on a free port of the loopback interface."""
    service = PushService()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", service.receive)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    service.origin = f"http://{host}:{port}"
    try:
        yield service
    finally:
        await runner.cleanup()
