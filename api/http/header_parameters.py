"""The headers of requests that mean something, as OpenAPI describes them; `@takes` names them."""

from typing import Any

import msgspec


class Header(msgspec.Struct, frozen=True):
    """One header: what it does, how it looks, and whether it has to be there."""

    name: str
    description: str
    example: str
    pattern: str
    required: bool = False

    def parameter(self) -> dict[str, Any]:
        """As a parameter of an operation."""
        return {
            "name": self.name,
            "in": "header",
            "description": self.description,
            "required": self.required,
            "schema": {"type": "string", "pattern": self.pattern},
            "example": self.example,
        }


IDEMPOTENCY_KEY = Header(
    "Idempotency-Key",
    "The same key is the same request for 24 h: a repetition does nothing more, and is answered "
    "as the first. 1 to 255 printable ASCII characters.",
    "7d6f0e5c2b8a4913",
    "^[\\x21-\\x7e]{1,255}$",
)
PREFER = Header(
    "Prefer",
    "`respond-async` answers as soon as the order is stored; `wait=10` waits 10 s for the verdict "
    "at most (RFC 7240).",
    "wait=30",
    "^.{1,200}$",
)
REQUEST_ID = Header(
    "X-Request-ID",
    "Kept with the command as its `correlation_id`, and in the log.",
    "order-4711",
    "^.{1,200}$",
)
IF_MATCH = Header(
    "If-Match",
    "Do it only while it has this revision, as its `ETag` tells it (RFC 9110); `*` is any.",
    '"3"',
    '^("?[1-9][0-9]{0,8}"?|[*])$',
)
IF_MATCH_NEEDED = msgspec.structs.replace(
    IF_MATCH,
    description="The revision that was read, as its `ETag` tells it (RFC 9110).",
    pattern='^"?[1-9][0-9]{0,8}"?$',
    required=True,
)
CONTENT_RANGE = Header(
    "Content-Range",
    "Which part of the file this is, where it is sent in parts: in their order, all with one "
    "`Idempotency-Key`.",
    "bytes 0-199999/1048576",
    "^bytes [0-9]{1,12}-[0-9]{1,12}/[0-9]{1,12}$",
)
