"""Files that come in parts, put together in memory until their last part is there.

A body is small on purpose (`web.body_bytes_most`), and what one process carries to another smaller
than a picture: so a larger file is sent in parts, in their order, as `Content-Range` counts them.
Pure: the time is an argument.
"""

from dataclasses import dataclass, field

IDLE_S = 60.0
"""An upload of which nothing came for so long is given up."""
UPLOADS_MOST = 4
BYTES_MOST = 40 * 1024 * 1024
"""Of all uploads together: one import of everything, and a few pictures."""


@dataclass(frozen=True, slots=True)
class Part:
    """Bytes `start` to `start + len(content)` of `total`."""

    start: int
    total: int
    content: bytes = field(repr=False)


@dataclass(slots=True)
class _Upload:
    total: int
    at: float
    content: bytearray = field(default_factory=bytearray)


@dataclass(frozen=True, slots=True)
class Received:
    """So much came of it; the next part begins there."""

    size: int


@dataclass(frozen=True, slots=True)
class Full:
    """As many uploads as may be are under way."""


class Uploads:
    """By a key of the sender's."""

    def __init__(self) -> None:
        self._uploads: dict[str, _Upload] = {}

    def add(self, key: str, part: Part, now: float) -> bytes | Received | Full:
        """Take a part; the whole once it is there. A first part begins anew; one that does not go
        on where the last one ended changes nothing, and is told where to go on."""
        for name, one in list(self._uploads.items()):
            if now - one.at > IDLE_S or now < one.at - IDLE_S:
                del self._uploads[name]
        if part.start == 0:
            self._uploads.pop(key, None)
            held = sum(one.total for one in self._uploads.values())
            if len(self._uploads) >= UPLOADS_MOST or held + part.total > BYTES_MOST:
                return Full()
            self._uploads[key] = _Upload(part.total, now)
        upload = self._uploads.get(key)
        if upload is None:
            return Received(0)
        if part.total != upload.total or part.start != len(upload.content):
            return Received(len(upload.content))
        upload.at = now
        upload.content += part.content
        if len(upload.content) < upload.total:
            return Received(len(upload.content))
        del self._uploads[key]
        return bytes(upload.content)
