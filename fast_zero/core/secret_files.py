"""Secrets in files: `SECRET_KEY_FILE=/run/secrets/key` instead of `SECRET_KEY`."""

import os
from pathlib import Path

from fast_zero.core.errors import StartError

NAMES = (
    "DATABASE_URL",
    "DATABASE_DIRECT_URL",
    "DATABASE_READ_URL",
    "DATABASE_PASSWORD",
    "SECRET_KEY",
    "SECRET_KEY_PREVIOUS",
    "SMTP_URL",
    "VAPID_PRIVATE_KEY",
)


def read_all() -> dict[str, str]:
    """Read the files that the environment names, without the line break at the end."""
    named = {name: os.environ.get(f"{name}_FILE") for name in NAMES}
    return {name.lower(): read(name, path) for name, path in named.items() if path}


def read(name: str, path: str) -> str:
    if os.environ.get(name):
        raise StartError(f"{name} and {name}_FILE are both set. Keep one of them.")
    try:
        return Path(path).read_text().removesuffix("\n")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not text"
        raise StartError(f"{name}_FILE: cannot read {path}: {reason}.") from None
