"""All attacks, one after the other, and a table of what somebody with a token noticed of them.

python -m tests.hostile [SECONDS] [PART OF A NAME]
"""

import sys

import trio

from tests.bench.process import read_line, start, stop
from tests.hostile.attacks import ATTACKS
from tests.hostile.probe import Figures, probe

SECONDS = 8.0
SETTLE_S = 1.0


def measure(name: str | None, seconds: float) -> Figures:
    """One attack on a server of its own; None is a quiet time."""
    served = start("tests.hostile.served")
    try:
        port = int(read_line(served))
        attacker = None
        if name is not None:
            attacker = start("tests.hostile.attacks", name, str(port), str(seconds + 2 * SETTLE_S))
            read_line(attacker)
        try:
            trio.run(trio.sleep, SETTLE_S)
            return trio.run(probe, port, served.pid, seconds)
        finally:
            if attacker is not None:
                stop(attacker)
    finally:
        stop(served)


def main() -> None:
    """Print the table."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else SECONDS
    wanted = sys.argv[2] if len(sys.argv) > 2 else ""
    sys.stdout.write(
        f"{'attack':<42} {'p50 ms':>8} {'p99 ms':>8} {'most ms':>8} {'failed':>9} "
        f"{'files':>6} {'MB':>5}\n"
    )
    for name in (None, *(one for one in ATTACKS if wanted in one)):
        found = measure(name, seconds)
        asked = len(found.took_s) + found.failed
        sys.stdout.write(
            f"{name or 'none':<42} {found.at(0.5) * 1000:8.0f} {found.at(0.99) * 1000:8.0f} "
            f"{found.at(1.0) * 1000:8.0f} {found.failed:>4}/{asked:<4} "
            f"{found.descriptors:6} {found.rss_bytes / 1e6:5.0f}\n"
        )
        sys.stdout.flush()


if __name__ == "__main__":
    main()
