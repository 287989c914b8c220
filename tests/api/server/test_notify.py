"""The service manager is told over its socket, and nobody minds where there is none."""

import os
import socket
from pathlib import Path

import pytest
import trio

from api.server.notify import ALIVE, READY, STOPPING, notify, tell_alive, watchdog_s


def test_without_a_service_manager_nobody_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    assert not notify(READY)


@pytest.mark.parametrize("abstract", [False, True])
def test_what_is_told_arrives_as_lines(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, *, abstract: bool
) -> None:
    shown = f"@lamplighter-test-{tmp_path.name}" if abstract else str(tmp_path / "notify")
    address = f"\0{shown[1:]}" if abstract else shown
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(address)
        monkeypatch.setenv("NOTIFY_SOCKET", shown)
        assert notify(STOPPING, "STATUS=gives its shards away")
        assert manager.recv(200) == b"STOPPING=1\nSTATUS=gives its shards away"


def test_a_socket_that_is_gone_stops_nothing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "gone"))
    assert not notify(READY)


@pytest.mark.parametrize(
    ("usec", "pid", "within_s"),
    [
        ("30000000", "", 30.0),
        ("30000000", "1", None),
        ("0", "", None),
        ("soon", "", None),
        ("", "", None),
    ],
)
def test_the_time_of_the_watchdog_is_that_of_the_service_manager(
    monkeypatch: pytest.MonkeyPatch, usec: str, pid: str, within_s: float | None
) -> None:
    monkeypatch.setenv("WATCHDOG_USEC", usec)
    monkeypatch.setenv("WATCHDOG_PID", pid or str(os.getpid()))
    assert watchdog_s() == within_s


async def test_a_process_that_makes_progress_says_so_twice_in_that_time(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, autojump_clock: object
) -> None:
    shown = str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(shown)
        manager.setblocking(False)
        monkeypatch.setenv("NOTIFY_SOCKET", shown)
        monkeypatch.setenv("WATCHDOG_USEC", "30000000")
        monkeypatch.setenv("WATCHDOG_PID", str(os.getpid()))
        with trio.move_on_after(61.0):
            await tell_alive()
        said = []
        while True:
            try:
                said.append(manager.recv(100))
            except BlockingIOError:
                break
    assert said == [ALIVE.encode()] * 5


async def test_where_no_watchdog_asks_nothing_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WATCHDOG_USEC", raising=False)
    with trio.fail_after(1.0):
        await tell_alive()
