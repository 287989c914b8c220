"""The baseline in a process of its own, with an environment of its own."""

import os
import subprocess
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

import trio

from tests.bench.process import ROOT, stop
from tests.support.redis_server import free_port

LOCK = Path(__file__).parent / "requirements.lock"
ENVIRONMENT = ROOT / "build" / "bench-baseline"
INSTALL_S = 120.0
START_S = 30.0
LOOK_S = 0.05
TICKS_PER_S = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Baseline:
    """A running baseline."""

    port: int
    pid: int

    async def cpu_s(self) -> float:
        """CPU time of its process until now (Linux), to 10 ms."""
        stat = Path(f"/proc/{self.pid}/stat").read_text()  # noqa: ASYNC240 it is no disk
        fields = stat.rpartition(") ")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS_PER_S


def installed() -> Path:
    """The Python that has what the lock file names; fetched where it is not there yet."""
    python, stamp = ENVIRONMENT / "bin" / "python", ENVIRONMENT / "installed"
    wanted = blake2b(LOCK.read_bytes()).hexdigest()
    if stamp.exists() and stamp.read_text() == wanted:
        return python
    subprocess.run([sys.executable, "-m", "venv", "--clear", ENVIRONMENT], check=True)
    install = ("install", "--quiet", "--disable-pip-version-check", "--no-deps", "--require-hashes")
    subprocess.run([python, "-m", "pip", *install, "-r", LOCK], check=True, timeout=INSTALL_S)
    stamp.write_text(wanted)
    return python


@asynccontextmanager
async def baseline(redis_url: str) -> AsyncGenerator[Baseline, None]:
    """Start it on an empty Redis; it is stopped at the end. One worker, no access log."""
    python = await trio.to_thread.run_sync(installed)
    port = free_port()
    process = _start(python, port, redis_url)
    try:
        with trio.fail_after(START_S):
            await _listening(port)
        yield Baseline(port, process.pid)
    finally:
        with trio.CancelScope(shield=True):
            await trio.to_thread.run_sync(stop, process)


def _start(python: Path, port: int, redis_url: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [
            *(python, "-m", "uvicorn", "tests.bench.baseline.application:application"),
            *("--port", str(port), "--no-access-log", "--log-level", "warning"),
        ],
        cwd=ROOT,
        env=os.environ | {"REDIS_URL": redis_url},
        stdout=subprocess.PIPE,
        text=True,
    )


async def _listening(port: int) -> None:
    while True:
        try:
            async with await trio.open_tcp_stream("127.0.0.1", port):
                return
        except OSError:
            await trio.sleep(LOOK_S)
