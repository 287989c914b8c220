"""`lamplighter` without the second that its imports take: forked from a process that did them once.

What runs is the program as ever, in a process of its own: its words, its environment, its standard
streams, its signals and its exit code are its own. Only the imports were done before.
"""

import atexit
import gc
import importlib
import json
import os
import pkgutil
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any

ROOT = Path(__file__).parents[2]
MESSAGE_BYTES_MOST = 1 << 17
"""Words and environment; Linux takes packets of 200 kB."""
ANSWER_S = 120.0
"""For the imports of the first time, which other workers do at the same time."""
LOOK_S = 0.01


class Child:
    """A process that was forked; asked and ended as one of `subprocess.Popen`."""

    def __init__(self, pid: int, parent: "Preloaded") -> None:
        self.pid = pid
        self.returncode: int | None = None
        self._parent = parent
        self._lock = threading.Lock()
        self._watched = os.pidfd_open(pid)
        """Readable once it has ended: its parent, which knows how, is asked then only."""

    def poll(self) -> int | None:
        """The exit code, or the signal's number below zero; None while it runs."""
        with self._lock:  # its parent can tell once only
            if self.returncode is None and select.select([self._watched], [], [], 0.0)[0]:
                self.returncode = self._parent.ask({"ended": self.pid})
                os.close(self._watched)
            return self.returncode

    def wait(self, timeout: float) -> int:
        """The same, once it has ended. Raises `subprocess.TimeoutExpired`."""
        until = time.monotonic() + timeout
        while (code := self.poll()) is None:
            if time.monotonic() > until:
                raise subprocess.TimeoutExpired("lamplighter", timeout)
            time.sleep(LOOK_S)
        return code

    def send_signal(self, number: int) -> None:
        """To it, unless it has ended."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        """SIGKILL."""
        self.send_signal(signal.SIGKILL)


class Preloaded:
    """The process that has imported everything, and forks. It ends with this one."""

    def __init__(self, env: Mapping[str, str]) -> None:
        self._lock = threading.Lock()
        self._asked = 0
        self._socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._socket.settimeout(ANSWER_S)
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.support.preloaded", str(theirs.fileno())],
                stdin=subprocess.DEVNULL,
                cwd=ROOT,
                env=dict(env),
                pass_fds=[theirs.fileno()],
            )
        atexit.register(self.close)

    def start(
        self, words: Sequence[str], env: Mapping[str, str], out: IO[Any], err: IO[Any]
    ) -> Child:
        """`lamplighter WORDS`, with nothing to read."""
        with Path(os.devnull).open("rb") as nothing:
            fds = [nothing.fileno(), out.fileno(), err.fileno()]
            pid = self.ask({"words": list(words), "env": dict(env)}, fds)
        assert pid is not None
        return Child(pid, self)

    def ask(self, what: Mapping[str, Any], fds: Sequence[int] = ()) -> int | None:
        """Its answer to one question. Raises TimeoutError or OSError where it is gone."""
        with self._lock:
            self._asked += 1
            question = {**what, "question": self._asked}
            socket.send_fds(self._socket, [json.dumps(question).encode()], fds)
            while True:
                told = json.loads(self._socket.recv(MESSAGE_BYTES_MOST))
                if told["question"] == self._asked:  # an older one was not waited for
                    answer: int | None = told["answer"]
                    return answer

    def close(self) -> None:
        """It ends as soon as nobody can ask any more."""
        self._socket.close()
        self._process.wait(ANSWER_S)


def answer(owner: socket.socket) -> list[str] | None:
    """In the process that forks: until nobody asks any more (None). In one that was forked: what it
    was told to be."""
    while True:
        message, fds, _, _ = socket.recv_fds(owner, MESSAGE_BYTES_MOST, 3)
        if not message:
            return None
        asked = json.loads(message)
        if "ended" in asked:
            pid, status = os.waitpid(asked["ended"], os.WNOHANG)
            told = os.waitstatus_to_exitcode(status) if pid else None
        else:
            told = os.fork()
            if told == 0:
                for number, fd in enumerate(fds):
                    os.dup2(fd, number)
                    os.close(fd)
                os.environ.clear()
                os.environ.update(asked["env"])
                words: list[str] = asked["words"]
                return words
        for fd in fds:
            os.close(fd)
        owner.send(json.dumps({"question": asked["question"], "answer": told}).encode())


def import_everything() -> None:
    """What any verb needs. Imports start nothing."""
    from api.cli import verbs

    for module in pkgutil.iter_modules(verbs.__path__):
        importlib.import_module(f"{verbs.__name__}.{module.name}")
    for name in ("api.service", "api.cli.demo", "simulation.harness.run"):
        package = importlib.import_module(name)
        for module in pkgutil.iter_modules(getattr(package, "__path__", ())):
            importlib.import_module(f"{name}.{module.name}")
    assert threading.active_count() == 1, threading.enumerate()


def main() -> None:
    """Ends as the program ends where this is one that was forked."""
    with socket.socket(fileno=int(sys.argv[1])) as owner:
        import_everything()
        gc.freeze()
        words = answer(owner)
    if words is None:
        return
    from api.cli import __main__ as program

    sys.argv = [program.__file__, *words]
    program.main()


if __name__ == "__main__":
    main()
