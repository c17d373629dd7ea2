"""Codes that work once: those of a clock (TOTP, RFC 6238), and those kept for a lost device."""

import base64
import secrets
from datetime import datetime

from pyotp import TOTP
from pyotp.exceptions import OTPVerificationError

ISSUER = "fast_zero"
WINDOW = 1  # steps of 30 seconds that a clock may be early or late
DIGITS = 6
RECOVERY_CODES = 10
RECOVERY_BYTES = 10  # 80 bits: too many to guess, so one pass of a hash is enough to store them
GROUP = 4


def new_secret() -> str:
    return base64.b32encode(secrets.token_bytes(20)).decode()  # RFC 4226, section 4: 160 bits


def address(secret: str, account: str) -> str:
    """Give the `otpauth://` address that an authenticator reads from a QR code."""
    return TOTP(secret).provisioning_uri(name=account, issuer_name=ISSUER)


def matched_step(secret: str, code: str, now: datetime) -> int | None:
    """Find the step of the clock that a code belongs to; None where it is of none nearby."""
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
    """Take a code as people type it: in any case, with or without spaces and hyphens."""
    return "".join(code.split()).replace("-", "").casefold()
