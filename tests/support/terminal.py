"""`lamplighter` on a terminal: a person who reads its questions and types answers."""

import os
import pty
import re
import select
import signal
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.support.processes import COMMAND, PATIENCE_S, ROOT, environment


class Terminal:
    """One verb whose input and errors are a terminal; its results go to a file, as by `>`."""

    def __init__(self, folder: Path, *words: str, env: Mapping[str, str] | None = None) -> None:
        self._words = words
        self._env = environment(env)
        self._results = folder / "results.out"
        self._seen = ""
        self._read_to = 0
        self.keystrokes = 0

    def __enter__(self) -> Self:
        self._mine, theirs = pty.openpty()
        with self._results.open("wb") as results:
            self.process = subprocess.Popen(
                [*COMMAND, *self._words],
                stdin=theirs,
                stdout=results,
                stderr=theirs,
                cwd=ROOT,
                env=self._env,
                start_new_session=True,  # so that nobody asks the terminal of the tests instead
            )
        os.close(theirs)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait(PATIENCE_S)
        os.close(self._mine)

    @property
    def screen(self) -> str:
        """All that was shown."""
        return self._seen

    @property
    def results(self) -> str:
        """What went to standard output."""
        return self._results.read_text(encoding="utf-8")

    def asked(self, pattern: str) -> None:
        """Wait until this is shown, behind what was waited for before."""
        until = time.monotonic() + PATIENCE_S
        while (found := re.search(pattern, self._seen[self._read_to :])) is None:
            assert time.monotonic() < until, f"no {pattern!r} in {self._seen!r}"
            assert self._more() or self.process.poll() is None, f"it ended: {self._seen!r}"
        self._read_to += found.end()

    def types(self, line: str) -> None:
        """A line, and Enter."""
        self.keystrokes += len(line) + 1
        os.write(self._mine, line.encode() + b"\n")

    def interrupt(self) -> None:
        """What Ctrl-C does."""
        self.process.send_signal(signal.SIGINT)

    def ended(self) -> int:
        """Wait for its end; the exit code."""
        until = time.monotonic() + 2 * PATIENCE_S
        while self.process.poll() is None:
            assert time.monotonic() < until, f"it did not end: {self._seen!r}"
            self._more()
        while self._more():
            pass
        return self.process.returncode

    def _more(self) -> bool:
        ready, _, _ = select.select([self._mine], [], [], 0.05)
        if not ready:
            return False
        try:
            some = os.read(self._mine, 65_536)
        except OSError:  # Linux's way to say that the other side is closed
            return False
        self._seen += some.decode("utf-8", "replace")
        return bool(some)
