"""Pictures made by hand, byte by byte: what a test needs and no more."""

import struct
import zlib

SVG = (
    b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 400 300">'
    b'<rect width="9" height="9"/></svg>'
)


def chunk(kind: bytes, content: bytes) -> bytes:
    """A chunk of a PNG."""
    length, check = len(content), zlib.crc32(kind + content)
    return struct.pack(">I", length) + kind + content + struct.pack(">I", check)


def png(width: int = 4, height: int = 3, *more: bytes) -> bytes:
    """A grey PNG; of a large one the pixels are missing, which its header does not tell."""
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    rows = (b"\0" + b"\x80" * width) * height if width * height < 10_000 else b""
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + b"".join(more)
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )


def jpeg(width: int = 4, height: int = 3) -> bytes:
    """The markers of a JPEG, without its pixels."""
    app0 = b"\xff\xe0\x00\x10JFIF\0" + bytes(9)
    frame = b"\xff\xc0\x00\x0b\x08" + struct.pack(">HH", height, width) + b"\x01\x01\x11\x00"
    scan = b"\xff\xda\x00\x08\x01\x01\x00\x00\x3f\x00" + bytes(20)
    return b"\xff\xd8" + app0 + frame + scan + b"\xff\xd9"


def svg(inner: str, attributes: str = 'viewBox="0 0 400 300"') -> bytes:
    """A drawing with this in it."""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '
        f"{attributes}>{inner}</svg>"
    ).encode()
