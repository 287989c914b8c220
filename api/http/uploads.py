"""Files that are sent whole, or in parts by `Content-Range` where they are larger than a body.

A part names its place (RFC 9110, 14.5); parts come in their order, all with the same
`Idempotency-Key`, which tells one upload from another.
"""

import re

from quart import request

from actors.plans.uploads import Full, Part, Received, Uploads
from api.http.problems import (
    BODY_TOO_LARGE,
    CONFLICT,
    INVALID,
    TOO_MANY_UPLOADS,
    Problem,
)
from api.http.requests import idempotency_key, read_bytes
from api.http.services import application
from api.models.plans import UploadView
from api.validation import Mistake

_RANGE = re.compile(r"bytes (\d{1,12})-(\d{1,12})/(\d{1,12})")


async def read_file(uploads: Uploads, most: int) -> bytes | UploadView:
    """The whole file, or how much came of it so far.

    Raises Problem: a range that cannot be (422), too large (413), a part out of order (409), as
    many uploads as may be (503).
    """
    content = await read_bytes()
    given = request.headers.get("Content-Range")
    if given is None:
        return content
    part = _part(given, content, most)
    key = idempotency_key()
    if key is None:
        raise _mistake("Idempotency-Key", "is needed with Content-Range: one for all parts")
    outcome = uploads.add(f"{request.path} {key}", part, application().clock.steady())
    match outcome:
        case bytes():
            return outcome
        case Full():
            raise Problem(TOO_MANY_UPLOADS, "nothing was stored")
        case Received(size):
            if size != part.start + len(content):
                raise Problem(
                    CONFLICT,
                    f"the next part begins at byte {size}",
                    members={"received_bytes": size},
                )
            return UploadView(size, part.total)


def _part(given: str, content: bytes, most: int) -> Part:
    found = _RANGE.fullmatch(given.strip())
    if found is None:
        raise _mistake("Content-Range", "must be like bytes 0-262143/1048576")
    start, last, total = map(int, found.groups())
    if last - start + 1 != len(content) or last >= total:
        raise _mistake("Content-Range", "does not fit the length of the body")
    if total > most:
        raise Problem(BODY_TOO_LARGE, f"the file has {total} bytes, {most} at most")
    return Part(start, total, content)


def _mistake(name: str, what: str) -> Problem:
    return Problem(INVALID, errors=[Mistake(name, what)])
