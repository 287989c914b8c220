"""A real mosquitto for tests, on a free loopback port, with or without its memory over a restart.

It dies with its owner's `with` block, by process id. It may be killed and started again on the same
port and folder.
"""

import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.support.programs import server_program

START_S = 10.0
STOP_S = 10.0


class Mosquitto:
    """A broker. `lines` are put into its configuration; `persistent` keeps sessions and retained
    messages over a stop, and at a kill what it had written."""

    def __init__(self, *lines: str, persistent: bool = True, port: int | None = None) -> None:
        self._directory = tempfile.TemporaryDirectory(prefix="mosquitto-")
        self.folder = Path(self._directory.name)
        self.port = port or _free_port()
        self._lines = list(lines)
        self._persistent = persistent
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Its address."""
        return f"mqtt://127.0.0.1:{self.port}"

    @property
    def log(self) -> str:
        """What it said."""
        return (self.folder / "log").read_text(encoding="utf-8", errors="replace")

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.kill()
        self._directory.cleanup()

    def start(self) -> None:
        """Start it, or start it again; returns when it listens."""
        config = self.folder / "mosquitto.conf"
        config.write_text("\n".join(self._configuration()), encoding="utf-8")
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [server_program("mosquitto"), "-c", str(config)], stdout=log, stderr=log
            )
        until = time.monotonic() + START_S
        while True:
            assert self._process.poll() is None, f"mosquitto ended: {self.log}"
            with socket.socket() as one:
                if one.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            assert time.monotonic() < until, f"mosquitto does not listen: {self.log}"
            time.sleep(0.01)

    def stop(self) -> None:
        """An orderly end: it writes what it keeps."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """SIGKILL: what it had not written is gone."""
        self._end(signal.SIGKILL)

    def _end(self, number: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(number)
            self._process.wait(STOP_S)
            self._process = None

    def _configuration(self) -> Sequence[str]:
        own = any(line.startswith("listener") for line in self._lines)
        listening = [] if own else [f"listener {self.port} 127.0.0.1"]
        keeps = [f"persistence {'true' if self._persistent else 'false'}"]
        keeps += [f"persistence_location {self.folder}/", "autosave_interval 1"]
        keeps += ["autosave_on_changes true"] if self._persistent else []
        anonymous = any("allow_anonymous" in line for line in self._lines)
        allowed = [] if anonymous else ["allow_anonymous true"]
        run_as = ["user root", "max_queued_messages 10000"]
        return [*run_as, *keeps, *listening, *allowed, *self._lines]


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])
