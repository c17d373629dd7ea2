"""How a personal access token looks: `fzp_`, a random part, and a checksum.

The prefix and the checksum let a scanner find a leaked one among other text, and be sure.
"""

import string
import zlib

PREFIX = "fzp_"
ALPHABET = string.ascii_letters + string.digits
RANDOM_LENGTH = 32  # 190 bits
CHECKSUM_LENGTH = 6  # a CRC-32 in base 62


def token_of(secret: bytes) -> str:
    """Write a random secret of 32 bytes as a token."""
    random = in_letters(int.from_bytes(secret), RANDOM_LENGTH)
    return PREFIX + random + checksum(random)


def is_well_formed(token: str) -> bool:
    """Tell a token from a mistyped one, without asking the database."""
    random = token[len(PREFIX) : -CHECKSUM_LENGTH]
    return (
        token.startswith(PREFIX)
        and len(random) == RANDOM_LENGTH
        and random.isascii()
        and token[-CHECKSUM_LENGTH:] == checksum(random)
    )


def checksum(random: str) -> str:
    return in_letters(zlib.crc32(random.encode()), CHECKSUM_LENGTH)


def in_letters(number: int, length: int) -> str:
    """Write the last digits of a number in base 62."""
    letters = ""
    for _ in range(length):
        number, digit = divmod(number, len(ALPHABET))
        letters = ALPHABET[digit] + letters
    return letters
