"""One-time codes: time-based codes (TOTP, RFC 6238), and recovery codes."""

import base64
import secrets
from datetime import datetime

from pyotp import TOTP
from pyotp.exceptions import OTPVerificationError

ISSUER = "fast_zero"
WINDOW = 1  # time steps of 30 seconds that a clock may be ahead or behind
DIGITS = 6
RECOVERY_CODES = 10
RECOVERY_BYTES = 10  # 80 bits cannot be guessed, so a fast hash is enough to store them
GROUP = 4


def new_secret() -> str:
    return base64.b32encode(secrets.token_bytes(20)).decode()  # RFC 4226, section 4: 160 bits


def provisioning_uri(secret: str, account: str) -> str:
    """Return the `otpauth://` URI that an authenticator reads from a QR code."""
    return TOTP(secret).provisioning_uri(name=account, issuer_name=ISSUER)


def matched_step(secret: str, code: str, now: datetime) -> int | None:
    """Return the time step that a code belongs to; None if it matches none within the window."""
    try:
        return TOTP(secret).verify_and_get_timecode(code, for_time=now, valid_window=WINDOW)
    except OTPVerificationError:
        return None


def looks_like_totp(code: str) -> bool:
    return len(code) == DIGITS and code.isascii() and code.isdigit()


def new_recovery_codes() -> list[str]:
    return [new_recovery_code() for _ in range(RECOVERY_CODES)]


def new_recovery_code() -> str:
    letters = base64.b32encode(secrets.token_bytes(RECOVERY_BYTES)).decode().lower()
    return "-".join(letters[at : at + GROUP] for at in range(0, len(letters), GROUP))


def normalized(code: str) -> str:
    """Normalize a code as people type it: any case, with or without spaces and hyphens."""
    return "".join(code.split()).replace("-", "").casefold()
