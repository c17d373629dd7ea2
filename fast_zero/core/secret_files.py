"""Secrets that lie in files: `SECRET_KEY_FILE=/run/secrets/key` in place of `SECRET_KEY`."""

import os
from pathlib import Path
from typing import Any

from pydantic.fields import FieldInfo
from pydantic_settings import PydanticBaseSettingsSource

from fast_zero.core.errors import StartError

NAMES = (
    "DATABASE_URL",
    "DATABASE_DIRECT_URL",
    "DATABASE_PASSWORD",
    "SECRET_KEY",
    "SECRET_KEY_PREVIOUS",
    "SMTP_URL",
)


class SecretFiles(PydanticBaseSettingsSource):
    """Reads the files that the environment names, but for the line break at their end."""

    def __call__(self) -> dict[str, Any]:
        named = {name: os.environ.get(f"{name}_FILE") for name in NAMES}
        return {name.lower(): read(name, path) for name, path in named.items() if path}

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        raise NotImplementedError  # all are read at once


def read(name: str, path: str) -> str:
    if os.environ.get(name):
        raise StartError(f"{name} and {name}_FILE are both set. Keep one of them.")
    try:
        return Path(path).read_text().removesuffix("\n")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no text"
        raise StartError(f"{name}_FILE: cannot read {path}: {reason}.") from None
