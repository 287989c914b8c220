"""Files that are sent: in parts, where one is larger than a service takes as one body."""

from collections.abc import Mapping
from typing import TypeVar

from lamplighter.client.ask import Ask, Repeat
from lamplighter.client.steps import Answer, Call, Kit, Steps, Whole

T = TypeVar("T")

PART_BYTES = 200_000
"""Below what a service takes as one body unless it is told otherwise (256 kB)."""


def upload(method: str, path: str, content: bytes, headers: Mapping[str, str]) -> Call[Answer]:
    """Send a file; the answer to its last part. A part may be sent again: it has the file's key and
    its place. A whole file or its last part may not, for what it does would be done twice."""
    return Whole(lambda kit: _parts(kit, method, path, content, headers))


def _parts(
    kit: Kit, method: str, path: str, content: bytes, headers: Mapping[str, str]
) -> Steps[Answer]:
    sent = {"Content-Type": "application/octet-stream", **headers}
    if len(content) <= PART_BYTES:
        ask = Ask(
            model=bytes,
            method=method,
            path=path,
            content=content,
            headers=sent,
            repeat=Repeat.NEVER,
        )
        return (yield from ask.answered(kit))
    key, answer = kit.new_key(), None
    for start in range(0, len(content), PART_BYTES):
        part = content[start : start + PART_BYTES]
        end = start + len(part) - 1
        ask = Ask(
            model=bytes,
            method=method,
            path=path,
            content=part,
            headers={
                **sent,
                "Content-Range": f"bytes {start}-{end}/{len(content)}",
                "Idempotency-Key": key,
            },
            repeat=Repeat.KEYED if end + 1 < len(content) else Repeat.NEVER,
            key=key,
        )
        answer = yield from ask.answered(kit)
    assert answer is not None  # noqa: S101 - there is at least one part
    return answer


def uploaded(
    model: type[T], method: str, path: str, content: bytes, headers: Mapping[str, str]
) -> Call[T]:
    """Send a file, and read the answer to its last part."""
    return Whole(lambda kit: _read(kit, model, method, path, content, headers))


def _read(
    kit: Kit, model: type[T], method: str, path: str, content: bytes, headers: Mapping[str, str]
) -> Steps[T]:
    answer = yield from _parts(kit, method, path, content, headers)
    return Ask(model=model, path=path).read(answer)
