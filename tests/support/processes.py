"""`lamplighter` as a person runs it: a process of its own, its output in a file, real signals.

A process dies with its owner's `with` block, by its id; every wait has a deadline, and one that
passes shows what the process had said.
"""

import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Self

import trio

from tests.support.preloaded import Child, Preloaded

ROOT = Path(__file__).parents[2]
COMMAND = (sys.executable, "-m", "api.cli")
# Importing everything takes 1 s of CPU; the test machine may be busy with others' tests.
PATIENCE_S = 30.0
LOOK_S = 0.02
"""Between two looks at something that tells nobody when it changes."""


def environment(more: Mapping[str, str] | None = None) -> dict[str, str]:
    """That of the tests, without settings of ours, and wide enough for unbroken lines."""
    own = {k: v for k, v in os.environ.items() if not k.startswith("LAMPLIGHTER_")}
    return own | {"COLUMNS": "200", "NO_COLOR": "1"} | dict(more or {})


_preloaded: list[Preloaded] = []
_seen: dict[str, str] = {}
"""The environment in which its modules were imported."""


def started(
    words: Sequence[str],
    env: Mapping[str, str],
    out: IO[bytes],
    err: IO[bytes],
    root: Path = ROOT,
) -> subprocess.Popen[bytes] | Child:
    """`lamplighter WORDS` in a process of its own, by the code at `root`.

    Its modules were imported before, which saves a second of CPU for each of a hundred processes;
    but not where coverage is measured, nor where the environment is one that imports may look at.
    """
    is_ours = root == ROOT
    if is_ours and not _preloaded and not any(name.startswith("COVERAGE_") for name in env):
        _seen.update(_plain(environment()))
        _preloaded.append(Preloaded(_seen))
    if is_ours and _preloaded and _plain(env) == _seen:
        return _preloaded[0].start(words, env, out, err)
    return subprocess.Popen(
        [*COMMAND, *words], stdin=subprocess.DEVNULL, stdout=out, stderr=err, cwd=root, env=env
    )


def _plain(env: Mapping[str, str]) -> dict[str, str]:
    """Without settings, and without the name of the test, which pytest writes into it."""
    return {k: v for k, v in env.items() if not k.startswith(("LAMPLIGHTER_", "PYTEST_"))}


class Running:
    """One `lamplighter ...` that runs until it is ended. Its output goes to `folder`."""

    def __init__(self, folder: Path, *words: str, env: Mapping[str, str] | None = None) -> None:
        self._words = words
        self._env = environment(env)
        self._out = folder / f"{words[0]}-{time.monotonic_ns()}.out"
        self._err = self._out.with_suffix(".err")
        self.process: subprocess.Popen[bytes] | Child | None = None

    def __enter__(self) -> Self:
        with self._out.open("wb") as out, self._err.open("wb") as err:
            self.process = started(self._words, self._env, out, err)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.kill()

    @property
    def output(self) -> str:
        """What it wrote to standard output so far."""
        return self._out.read_text(encoding="utf-8")

    @property
    def errors(self) -> str:
        """What it wrote to standard error so far."""
        return self._err.read_text(encoding="utf-8")

    def wait_output(self, pattern: str, timeout_s: float = PATIENCE_S) -> re.Match[str]:
        """Wait until standard output has this."""
        until = time.monotonic() + timeout_s
        while (found := re.search(pattern, self.output)) is None:
            assert self._running.poll() is None, f"it ended: {self.output}{self.errors}"
            assert time.monotonic() < until, f"no {pattern!r} in {self.output!r}"
            time.sleep(LOOK_S)
        return found

    def send(self, number: signal.Signals) -> None:
        """Send it a signal."""
        self._running.send_signal(number)

    def ended(self, timeout_s: float) -> int:
        """Wait for its end; the exit code, or the signal's number below zero."""
        try:
            return self._running.wait(timeout_s)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"it did not end: {self.output}{self.errors}") from None

    async def until_ended(self, timeout_s: float) -> int:
        """The same for an asynchronous test, whose pretend servers go on meanwhile."""
        return await trio.to_thread.run_sync(self.ended, timeout_s)

    def kill(self) -> None:
        """SIGKILL: no goodbye, no last write. Nothing happens when it ended already."""
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait(PATIENCE_S)

    @property
    def _running(self) -> subprocess.Popen[bytes] | Child:
        assert self.process is not None
        return self.process


def run(*words: str, env: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """One `lamplighter ...` that ends by itself. Raises `subprocess.TimeoutExpired`."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        process = started(words, environment(env), out, err)
        try:
            code = process.wait(PATIENCE_S)
        finally:
            process.kill()
        said = [_all_of(file) for file in (out, err)]
    return subprocess.CompletedProcess([*COMMAND, *words], code, *said)


def _all_of(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read().decode("utf-8")


async def run_meanwhile(
    *words: str, env: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """The same for an asynchronous test, whose pretend servers go on meanwhile."""
    return await trio.to_thread.run_sync(lambda: run(*words, env=env))
