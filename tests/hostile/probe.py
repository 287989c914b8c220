"""Somebody with a token who works while others attack: how long each request takes.

Every request is one on a connection of its own, as from the command line, so that being let in is
measured, too.
"""

import math
import time
from dataclasses import dataclass, field
from pathlib import Path

import trio

from tests.hostile.attacks import DEVICES, RIGHT, request

PATIENCE_S = 5.0
BETWEEN_S = 0.1
PAGE_BYTES = 4096


@dataclass
class Figures:
    """What was seen during one attack."""

    took_s: list[float] = field(default_factory=list)
    failed: int = 0
    descriptors: int = 0
    rss_bytes: int = 0

    def at(self, share: float) -> float:
        """The time within which this share of the requests was answered; infinite for the rest."""
        times = sorted(self.took_s) + [math.inf] * self.failed
        return times[min(len(times) - 1, int(share * len(times)))] if times else math.inf

    def look(self, process_id: int) -> None:
        """Note what the attacked process has open, and its memory (Linux)."""
        folder = Path(f"/proc/{process_id}")
        self.descriptors = max(self.descriptors, sum(1 for _ in (folder / "fd").iterdir()))
        pages = int((folder / "statm").read_text(encoding="ascii").split()[1])
        self.rss_bytes = max(self.rss_bytes, pages * PAGE_BYTES)


async def probe(port: int, process_id: int, seconds: float) -> Figures:
    """Ask for so long."""
    figures = Figures()
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        began = time.monotonic()
        try:
            with trio.fail_after(PATIENCE_S):
                await _ask(port)
            figures.took_s.append(time.monotonic() - began)
        except (OSError, trio.BrokenResourceError, trio.TooSlowError, ValueError):
            figures.failed += 1
        figures.look(process_id)
        await trio.sleep(BETWEEN_S)
    return figures


async def _ask(port: int) -> None:
    async with await trio.open_tcp_stream("127.0.0.1", port) as stream:
        await stream.send_all(request(DEVICES, RIGHT))
        head = await stream.receive_some(65_536)
        if not head.startswith(b"HTTP/1.1 200"):
            raise ValueError("not answered as it should be")
