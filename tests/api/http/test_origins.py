"""Two ways to write one origin or host compare equal; what is neither is refused in words."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.http.origins import Authority, normal_host, normal_origin, read_authority, same_authority


@pytest.mark.parametrize(
    ("written", "normal"),
    [
        ("https://lamp.example.org", "https://lamp.example.org"),
        ("https://lamp.example.org/", "https://lamp.example.org"),
        ("https://lamp.example.org:443", "https://lamp.example.org"),
        ("HTTPS://Lamp.Example.Org.", "https://lamp.example.org"),
        (" http://lamp.example.org:80/ ", "http://lamp.example.org"),
        ("http://lamp.example.org:443", "http://lamp.example.org:443"),
        ("https://lamp.example.org:8090/", "https://lamp.example.org:8090"),
        ("http://[::0:1]:80", "http://[::1]"),
        ("http://127.0.0.1:8090", "http://127.0.0.1:8090"),
        ("http://my_host", "http://my_host"),
    ],
)
def test_an_origin_has_one_spelling(written: str, normal: str) -> None:
    assert normal_origin(written) == normal


@pytest.mark.parametrize(
    ("written", "word"),
    [
        ("", "begin with http"),
        ("null", "begin with http"),
        ("*", "begin with http"),
        ("lamp.example.org", "begin with http"),
        ("ftp://lamp.example.org", "begin with http"),
        ("https://", "names no host"),
        ("https:///x", "no path"),
        ("https://lamp.example.org/lamp", "no path"),
        ("https://lamp.example.org?x=1", "no path"),
        ("https://user:word@lamp.example.org", "no user"),
        ("https://lamp.example.org:0", "port"),
        ("https://lamp.example.org:https", "port"),
        ("https://lamp.example.org:99999", "port"),
        ("https://*.example.org", "no host name"),
        ("https://lamp example.org", "no host name"),
        ("https://lämp.example.org", "xn--"),
        ("https://[::1", "bracket"),
        ("https://[lamp]", "brackets"),
        ("https://lamp..example.org", "no host name"),
        (f"https://{'a' * 64}.org", "no host name"),
    ],
)
def test_what_is_no_origin_says_why(written: str, word: str) -> None:
    with pytest.raises(ValueError, match=word) as caught:
        normal_origin(written)
    assert "word@" not in str(caught.value)


@pytest.mark.parametrize(
    ("written", "normal"),
    [
        ("lamp.example.org:8090", "lamp.example.org"),
        ("LAMP.example.org.", "lamp.example.org"),
        ("[::1]:8090", "::1"),
        ("::1", "::1"),
        ("10.0.0.7", "10.0.0.7"),
    ],
)
def test_a_host_is_a_name_without_its_port(written: str, normal: str) -> None:
    assert normal_host(written) == normal


@pytest.mark.parametrize("written", ["", "http://lamp", "lamp/x", "a b", "lamp:port", "u@lamp"])
def test_what_is_no_host_is_refused(written: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        normal_host(written)


# From the field: proxies that put the default port into Host, and those that take it out.
@pytest.mark.parametrize(
    ("origin", "host", "same"),
    [
        ("https://lamp.example.org", "lamp.example.org:443", True),
        ("https://lamp.example.org", "lamp.example.org", True),
        ("http://lamp.example.org", "lamp.example.org:80", True),
        ("https://LAMP.example.org", "lamp.example.org.", True),
        ("http://[::1]:8090", "[::1]:8090", True),
        ("https://lamp.example.org", "lamp.example.org:8443", False),
        ("https://lamp.example.org:8443", "lamp.example.org", False),
        ("http://lamp.example.org", "lamp.example.org:443", False),
        ("https://other.example.org", "lamp.example.org", False),
        ("null", "null", False),
        ("https://lamp.example.org", "", False),
    ],
)
def test_the_default_port_is_no_port(origin: str, host: str, same: bool) -> None:
    assert same_authority(origin, host) is same


def test_the_scheme_decides_what_no_port_means() -> None:
    assert read_authority("lamp", "https") == Authority("lamp", 443)
    assert read_authority("lamp", "http") == Authority("lamp", 80)
    assert read_authority("lamp:7", "http") == Authority("lamp", 7)


@given(st.text(max_size=40) | st.from_regex(r"https?://[ -~]{0,30}", fullmatch=True))
def test_whatever_is_written_is_normal_or_refused(text: str) -> None:
    for normal in (normal_origin, normal_host):
        try:
            once = normal(text)
        except ValueError:
            continue
        assert normal(once) == once
    assert same_authority(text, text) in {True, False}
