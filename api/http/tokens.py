"""What a token looks like, in clear and as it may be stored.

A token that we make has 256 bits of chance behind a prefix by which people and scanners of
repositories know it. Its SHA-256 may stand in the settings in its place. A slow hash (scrypt,
argon2) would cost tens of milliseconds and megabytes a request, and protects only what can be
guessed; of 256 bits nothing can. So that nobody stores the quick hash of a word that they thought
of, a hash is matched by tokens of our own making alone. Pure.
"""

import base64
import hashlib
import re

MADE_PREFIX = "lmp_"
RANDOM_BYTES = 32
HASH_PREFIX = "sha256:"
DIGITS_LEAST = 8
"""Different hexadecimal digits in a hash: of 64 at random fewer come once in 10^13 times or more
rarely; a placeholder has one or two."""

# What an HTTP header and a websocket subprotocol can both carry, long enough to resist guessing:
# 24 characters of base64 are 144 bits.
_TOKEN = re.compile(r"[A-Za-z0-9._~-]{24,200}")
_MADE = re.compile(re.escape(MADE_PREFIX) + r"[A-Za-z0-9_-]{43}")
_HASH = re.compile(r"[0-9a-f]{64}")
_SCHEME = re.compile(r"([A-Za-z0-9-]+):.*", re.DOTALL)


def token_from(random: bytes) -> str:
    """A token of our making, from 32 bytes of a cryptographic random source."""
    if len(random) != RANDOM_BYTES:
        raise ValueError(f"a token takes {RANDOM_BYTES} random bytes")
    return MADE_PREFIX + base64.urlsafe_b64encode(random).decode().rstrip("=")


def digest_of(token: str) -> bytes:
    """By which a token is known."""
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).digest()


def hash_of(token: str) -> str:
    """As a token of our making may stand in the settings."""
    return HASH_PREFIX + digest_of(token).hex()


def is_hash(written: str) -> bool:
    """Whether this stands for a token that is not written down itself."""
    return written.startswith(HASH_PREFIX)


def is_made(token: str) -> bool:
    """Whether it has the form of a token of our making."""
    return _MADE.fullmatch(token) is not None


def written_digest(written: str) -> bytes:
    """The digest of what stands in the settings, which `problem_of` found nothing wrong with."""
    if is_hash(written):
        return bytes.fromhex(written.removeprefix(HASH_PREFIX))
    return digest_of(written)


def problem_of(written: str) -> str:
    """What is wrong with a token as it stands in the settings, to follow its name; empty if
    nothing is. It is not repeated."""
    if is_hash(written):
        digits = written.removeprefix(HASH_PREFIX)
        if not _HASH.fullmatch(digits):
            return "has to have 64 hexadecimal digits (0-9 a-f) behind `sha256:`"
        if len(set(digits)) < DIGITS_LEAST:
            return "is no hash of a token: make one with `lamplighter token new`"
        return ""
    if _SCHEME.fullmatch(written):
        return "is hashed in a way that is not known: only `sha256:` is, of `lamplighter token new`"
    if not _TOKEN.fullmatch(written):
        return "has to have 24 to 200 characters of A-Z a-z 0-9 . _ ~ -"
    return ""
