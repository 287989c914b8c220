"""The headers of answers that mean something, as OpenAPI describes them; `Answer` names them.

Those of every answer (`X-Request-ID`) and those that follow from the kind of a problem
(`Retry-After`, `WWW-Authenticate`) are added by themselves.
"""

from collections.abc import Iterable
from typing import Any

import msgspec

_REF = "#/components/headers/{key}"


class ResponseHeader(msgspec.Struct, frozen=True):
    """One header: what it says, how it looks, and whether each such answer has it."""

    name: str
    description: str
    example: str
    always: bool = True

    @property
    def key(self) -> str:
        """Its name among the components: what it says depends on where it is sent."""
        return self.name if self.always else f"{self.name}-sometimes"

    def described(self) -> dict[str, Any]:
        """As a component of the description."""
        return {
            "description": self.description,
            "required": self.always,
            "schema": {"type": "string"},
            "example": self.example,
        }


def sometimes(header: ResponseHeader) -> ResponseHeader:
    """The same where not each answer has it."""
    return msgspec.structs.replace(header, always=False)


def references(headers: Iterable[ResponseHeader]) -> dict[str, Any]:
    """The headers of one answer, by name."""
    return {one.name: {"$ref": _REF.format(key=one.key)} for one in headers}


def components() -> dict[str, Any]:
    """All that an answer may refer to."""
    return {each.key: each.described() for one in ALL for each in (one, sometimes(one))}


REQUEST_ID_BACK = ResponseHeader(
    "X-Request-ID",
    "The id of the request: the one that was sent, or one that was made. It stands in the log.",
    "order-4711",
)
ETAG = ResponseHeader("ETag", "The revision, for `If-Match` (RFC 9110).", '"3"')
LOCATION = ResponseHeader(
    "Location",
    "Where what was made, or the progress of what was begun, is found.",
    "/api/v1/commands/01K7A3VBZG4Q2N8W6E5T1R9YHC",
)
VARY = ResponseHeader("Vary", "The header of the request that the answer depends on.", "Accept")
LINK = ResponseHeader(
    "Link",
    'Of a table: the address of the next page (`rel="next"`, RFC 8288); not of the last one.',
    '</api/v1/devices?format=csv&offset=100>; rel="next"',
    always=False,
)
FILE_NAME = ResponseHeader(
    "Content-Disposition",
    "What to call the file (RFC 6266).",
    'attachment; filename="devices.csv"',
)
PREFERENCE_APPLIED = ResponseHeader(
    "Preference-Applied", "Which wish of `Prefer` was followed (RFC 7240).", "wait=10", always=False
)
REPLAYED = ResponseHeader(
    "Idempotent-Replayed",
    "`true` where the `Idempotency-Key` was seen before: nothing more was done.",
    "true",
    always=False,
)
RETRY_AFTER = ResponseHeader(
    "Retry-After", "The same request may be made again after so many seconds.", "5"
)
AUTHENTICATE = ResponseHeader(
    "WWW-Authenticate", "How to show who asks (RFC 6750).", 'Bearer error="invalid_token"'
)
CACHE_CONTROL = ResponseHeader(
    "Cache-Control",
    "How long it may be kept.",
    "private, max-age=31536000, immutable",
)
ALL = (
    REQUEST_ID_BACK,
    ETAG,
    LOCATION,
    VARY,
    LINK,
    FILE_NAME,
    PREFERENCE_APPLIED,
    REPLAYED,
    RETRY_AFTER,
    AUTHENTICATE,
    CACHE_CONTROL,
)
TABLE = (VARY, LINK, sometimes(FILE_NAME))
"""Of an answer that comes as a table, too."""
