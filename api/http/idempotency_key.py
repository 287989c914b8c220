"""The `Idempotency-Key` header, read and checked.

The rule it keeps: a key has no space in it, so that keys of our own, which have, are nobody's.
"""

import re

from quart import request

from api.http.problems import INVALID, Problem
from api.validation import Mistake

# As long as a ULID several times over; it is stored with the command.
_KEY = re.compile(r"[\x21-\x7e]{1,255}")


def idempotency_key() -> str | None:
    """The caller's key, None without one. Raises Problem (422) for one that cannot be used."""
    key = request.headers.get("Idempotency-Key")
    if key is not None and not _KEY.fullmatch(key):
        mistake = Mistake("Idempotency-Key", "must be 1 to 255 printable ASCII characters")
        raise Problem(INVALID, errors=[mistake])
    return key
