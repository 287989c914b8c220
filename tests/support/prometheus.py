"""Prometheus' own tools for tests: `promtool`, and a server on a free loopback port.

The server dies with its owner's `with` block, by process id.
"""

import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.support.ports import free_port

CHECK_S = 60.0
STOP_S = 10.0


def binary(name: str) -> str:
    """Where `make test` has put it, beside this Python, or where it is installed."""
    beside = Path(sys.executable).parent / name
    found = str(beside) if beside.exists() else shutil.which(name)
    assert found is not None, f"{name} is missing: `make browser` fetches it, or install prometheus"
    return found


def promtool(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run it to its end; its exit code and all that it said, as `stdout`."""
    return subprocess.run(
        [binary("promtool"), *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=CHECK_S,
        check=False,
    )


class Prometheus:
    """A server with such settings (JSON is YAML, too), and a folder of its own for its data."""

    def __init__(self, settings: dict[str, Any]) -> None:
        self._directory = tempfile.TemporaryDirectory(prefix="prometheus-")
        self._settings = settings
        self._process: subprocess.Popen[bytes] | None = None
        self.port = free_port()

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self) -> str:
        """What it said."""
        return (Path(self._directory.name) / "log").read_text(encoding="utf-8", errors="replace")

    def __enter__(self) -> Self:
        folder = Path(self._directory.name)
        config = folder / "prometheus.yml"
        config.write_text(json.dumps(self._settings), encoding="utf-8")
        with (folder / "log").open("wb") as log:
            self._process = subprocess.Popen(
                [
                    binary("prometheus"),
                    f"--config.file={config}",
                    f"--storage.tsdb.path={folder / 'data'}",
                    f"--web.listen-address=127.0.0.1:{self.port}",
                ],
                stdout=log,
                stderr=log,
                cwd=folder,
            )
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait(STOP_S)
        self._directory.cleanup()
