"""What goes wrong between the command line and a service, as messages that say what to do.

Pure. Every error knows its exit code, so no verb decides about it again.
"""

from collections.abc import Mapping
from typing import Any

from api.cli.exits import Exit
from lamplighter.client import errors as client


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


def in_our_words(error: client.LamplighterError) -> ClientError:
    """The error of the client as the command line tells it."""
    match error:
        case client.Refused():
            return _refused(error)
        case client.Unanswered(sent=False):
            return Unanswered(f"{error}; is it running, and is --at right?")
        case client.BadAddress():
            return Mistaken(f"--at: {error}")
        case client.Closed():
            closed = ClientError(str(error))
            closed.exit = Exit.MISTAKE
            return closed
        case _:
            return Unanswered(str(error))


def _refused(error: client.Refused) -> Refused:
    words = [str(error)]
    if error.slug in _REMEDY:
        words.append(_REMEDY[error.slug])
    if error.retry_after_s is not None:
        words.append(f"try again in {error.retry_after_s:g} s")
    if error.status >= 500 and error.request_id:
        words.append(f"request id {error.request_id}")
    return Refused(error.status, error.slug, "; ".join(words), error.members)
