"""Addresses that may be posted to, and the connection that goes to what was judged."""

import ipaddress
import socket
from typing import Any

import pytest
import trio

from api.hooks.guard import Guard, GuardedBackend, NotAllowed

PRIVATE = [
    "127.0.0.1",
    "127.8.9.10",
    "0.0.0.0",
    "10.0.0.1",
    "172.16.0.1",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "192.0.2.1",
    "198.18.0.1",
    "224.0.0.1",
    "239.1.2.3",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "fe80::1",
    "fec0::1",
    "fc00::1",
    "fd12:3456::1",
    "ff02::1",
    "2001:db8::1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "::ffff:169.254.169.254",
    "::127.0.0.1",
    "2002:7f00:1::",  # 6to4 of 127.0.0.1
    "2002:a00:1::1",  # of 10.0.0.1
    "64:ff9b::a00:1",  # NAT64 of 10.0.0.1
    "64:ff9b::7f00:1",
    "64:ff9b:1::808:808",
    "2001:0:7f00:1::",  # Teredo
]
PUBLIC = ["1.1.1.1", "8.8.8.8", "2606:4700:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"]


@pytest.mark.parametrize("address", PRIVATE)
def test_what_is_not_public_is_refused(address: str) -> None:
    with pytest.raises(NotAllowed):
        Guard().check_address(ipaddress.ip_address(address))


@pytest.mark.parametrize("address", PUBLIC)
def test_what_is_public_is_let_through(address: str) -> None:
    Guard().check_address(ipaddress.ip_address(address))


def test_networks_that_are_allowed_are_and_no_others() -> None:
    guard = Guard((ipaddress.ip_network("10.1.0.0/16"), ipaddress.ip_network("fd00::/8")))
    for good in ("10.1.2.3", "::ffff:10.1.2.3", "fd12::1", "8.8.8.8"):
        guard.check_address(ipaddress.ip_address(good))
    for bad in ("10.2.0.1", "127.0.0.1", "fc00::1", "::1"):
        with pytest.raises(NotAllowed):
            guard.check_address(ipaddress.ip_address(bad))


@pytest.mark.parametrize(
    "url",
    [
        "http://receiver.example/",
        "ftp://receiver.example/",
        "https:///path",
        "https://user:secret@receiver.example/",
        "https://receiver.example/#part",
        "https://receiver.example:0/",
        "https://receiver.example:99999/",
        "https://receiver.example/a b",
        "https://127.0.0.1/",
        "https://[::1]/",
        "https://[::ffff:10.0.0.1]/",
        "file:///etc/passwd",
        "receiver.example",
    ],
)
def test_a_url_that_may_not_be_posted_to_is_refused_when_it_is_given(url: str) -> None:
    with pytest.raises(NotAllowed):
        Guard().check_url(url)


def test_http_is_allowed_by_a_setting_of_its_own() -> None:
    Guard(http=True).check_url("http://receiver.example/")
    with pytest.raises(NotAllowed):
        Guard(http=True).check_url("http://127.0.0.1/")
    Guard().check_url("https://receiver.example:8443/hook?of=me")


class Names(trio.abc.HostnameResolver):
    """A name service that answers anew each time, as one that rebinds a name would."""

    def __init__(self, *answers: list[str]) -> None:
        self.answers = list(answers)
        self.asked = 0

    async def getaddrinfo(self, host: Any, port: Any, *rest: Any, **more: Any) -> Any:
        addresses = self.answers[min(self.asked, len(self.answers) - 1)]
        self.asked += 1
        return [
            (
                socket.AF_INET6 if ":" in one else socket.AF_INET,
                socket.SOCK_STREAM,
                6,
                "",
                (one, port, 0, 0) if ":" in one else (one, port),
            )
            for one in addresses
        ]

    async def getnameinfo(self, *rest: Any) -> Any:
        raise NotImplementedError


async def test_the_connection_goes_to_the_address_that_was_judged_and_is_looked_up_once() -> None:
    loopback = Guard((ipaddress.ip_network("127.0.0.2/32"),))
    names = Names(["127.0.0.2"], ["127.0.0.1"])
    trio.socket.set_custom_hostname_resolver(names)
    listener = trio.socket.socket()
    await listener.bind(("127.0.0.2", 0))
    listener.listen()
    stream = await GuardedBackend(loopback).connect_tcp(
        "rebound.example", listener.getsockname()[1], timeout=5.0
    )
    assert stream.get_extra_info("server_addr")[0] == "127.0.0.2"
    assert names.asked == 1
    with pytest.raises(NotAllowed):
        await GuardedBackend(loopback).connect_tcp("rebound.example", 80, timeout=5.0)
    await stream.aclose()
    listener.close()


async def test_of_a_name_with_many_addresses_only_those_that_may_be_are_used() -> None:
    trio.socket.set_custom_hostname_resolver(Names(["10.0.0.1", "::1", "1.1.1.1", "127.0.0.1"]))
    found = await Guard().connectable("mixed.example", 443)
    assert [str(one) for one in found] == ["1.1.1.1"]
