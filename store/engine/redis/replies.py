"""How many answers to one process are kept, whether that reads them or not."""

REPLIES_KEPT = 1_024
LARGE_BYTES = 32 * 1024
LARGE_KEPT = 16
"""Of all answers, when a large one comes (2 MiB at most, which takes some 40 ms to write; who waits
for it reads it by its bell). So there are at most 16 x 2 MiB and 1,024 x 32 kB: 64 MiB for each
process that asks, gone a minute after the last."""
REPLY_KEPT_S = 60


def kept_with(message: bytes) -> int:
    """How many of the newest stay when this one comes."""
    return LARGE_KEPT if len(message) > LARGE_BYTES else REPLIES_KEPT
