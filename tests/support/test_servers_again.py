"""Servers that tests start, kill and start again: on ports that nobody takes meanwhile."""

import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.support import ports, redis_server
from tests.support.ports import free_port
from tests.support.preloaded import Child, Preloaded
from tests.support.redis_server import RedisServer
from tests.support.redis_sites import ReplicatedServers, client_of


def test_a_port_is_none_that_an_outgoing_connection_may_be_given(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    told = tmp_path / "range"
    told.write_text("12000\t60999\n")
    monkeypatch.setattr(ports, "GIVEN_TO_CLIENTS", told)
    found = {free_port() for _ in range(20)}
    assert len(found) > 1, "workers beside each other draw different ones"
    assert all(ports.LOWEST <= port < 12_000 for port in found)


def test_where_the_system_does_not_say_which_these_are_there_are_ports_nevertheless(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(ports, "GIVEN_TO_CLIENTS", tmp_path / "none")
    assert free_port() != free_port()


@pytest.mark.parametrize("sentinel", [False, True])
def test_where_the_first_port_is_taken_a_server_takes_another(
    monkeypatch: pytest.MonkeyPatch, sentinel: bool
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        free = free_port()
        given: Iterator[int] = iter([taken.getsockname()[1], free])
        monkeypatch.setattr(redis_server, "free_port", lambda: next(given))
        with RedisServer(sentinel=sentinel) as server:
            assert server.port == free
            assert client_of(server).ping()


class TellsOnce(Preloaded):
    """A parent that knows how its child ended until it has told, and takes its time."""

    def __init__(self) -> None:
        self.told = 0

    def ask(self, what: Mapping[str, Any], fds: Sequence[int] = ()) -> int | None:
        self.told += 1
        time.sleep(0.05)
        return 7


def test_threads_that_wait_for_one_process_are_all_told_how_it_ended() -> None:
    ended = subprocess.Popen(["true"])
    parent = TellsOnce()
    child = Child(ended.pid, parent)
    with ThreadPoolExecutor(8) as threads:
        waiting = [threads.submit(child.wait, 10.0) for _ in range(8)]
        assert {each.result() for each in waiting} == {7}
    assert parent.told == 1
    assert ended.wait() == 0


def test_the_master_is_whom_most_sentinels_name() -> None:
    """One that was told another one, of the same age, does not count; nor does one by itself."""
    with ReplicatedServers(replicas=1) as site:
        first = client_of(site.sentinels[0])
        first.execute_command("SENTINEL", "REMOVE", "fleet")
        other = site.replicas[0]
        first.execute_command("SENTINEL", "MONITOR", "fleet", other.host, other.port, 3)
        assert first.sentinel_master("fleet")["port"] == other.port
        assert site.named_master() is site.master
        for each in site.sentinels[1:]:
            each.kill()
        assert site.named_master() is None
