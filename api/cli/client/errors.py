"""What goes wrong between the command line and a service, as messages that say what to do.

Pure. Every error knows its exit code, so no verb decides about it again.
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from api.cli.exits import Exit

TYPE_PREFIX = "urn:lamplighter:problem:"


class ClientError(Exception):
    """Ends the verb; its text is for the person."""

    exit: Exit = Exit.FAILED


class Unanswered(ClientError):
    """The service gave no answer, or none of its own."""


class Mistaken(ClientError):
    """The person's words make no sense here."""

    exit = Exit.MISTAKE


class Refused(ClientError):
    """The service answered with a problem (RFC 9457).

    `slug` is the end of its type, empty for a problem that is not one of ours; `members` is the
    whole problem.
    """

    def __init__(self, status: int, slug: str, text: str, members: Mapping[str, Any]) -> None:
        super().__init__(text)
        self.status = status
        self.slug = slug
        self.members = members
        self.exit = Exit.MISTAKE if 400 <= status < 500 and status not in LATER else Exit.FAILED


LATER = frozenset({408, 425, 429})
"""Nobody's mistake: the same request may succeed later."""

_REMEDY = {
    "unauthenticated": "give the service's token with --token or LAMPLIGHTER_TOKEN",
    "forbidden": "this needs a token of scope operator; a viewer's may only look",
    "wrong-host": "use the name that the service knows, or add yours to web.hosts there",
    "unknown-device": "`lamplighter devices` lists the lights",
    "parked": "its actor crashed too often; see `lamplighter device`",
    "stopping": "try again in some seconds",
}


def refusal(status: int, body: bytes, retry_after: str | None = None) -> Refused:
    """The error for an answer of `status` with this body."""
    members = _members(body)
    slug = str(members.get("type", "")).removeprefix(TYPE_PREFIX) if members else ""
    if slug.startswith("about:"):
        slug = ""
    title = str(members.get("title") or f"HTTP {status}")
    words = [title]
    if detail := members.get("detail"):
        words.append(str(detail))
    errors: Any = members.get("errors")
    mistakes = [each for each in errors or () if isinstance(each, dict)]
    words += [f"{each.get('field')} {each.get('problem')}" for each in mistakes]
    if slug in _REMEDY:
        words.append(_REMEDY[slug])
    if retry_after and retry_after.isdigit():
        words.append(f"try again in {retry_after} s")
    if status >= 500 and (request_id := members.get("request_id")):
        words.append(f"request id {request_id}")
    return Refused(status, slug, "; ".join(words), members)


def _members(body: bytes) -> dict[str, Any]:
    try:
        found = msgspec.json.decode(body)
    except msgspec.MsgspecError:
        return {}
    return found if isinstance(found, dict) else {}
