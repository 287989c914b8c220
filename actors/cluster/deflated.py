"""Long answers on their way from one process to another, deflated (RFC 1950).

A rollout of 50,000 lights is 10 MB as JSON and 0.9 to 1.4 MB deflated, which takes 0.1 s; the loop
goes on meanwhile.
"""

import zlib

import trio

DEFLATED_FROM_BYTES = 4_096
"""Below that it is not worth the trouble."""
INFLATED_BYTES_MOST = 32 * 1024 * 1024
"""50,000 lights that failed, each with its reason."""
SLICE_BYTES = 65_536
"""Between two checkpoints: 1 ms."""


class TooLong(ValueError):
    """An answer has more bytes than one may have, or is none that was deflated."""


async def deflated(body: bytes) -> bytes:
    """The same in fewer bytes. Raises TooLong where `inflated` would refuse it."""
    if len(body) > INFLATED_BYTES_MOST:
        await trio.lowlevel.checkpoint()
        raise TooLong(f"{len(body)} bytes")
    packer, parts = zlib.compressobj(), []
    for start in range(0, len(body), SLICE_BYTES):
        parts.append(packer.compress(body[start : start + SLICE_BYTES]))
        await trio.lowlevel.checkpoint()
    parts.append(packer.flush())
    return b"".join(parts)


async def inflated(data: bytes) -> bytes:
    """What was deflated. Raises TooLong, without having kept more than may be."""
    unpacker, body = zlib.decompressobj(), bytearray()
    try:
        while not unpacker.eof:
            part = unpacker.decompress(data, SLICE_BYTES)
            data = unpacker.unconsumed_tail
            body += part
            if len(body) > INFLATED_BYTES_MOST or not (part or unpacker.eof):
                raise TooLong("it does not end")
            await trio.lowlevel.checkpoint()
    except zlib.error as error:
        raise TooLong(str(error)) from None
    return bytes(body)
