"""Any picture that somebody sent: what it is by its content, whether it may be shown, how large."""

import hashlib
from typing import NamedTuple

from actors.board.plan import Picture
from actors.plans.model import PICTURE_BYTES_MOST
from api.plans.raster import JPEG, PNG, Size, jpeg_size, png_size
from api.plans.refusal import TooLarge, UnknownType
from api.plans.svg import sanitised

ENDINGS = {"image/png": "png", "image/jpeg": "jpg", "image/svg+xml": "svg"}
"""Of the names of files, by media type."""
_BOMS = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")
_OTHERS = {
    b"GIF8": "a GIF",
    b"RIFF": "a WebP",
    b"%PDF": "a PDF",
    b"\x1f\x8b": "compressed (an SVGZ, perhaps)",
    b"BM": "a BMP",
    b"II*\x00": "a TIFF",
    b"MM\x00*": "a TIFF",
    b"PK\x03\x04": "an archive",
    b"AC10": "a DWG",
}


class Checked(NamedTuple):
    """A picture as it will be stored, and what was left out of it."""

    picture: Picture
    content: bytes
    left_out: tuple[str, ...] = ()


def checked(content: bytes) -> Checked:
    """What may be stored of this. Raises UnknownType, TooLarge, FileRefused. It takes up to a
    second for a large drawing."""
    if len(content) > PICTURE_BYTES_MOST:
        raise TooLarge(f"has {len(content)} bytes, {PICTURE_BYTES_MOST} at most")
    if content.startswith(PNG):
        return _known("image/png", content, png_size(content))
    if content.startswith(JPEG):
        return _known("image/jpeg", content, jpeg_size(content))
    if content.lstrip()[:1] == b"<" or content.startswith(_BOMS):
        drawing = sanitised(content, raster_size)
        if len(drawing.content) > PICTURE_BYTES_MOST:
            raise TooLarge(f"has {len(drawing.content)} bytes, {PICTURE_BYTES_MOST} at most")
        return _known("image/svg+xml", drawing.content, drawing.size, drawing.left_out)
    what = next((text for magic, text in _OTHERS.items() if content.startswith(magic)), None)
    told = f"is {what} by its content" if what else "is no picture by its content"
    raise UnknownType(f"{told if content else 'is empty'}; send PNG, JPEG or SVG")


def raster_size(content: bytes) -> Size:
    """Of a picture that a drawing embeds. Raises FileRefused."""
    if content.startswith(PNG):
        return png_size(content)
    if content.startswith(JPEG):
        return jpeg_size(content)
    raise UnknownType("embeds something else than PNG or JPEG")


def _known(media_type: str, content: bytes, size: Size, left_out: tuple[str, ...] = ()) -> Checked:
    digest = hashlib.sha256(content).hexdigest()
    picture = Picture(digest, media_type, size.width, size.height, len(content))
    return Checked(picture, content, left_out)
