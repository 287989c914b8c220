"""The command: `python -m tests.bench [NAME ...] [--rounds N] [--json FILE]`.

One bench after another, each in a folder of its own that is deleted afterwards, each bounded in
time; rounds lie apart, so that a noisy minute is not all that a bench saw; one that fails does not
take the others along, but the exit code tells.
"""

import argparse
import os
import platform
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import trio
from rich.console import Console

from tests.bench import across, commands, engine, memory, start, stream, verdicts, webhooks
from tests.bench.baseline import compared
from tests.bench.figures import Figure, as_json, medians, show

Bench = Callable[[Path], Awaitable[list[Figure]]]
BENCHES: dict[str, Bench] = {
    "webhooks": webhooks.measure,
    "stream": stream.measure,
    "verdicts": verdicts.measure,
    "memory": memory.measure,
    "start": start.measure,
    "commands": commands.measure,
    "across": across.measure,
    "engine": engine.measure,
    "baseline": compared.measure,
}
ALL = [name for name in BENCHES if name != "baseline"]
"""That one fetches packages, and is for those who name it."""
TIMEOUT_S = 600.0
ROUNDS = 2
"""Two rounds of all are about five minutes on two cores."""
FILE_COLUMNS = 140
SYNCS = 50


def main() -> int:
    """Run the benches that were named, or all; the exit code."""
    parser = argparse.ArgumentParser("python -m tests.bench", description="Measure Lamplighter.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(BENCHES))
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there, too")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="of all; medians are shown")
    options = parser.parse_args()
    if unknown := sorted(set(options.names) - BENCHES.keys()):
        parser.error(f"unknown: {', '.join(unknown)}; known: {', '.join(BENCHES)}")
    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = FILE_COLUMNS
    with tempfile.TemporaryDirectory(prefix="lamplighter-bench-") as folder:
        machine = describe(Path(folder))
        console.print(", ".join(f"{name} {value}" for name, value in machine.items()))
        figures: list[Figure] = []
        failed: list[str] = []
        for name in (options.names or ALL) * options.rounds:
            began = time.perf_counter()
            found = trio.run(run_one, name, Path(folder), console)
            figures += found
            if not found:
                failed.append(name)
            console.print(f"{name}: {time.perf_counter() - began:.0f} s")
    found = medians(figures)
    show(found, console)
    if options.json is not None:
        options.json.write_bytes(as_json(machine, found))
    return 1 if failed else 0


async def run_one(name: str, parent: Path, console: Console) -> list[Figure]:
    """The figures of one bench; none when it failed, which is told."""
    with tempfile.TemporaryDirectory(prefix=f"{name}-", dir=parent) as folder:
        try:
            with trio.fail_after(TIMEOUT_S):
                return await BENCHES[name](Path(folder))
        except Exception:  # noqa: BLE001 the other benches are to run all the same
            console.print_exception()
            return []


def describe(folder: Path) -> dict[str, Any]:
    """What the figures were measured on."""
    return {
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "cores": len(os.sched_getaffinity(0)),
        "load": round(os.getloadavg()[0], 2),
        "fsync_ms": round(_fsync_ms(folder), 2),
    }


def _fsync_ms(folder: Path) -> float:
    """The median of some small appends made durable: what no commit can be quicker than."""
    took = []
    with (folder / "sync").open("wb", buffering=0) as file:
        for _ in range(SYNCS):
            began = time.perf_counter()
            file.write(bytes(4096))
            os.fdatasync(file.fileno())
            took.append(time.perf_counter() - began)
    return sorted(took)[SYNCS // 2] * 1e3


if __name__ == "__main__":
    sys.exit(main())
