"""Against lost updates: what is changed by whom saw its newest revision (RFC 9110, If-Match).

The comparison is strong (13.1.1): a weak ETag (`W/"3"`) equals no other, so a condition with one
is never met. Proxies that compress answers make strong ETags weak; the `revision` of the body, in
quotes, is the ETag that was meant.
"""

import re

from quart import request

from api.http.problems import EDITED_MEANWHILE, INVALID, REVISION_NEEDED, Problem
from api.validation import Mistake

_ETAG = re.compile(r'(W/)?"([^"]*)"')
_REVISION = re.compile(r"[1-9]\d{0,8}")


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
    """The same; None where the caller names none, or any (`*`). Raises Problem for what is no ETag,
    and for one that no revision of ours has."""
    given = request.headers.get("If-Match")
    if given is None or given.strip() == "*":
        return None
    found = _ETAG.fullmatch(given.strip())
    if found is None:
        raise Problem(INVALID, errors=[Mistake("If-Match", 'must be one ETag, like "3"')])
    weak, tag = found.groups()
    if weak:
        raise Problem(EDITED_MEANWHILE, f'a weak ETag is equal to none: send If-Match: "{tag}"')
    if not _REVISION.fullmatch(tag):
        raise Problem(EDITED_MEANWHILE, "no revision has this ETag")
    return int(tag)
