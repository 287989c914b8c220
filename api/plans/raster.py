"""Width and height of PNG and JPEG, read from their headers: nothing is decoded, so that a small
file which would become a picture of gigabytes is refused for its numbers alone.

Sources: PNG, third edition (W3C), section 5; JPEG, ITU-T T.81, annex B.
"""

import zlib
from typing import NamedTuple

from api.plans.refusal import FileRefused, TooLarge

SIDE_MOST = 16_384
"""Pixels: beyond it browsers draw nothing."""
PIXELS_MOST = 32_000_000
"""Four bytes each in the browser: 128 MB, which a phone still has."""

PNG = b"\x89PNG\r\n\x1a\n"
JPEG = b"\xff\xd8\xff"
_CHUNK = 12
_SOF = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
"""The markers that begin a frame; C4, C8 and CC mean something else."""
_ALONE = frozenset({0x01, *range(0xD0, 0xD9)})
"""Markers without a length."""


class Size(NamedTuple):
    """In pixels."""

    width: int
    height: int


def png_size(content: bytes) -> Size:
    """Of a PNG. Raises FileRefused for a damaged one, TooLarge."""
    head = content[8:33]
    if len(head) < 25 or head[:8] != b"\x00\x00\x00\rIHDR":
        raise FileRefused("is a damaged PNG: its header is missing")
    if zlib.crc32(head[4:21]) != int.from_bytes(head[21:25], "big"):
        raise FileRefused("is a damaged PNG: the checksum of its header is wrong")
    at = 8
    while content[at + 4 : at + 8] != b"IEND":
        at += _CHUNK + int.from_bytes(content[at : at + 4], "big")
        if at + _CHUNK > len(content):
            raise FileRefused("is a damaged PNG: its end is missing")
        if content[at + 4 : at + 8] == b"acTL":
            raise FileRefused("is an animated PNG: a plan stands still")
    return bounded(int.from_bytes(head[8:12], "big"), int.from_bytes(head[12:16], "big"))


def jpeg_size(content: bytes) -> Size:
    """Of a JPEG. Raises FileRefused for a damaged one, TooLarge."""
    at = 2
    while at + 9 <= len(content):
        if content[at] != 0xFF:
            break
        marker = content[at + 1]
        if marker == 0xFF:  # padding
            at += 1
            continue
        if marker in _ALONE:
            at += 2
            continue
        if marker in _SOF:
            if b"\xff\xd9" not in content[-64:]:
                raise FileRefused("is a damaged JPEG: its end is missing")
            height = int.from_bytes(content[at + 5 : at + 7], "big")
            return bounded(int.from_bytes(content[at + 7 : at + 9], "big"), height)
        at += 2 + max(2, int.from_bytes(content[at + 2 : at + 4], "big"))
    raise FileRefused("is a damaged JPEG: it does not tell its size")


def bounded(width: int, height: int) -> Size:
    """This size. Raises FileRefused for none, TooLarge for more than a browser should decode."""
    if width < 1 or height < 1:
        raise FileRefused("has no size")
    if max(width, height) > SIDE_MOST or width * height > PIXELS_MOST:
        raise TooLarge(
            f"has {width} x {height} pixels; a side has {SIDE_MOST} at most, and the whole "
            f"{PIXELS_MOST // 1_000_000} million: save it smaller"
        )
    return Size(width, height)
