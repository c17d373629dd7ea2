"""The key pair that identifies this server to push services (RFC 8292)."""

import base64
from datetime import datetime, timedelta
from email.utils import parseaddr
from urllib.parse import urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from fast_zero.core import security
from fast_zero.core.settings import Settings

CURVE = ec.SECP256R1()
ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
LIFETIME = timedelta(hours=12)  # section 2 allows 24


def private_key(settings: Settings) -> ec.EllipticCurvePrivateKey:
    """Return VAPID_PRIVATE_KEY, or else a key that is derived from SECRET_KEY."""
    if settings.vapid_private_key:
        secret = decode(settings.vapid_private_key.get_secret_value())
    else:
        secret = security.derived_secret(settings.signing_keys()[0], "VAPID")
    return ec.derive_private_key(int.from_bytes(secret) % ORDER, CURVE)


def public_key(settings: Settings) -> str:
    """Return the public key as browsers expect it: an uncompressed point in base64url."""
    point = private_key(settings).public_key()
    return encode(point.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint))


def authorization(settings: Settings, endpoint: str, now: datetime) -> str:
    """Return the header that proves to a push service who sends (section 3)."""
    url = urlsplit(endpoint)
    claims = {
        "aud": f"{url.scheme}://{url.netloc}",
        "exp": now + LIFETIME,
        "sub": contact(settings),
    }
    token = jwt.encode(claims, private_key(settings), "ES256")
    return f"vapid t={token}, k={public_key(settings)}"


def contact(settings: Settings) -> str:
    """Return where the operator of a push service can reach ours (section 2.1)."""
    if settings.public_url.startswith("https://"):
        return settings.public_url
    return "mailto:" + parseaddr(settings.mail_from)[1]


def is_point(encoded: bytes) -> bool:
    """Return whether these bytes are an uncompressed point of the curve."""
    if not encoded.startswith(b"\x04"):
        return False
    try:
        ec.EllipticCurvePublicKey.from_encoded_point(CURVE, encoded)
    except ValueError:
        return False
    return True


def encode(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


def decode(text: str) -> bytes:
    return base64.urlsafe_b64decode(text.rstrip("=") + "=" * (-len(text.rstrip("=")) % 4))
