"""Against lost updates: what is changed by whom saw its newest revision (RFC 9110, If-Match)."""

import re

from quart import request

from api.http.problems import INVALID, REVISION_NEEDED, Problem
from api.validation import Mistake

_ETAG = re.compile(r'"?([1-9]\d{0,8})"?')


def etag(revision: int) -> str:
    """The `ETag` of this revision."""
    return f'"{revision}"'


def revision_of() -> int:
    """The revision that the caller saw. Raises Problem without one."""
    revision = revision_or_any()
    if revision is None:
        raise Problem(REVISION_NEEDED, "send its ETag as If-Match")
    return revision


def revision_or_any() -> int | None:
    """The same; None where the caller names none, or any (`*`)."""
    given = request.headers.get("If-Match")
    if given is None or given.strip() == "*":
        return None
    found = _ETAG.fullmatch(given.strip())
    if found is None:
        raise Problem(INVALID, errors=[Mistake("If-Match", "must be one ETag, as of the answer")])
    return int(found[1])
