"""The service manager is told over its socket, and nobody minds where there is none."""

import socket
from pathlib import Path

import pytest

from api.server.notify import READY, STOPPING, notify


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
