"""Processes of the benches: Python modules of this package that answer on their standard output.

The function that starts one ends it, by its own handle, within a deadline.
"""

import subprocess
import sys
from pathlib import Path
from typing import IO

ROOT = Path(__file__).parents[2]
STOP_TIMEOUT_S = 40.0
PAGE_BYTES = 4096


def start(module: str, *arguments: str) -> "subprocess.Popen[str]":
    """A Python process of ours, whose standard output is read by us."""
    return subprocess.Popen(
        [sys.executable, "-m", module, *arguments], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )


def read_line(process: "subprocess.Popen[str]") -> str:
    """One line that it printed. Raises RuntimeError when it ended instead."""
    line = output(process).readline()
    if not line:
        raise RuntimeError(f"the process ended with {process.wait()} before it answered")
    return line


def output(process: "subprocess.Popen[str]") -> IO[str]:
    """Its standard output."""
    assert process.stdout is not None
    return process.stdout


def stop(process: "subprocess.Popen[str]") -> None:
    """End it politely, and if that takes too long, not."""
    process.terminate()
    try:
        process.wait(STOP_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(STOP_TIMEOUT_S)
    output(process).close()


def rss_bytes() -> int:
    """Resident memory of this process (Linux)."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * PAGE_BYTES
