"""One `lamplighter serve` of the drill: started, killed, paused, ended, started again."""

import os
import signal
import subprocess
from pathlib import Path

import trio

from tests.support.preloaded import Child
from tests.support.processes import ROOT, environment, started

END_S = 15.0
"""`serve` ends within 10 s of SIGTERM, whatever hangs."""


class Serving:
    """A process by name. It dies with `close`, by its id. `root` has the code that it runs."""

    def __init__(self, name: str, port: int, config: Path, root: Path = ROOT) -> None:
        self.name = name
        self.port = port
        self.root = root
        """By another one than ours it imports everything anew, which takes a second of CPU."""
        self.paused = False
        self._config = config
        self._log = config.with_suffix(".log")
        self._process: subprocess.Popen[bytes] | Child | None = None

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def runs(self) -> bool:
        """Whether there is a process, paused or not."""
        return self._process is not None and self._process.poll() is None

    @property
    def answers(self) -> bool:
        """Whether it can be expected to."""
        return self.runs and not self.paused

    @property
    def cpu_s(self) -> float:
        """CPU seconds that it used so far, as Linux counts them (in steps of 10 ms)."""
        assert self._process is not None
        words = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()
        return sum(map(int, words[11:13])) / os.sysconf("SC_CLK_TCK")

    @property
    def state(self) -> str:
        """In a word."""
        if not self.runs:
            return "ended"
        return "paused" if self.paused else "running"

    def start(self) -> None:
        """Begin; does nothing while it runs."""
        if self.runs:
            return
        self.paused = False
        words = ("serve", "--config", str(self._config))
        with self._log.open("ab") as log:
            self._process = started(words, environment(), log, log, self.root)

    def kill(self) -> None:
        """SIGKILL: no goodbye, no last write."""
        if self._process is not None and self.runs:
            self._process.kill()
            self._process.wait(END_S)

    async def leave(self) -> float:
        """SIGTERM: it gives away what it has and ends; the seconds that this took."""
        began = trio.current_time()
        if self._process is not None and self.runs:
            self.resume()
            self._process.send_signal(signal.SIGTERM)
            await trio.to_thread.run_sync(self._process.wait, END_S)
        return trio.current_time() - began

    def pause(self) -> None:
        """SIGSTOP: it stands still, with all its connections."""
        if self._process is not None and self.answers:
            self._process.send_signal(signal.SIGSTOP)
            self.paused = True

    def resume(self) -> None:
        """End `pause`."""
        if self._process is not None and self.runs:
            self._process.send_signal(signal.SIGCONT)
        self.paused = False

    def close(self) -> None:
        """End it, whatever it does."""
        self.resume()
        self.kill()

    def said(self, lines: int = 30) -> str:
        """The end of its log."""
        if not self._log.exists():
            return ""
        text = self._log.read_text(encoding="utf-8", errors="replace")
        return "\n".join(text.splitlines()[-lines:])
