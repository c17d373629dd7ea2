"""The format of a personal access token: `fzp_`, a random part, and a checksum.

With prefix and checksum, secret scanners can detect a leaked token without false positives.
"""

import string
import zlib

PREFIX = "fzp_"
ALPHABET = string.ascii_letters + string.digits
RANDOM_LENGTH = 32  # 190 bits
CHECKSUM_LENGTH = 6  # a CRC-32 in base 62


def token_of(secret: bytes) -> str:
    """Format a random secret of 32 bytes as a token."""
    random = base62(int.from_bytes(secret), RANDOM_LENGTH)
    return PREFIX + random + checksum(random)


def is_well_formed(token: str) -> bool:
    """Check prefix, length and checksum, before the database is queried."""
    random = token[len(PREFIX) : -CHECKSUM_LENGTH]
    return (
        token.startswith(PREFIX)
        and len(random) == RANDOM_LENGTH
        and random.isascii()
        and token[-CHECKSUM_LENGTH:] == checksum(random)
    )


def checksum(random: str) -> str:
    return base62(zlib.crc32(random.encode()), CHECKSUM_LENGTH)


def base62(number: int, length: int) -> str:
    """Write the last `length` digits of a number in base 62."""
    letters = ""
    for _ in range(length):
        number, digit = divmod(number, len(ALPHABET))
        letters = ALPHABET[digit] + letters
    return letters
