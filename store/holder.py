"""Which process holds a store: enough to tell it from ours, and for people to find it."""

import os
import secrets
import socket
from pathlib import Path

import msgspec


class Holder(msgspec.Struct, frozen=True):
    """One opening of a store. `place` is boot and process namespace, within which `pid` and
    `started` name one process."""

    token: str
    """Random: two openings never share it."""
    host: str
    pid: int
    place: str = ""
    started: str = ""

    @property
    def description(self) -> str:
        """For people."""
        return f"process {self.pid} on {self.host}"


def this_process() -> Holder:
    """A new holder: this process, by a new token."""
    pid = os.getpid()
    return Holder(secrets.token_hex(16), socket.gethostname(), pid, _place(), _started(pid))


def encode_holder(holder: Holder) -> bytes:
    """As it is stored."""
    return msgspec.json.encode(holder)


def decode_holder(stored: bytes | str | None) -> Holder | None:
    """What is stored; None where nobody holds the store, and for what cannot be read."""
    if not stored:
        return None
    try:
        return msgspec.json.decode(stored, type=Holder)
    except msgspec.MsgspecError:
        return None


def _place() -> str:
    """The boot and the process namespace; empty where the system does not tell."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        return f"{boot} {os.readlink('/proc/self/ns/pid')}"
    except OSError:
        return ""


def _started(pid: int) -> str:
    """When a process started, in ticks since boot; empty for one that is not there (proc(5))."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
    except OSError:
        return ""
    fields = stat.rpartition(")")[2].split()  # the name before it may contain anything
    if not fields or fields[0] in ("Z", "X"):  # a zombie holds nothing any more
        return ""
    return fields[19]
