"""Origins, host names and authorities of HTTP in one spelling, so that equal ones compare equal.

What is no origin or no name is refused with the reason, never corrected. A port that is the
scheme's own (80 of http, 443 of https) is the same as none; a host is written in lower case; a dot
at its end and a slash behind an origin mean nothing. Source: RFC 6454 (4 to 6), RFC 3986 (3.2.2).
Pure.

`same_authority` is for a request's Origin beside its Host: the Host header has no scheme, so the
origin's decides what a missing port means (`Host: lamp.example.org:443` is the host of
`https://lamp.example.org`). `normal_origin` and `normal_host` are for settings.
"""

import ipaddress
import re
from typing import NamedTuple
from urllib.parse import urlsplit

DEFAULT_PORTS = {"http": 80, "https": 443}

_LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?")
_NAME_MOST = 253


class Authority(NamedTuple):
    """A host (a small-lettered name, or an IP address without brackets) and the port on it."""

    host: str
    port: int


def read_authority(text: str, scheme: str) -> Authority:
    """Host and port of `host[:port]`; a missing port is the scheme's own.

    Raises ValueError, whose message does not repeat the text.
    """
    host, port = _split(text)
    return Authority(host, DEFAULT_PORTS.get(scheme, 0) if port is None else port)


def same_authority(origin: str, host: str) -> bool:
    """Whether an Origin header names the authority of a Host header; False for what is neither."""
    try:
        parts = urlsplit(normal_origin(origin))
        return read_authority(parts.netloc, parts.scheme) == read_authority(host, parts.scheme)
    except ValueError:
        return False


def normal_origin(text: str) -> str:
    """`scheme://host[:port]` in one spelling. Raises ValueError saying what is wrong."""
    scheme, mark, rest = text.strip().partition("://")
    scheme = scheme.lower()
    if not mark or scheme not in DEFAULT_PORTS:
        raise ValueError("must begin with http:// or https://, as in https://lamp.example.org")
    authority, _, path = rest.partition("/")
    if path or re.search(r"[?#\\]", authority):
        raise ValueError("an origin ends after host and port: it has no path, query or fragment")
    if "@" in authority:
        raise ValueError("an origin has no user or password")
    host, port = _split(authority)
    shown = f"[{host}]" if ":" in host else host
    if port is None or port == DEFAULT_PORTS[scheme]:
        return f"{scheme}://{shown}"
    return f"{scheme}://{shown}:{port}"


def normal_host(text: str) -> str:
    """The host of `host[:port]` without port and brackets. Raises ValueError."""
    if "/" in text or "@" in text:
        raise ValueError("must be a host name as in lamp.example.org, without scheme and path")
    return _split(text.strip())[0]


def normal_name(text: str) -> str:
    """A host name or an IP address alone, in one spelling. Raises ValueError."""
    bare = text.removeprefix("[").removesuffix("]") if text.startswith("[") else text
    try:
        return str(ipaddress.ip_address(bare))
    except ValueError:
        pass
    if not text.isascii():
        raise ValueError("has letters outside ASCII: write the name as browsers send it, xn--...")
    name = text.lower().removesuffix(".")
    if not name:
        raise ValueError("names no host")
    if len(name) > _NAME_MOST or not all(_LABEL.fullmatch(label) for label in name.split(".")):
        raise ValueError("is no host name and no IP address")
    return name


def _split(text: str) -> tuple[str, int | None]:
    """Host and port of an authority; an IPv6 address needs brackets beside a port."""
    host, port = text, ""
    if text.startswith("["):
        inside, bracket, port = text[1:].partition("]")
        if not bracket or (port and not port.startswith(":")):
            raise ValueError("has a bracket that is not closed before the port")
        host, port = f"[{inside}]", port.removeprefix(":")
        if ":" not in inside:
            raise ValueError("has brackets around what is no IPv6 address")
    elif text.count(":") == 1:
        host, _, port = text.partition(":")
    if not port:
        return normal_name(host), None
    if not (port.isascii() and port.isdigit() and len(port) <= 5 and 0 < int(port) <= 65_535):
        raise ValueError("has a port that is no number between 1 and 65535")
    return normal_name(host), int(port)
