"""Who is at the other end, when proxies tell."""

import pytest

from api.http.peers import Peers, network_of

PROXIES = ["10.0.0.0/8", "::1", "192.0.2.1"]


def address(client: str, *headers: tuple[str, str]) -> str:
    raw = [(name.encode(), value.encode("latin-1")) for name, value in headers]
    return Peers(PROXIES).peer(client, raw).address


@pytest.mark.parametrize(
    ("client", "told", "found"),
    [
        ("203.0.113.1", "198.51.100.1", "203.0.113.1"),
        ("10.1.1.1", "198.51.100.1", "198.51.100.1"),
        ("10.1.1.1", "1.1.1.1, 198.51.100.1", "198.51.100.1"),
        ("10.1.1.1", "198.51.100.1, 10.2.2.2, 192.0.2.1", "198.51.100.1"),
        ("::1", "198.51.100.1:4711", "198.51.100.1"),
        ("::ffff:10.1.1.1", "[2001:db8::1]:443", "2001:db8::1"),
        ("10.1.1.1", "::ffff:198.51.100.1", "198.51.100.1"),
        ("10.1.1.1", "10.3.3.3", "10.3.3.3"),
        ("10.1.1.1", "198.51.100.1, unknown", "10.1.1.1"),
        ("10.1.1.1", "198.51.100.1, <script>", "10.1.1.1"),
        ("10.1.1.1", "", "10.1.1.1"),
        ("10.1.1.1", ", ,", "10.1.1.1"),
        ("10.1.1.1", ",".join(["10.0.0.1"] * 30_000), "10.0.0.1"),
        ("<local>", "198.51.100.1", "<local>"),
    ],
)
def test_the_rightmost_untrusted_address_counts(client: str, told: str, found: str) -> None:
    assert address(client, ("X-Forwarded-For", told)) == found


def test_lines_of_one_header_are_one_list() -> None:
    lines = [("X-Forwarded-For", "1.1.1.1"), ("x-forwarded-for", "198.51.100.1")]
    assert address("10.1.1.1", *lines) == "198.51.100.1"


@pytest.mark.parametrize(
    ("told", "found"),
    [
        ("for=198.51.100.1;proto=https", "198.51.100.1"),
        ('for=1.1.1.1, For="[2001:db8::1]:47011";by=10.1.1.1', "2001:db8::1"),
        ("for=_hidden", "10.1.1.1"),
        ("proto=https", "10.1.1.1"),
    ],
)
def test_the_standard_header_is_read_where_the_usual_one_is_missing(told: str, found: str) -> None:
    assert address("10.1.1.1", ("Forwarded", told)) == found
    both = [("Forwarded", told), ("X-Forwarded-For", "198.51.100.9")]
    assert address("10.1.1.1", *both) == "198.51.100.9"


def test_names_are_believed_from_trusted_proxies_only() -> None:
    headers = [
        (b"Host", b"127.0.0.1:8090"),
        (b"X-Forwarded-Host", b"lamp.example"),
        (b"X-Forwarded-Port", b"8443"),
    ]
    told = ("127.0.0.1:8090", "lamp.example", "lamp.example:8443")
    assert Peers(PROXIES).peer("10.1.1.1", headers).hosts == told
    assert Peers(PROXIES).peer("203.0.113.1", headers).hosts == ("127.0.0.1:8090",)
    forwarded = [(b"host", b"x"), (b"forwarded", b"for=1.1.1.1;host=lamp.example")]
    assert Peers(PROXIES).peer("10.1.1.1", forwarded).hosts == ("x", "lamp.example")


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("2001:db8::1", "2001:db8::ffff:2", True),
        ("2001:db8:0:1::1", "2001:db8::1", False),
        ("198.51.100.1", "198.51.100.2", False),
        ("::ffff:198.51.100.1", "198.51.100.1", True),
        ("<local>", "<local>", True),
    ],
)
def test_one_host_has_a_whole_network_of_addresses(one: str, other: str, same: bool) -> None:
    assert (network_of(one) == network_of(other)) is same
