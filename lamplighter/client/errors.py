"""What can go wrong between a program and a Lamplighter. Every error is a `LamplighterError`.

Pure: an answer becomes an error here, whoever fetched it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lamplighter.client.models import CommandView

TYPE_PREFIX = "urn:lamplighter:problem:"


class LamplighterError(Exception):
    """Any failure; its text is for a person."""


class BadAddress(LamplighterError, ValueError):
    """The address cannot be used; nothing was sent."""


class BadToken(BadAddress):
    """The token cannot be sent."""


class Unanswered(LamplighterError):
    """No answer came in time, or none of a Lamplighter. With `sent` what was asked may have been
    done."""

    def __init__(self, why: str, *, sent: bool = True) -> None:
        super().__init__(why)
        self.sent = sent


class Closed(LamplighterError):
    """The live feed was ended by the service for a reason that only a person can mend."""


class NotVerified(LamplighterError):
    """The light does not show the colour as far as is proven; `command` is the order as it was told
    last."""

    command: "CommandView"


class StillPursued(NotVerified):
    """The time is over, and the order is held, overdue or under way; it is pursued on."""

    def __init__(self, command: "CommandView") -> None:
        why = f": {command.reason}" if command.reason else ""
        late = ", overdue" if command.overdue else ""
        super().__init__(f"not verified yet, but pursued ({command.status}{late}{why})")
        self.command = command


@dataclass(frozen=True, slots=True)
class Mistake:
    """One mistake in what was asked."""

    field: str = ""
    problem: str = ""


class Refused(LamplighterError):
    """The service answered with a problem (RFC 9457).

    `slug` is the end of its type (empty for a problem that is not of Lamplighter, as of a proxy),
    `members` the whole of it, `retry_after_s` what the service asks to wait.
    """

    def __init__(
        self, status: int, members: Mapping[str, Any], retry_after_s: float | None = None
    ) -> None:
        self.status = status
        self.members = dict(members)
        self.retry_after_s = retry_after_s
        kind = str(members.get("type", ""))
        self.slug = kind.removeprefix(TYPE_PREFIX) if kind.startswith(TYPE_PREFIX) else ""
        self.title = str(members.get("title") or f"HTTP {status}")
        self.detail = str(members.get("detail") or "")
        self.request_id = str(members.get("request_id") or "")
        self.mistakes = _mistakes(members.get("errors"))
        told = [f"{one.field} {one.problem}".strip() for one in self.mistakes]
        super().__init__("; ".join(word for word in (self.title, self.detail, *told) if word))


class Invalid(Refused):
    """The request has mistakes, listed in `mistakes` (400, 413, 415, 422, 428)."""


class Unauthenticated(Refused):
    """A valid token is needed (401)."""


class Forbidden(Refused):
    """The token does not allow this (403)."""


class NotFound(Refused):
    """There is no such thing, or it may not be seen (404)."""


class Conflict(Refused):
    """It cannot be done as things are now (409, 410)."""


class EditedMeanwhile(Refused):
    """Somebody else changed it since it was read (412)."""


class RateLimited(Refused):
    """Too many requests (429)."""


class Unavailable(Refused):
    """The service, or what it needs, cannot do it now (5xx)."""


class Ended(Conflict):
    """The command has ended: there is nothing to take back. `command` is its end."""

    command: "CommandView"


class Superseded(Conflict, NotVerified):
    """A newer command took the place of this one."""


class Withdrawn(Conflict, NotVerified):
    """Somebody took the command back."""


class Expired(Conflict, NotVerified):
    """The command's time to live ended first."""


class Rejected(Refused, NotVerified):
    """The network server refused the command for good."""


_BY_SLUG: Mapping[str, type[Refused]] = {
    "superseded": Superseded,
    "withdrawn": Withdrawn,
    "expired": Expired,
    "rejected": Rejected,
    "ended": Ended,
}
_BY_STATUS: Mapping[int, type[Refused]] = {
    400: Invalid,
    401: Unauthenticated,
    403: Forbidden,
    404: NotFound,
    409: Conflict,
    410: Conflict,
    412: EditedMeanwhile,
    413: Invalid,
    415: Invalid,
    422: Invalid,
    428: Invalid,
    429: RateLimited,
}


def refusal(status: int, body: bytes, retry_after: str | None = None) -> Refused:
    """The error for an answer of this status (400 and more) with this body."""
    members = _members(body)
    wait_s = (
        float(retry_after)
        if retry_after and retry_after.isascii() and retry_after.isdigit()
        else None
    )
    slug = str(members.get("type", "")).removeprefix(TYPE_PREFIX)
    kind = (
        _BY_SLUG.get(slug) or _BY_STATUS.get(status) or (Unavailable if status >= 500 else Refused)
    )
    error = kind(status, members, wait_s)
    if isinstance(error, (NotVerified, Ended)):
        import msgspec

        from lamplighter.client.models import CommandView

        try:
            error.command = msgspec.convert(members.get("command"), CommandView)
        except msgspec.ValidationError:
            return Refused(status, members, wait_s)
    return error


def _members(body: bytes) -> dict[str, Any]:
    import msgspec

    try:
        found = msgspec.json.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return {}
    return found if isinstance(found, dict) else {}


def _mistakes(told: object) -> tuple[Mistake, ...]:
    if not isinstance(told, list):
        return ()
    return tuple(
        Mistake(str(one.get("field", "")), str(one.get("problem", "")))
        for one in told
        if isinstance(one, dict)
    )
