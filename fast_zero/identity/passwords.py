"""Which passwords are refused."""

from functools import cache
from importlib import resources

from fast_zero.core.errors import Invalid


@cache
def common_passwords() -> frozenset[str]:
    text = resources.files("fast_zero.identity").joinpath("common_passwords.txt").read_text()
    return frozenset(text.split())


def check_password(password: str, min_length: int) -> None:
    """Refuse a password that is too short for this server, or among the most common."""
    if len(password) < min_length:
        raise Invalid(f"The password needs at least {min_length} characters.", "password")
    if password.casefold() in common_passwords():
        raise Invalid("This password is one of the most common ones. Choose another.", "password")
