"""HTTP/1.1 that can be read in one way only; everything else is refused.

The other reader is a proxy: whatever it may understand differently would get past its path rules
and limits (RFC 9112, sections 2.2, 3.2, 5.2, 6.1 and 6.3). What h11 refuses by itself is refused
here, too: names and values with forbidden bytes, a missing or second Host, lengths that differ,
codings other than chunked.
"""

import re

import h11

_END_OF_HEAD = re.compile(rb"\r?\n\r?\n")
_FOLD = re.compile(rb"\n[ \t]")
_LENGTH = re.compile(rb"\n(?i:content-length)[ \t]*:([^\r\n]*)")
_ABSOLUTE = re.compile(rb"(?i:https?)://([^/?#]*)([^#]*)")
_ALIVE = re.compile(rb"[^?]*/healthz/?(\?.*)?")
_AUTHORITY = re.compile(rb"[A-Za-z0-9._~:\[\]-]+")


class Strict(h11.Connection):
    """h11's server side, without the corrections that it makes silently."""

    refusal = ""
    """Why the request was refused, once it was."""

    def next_event(self) -> h11.Event | type[h11.NEED_DATA] | type[h11.PAUSED]:
        """The next event. Raises h11.RemoteProtocolError for what is not clear HTTP/1.1."""
        try:
            if self.their_state is h11.IDLE:
                check_head(self.trailing_data[0])
            event = super().next_event()
            return plain(event) if isinstance(event, h11.Request) else event
        except h11.RemoteProtocolError as error:
            self.refusal = str(error)
            raise


def check_head(data: bytes) -> None:
    """Look for what h11 would correct silently, in the bytes of a head as far as it came.

    Raises h11.RemoteProtocolError.
    """
    end = _END_OF_HEAD.search(data)
    head = data[: end.start()] if end else data
    if _FOLD.search(head):
        raise refused("a header goes on in the next line")
    if end:
        lengths = _LENGTH.findall(head)
        if len(lengths) > 1:
            raise refused("Content-Length is given more than once")
        if lengths and not lengths[0].strip(b" \t").isdigit():
            raise refused("Content-Length is no number")


def plain(request: h11.Request) -> h11.Request:
    """The request, if it is one of HTTP/1.1 that can be read in one way only.

    An upgrade to h2c is taken out: HTTP/2 in clear text is not spoken, and a server may answer in
    HTTP/1.1 (RFC 9110, section 7.8); `/healthz` answers whatever it is asked. A target with scheme
    and host becomes path and Host (RFC 9112, section 3.2.2). Raises h11.RemoteProtocolError.
    """
    if request.http_version not in {b"1.0", b"1.1"}:
        raise refused("only HTTP/1.1 and 1.0 are spoken", 505)
    names = {name for name, _ in request.headers}
    if b"transfer-encoding" in names:
        if b"content-length" in names:
            raise refused("Transfer-Encoding and Content-Length are both given")
        if request.http_version == b"1.0":
            raise refused("HTTP/1.0 has no Transfer-Encoding")
    target, host = _target(request)
    ignored = _ALIVE.fullmatch(target) is not None or any(
        name == b"upgrade" and value.strip().lower() == b"h2c" for name, value in request.headers
    )
    if not ignored and host is None:
        return request
    headers = [
        (name, host if name == b"host" and host is not None else value)
        for name, value in request.headers
        if not (ignored and name in {b"upgrade", b"http2-settings"})
    ]
    if host is not None and b"host" not in names:
        headers.append((b"host", host))
    return h11.Request(
        method=request.method, target=target, headers=headers, http_version=request.http_version
    )


def _target(request: h11.Request) -> tuple[bytes, bytes | None]:
    """Path and query, and the host where the target names one."""
    target = request.target
    if target.startswith(b"/") or (target == b"*" and request.method == b"OPTIONS"):
        return target, None
    found = _ABSOLUTE.fullmatch(target)
    if found is None or not _AUTHORITY.fullmatch(found[1]):
        raise refused("the request's target is neither a path nor an address of http")
    path = found[2]
    return (path if path.startswith(b"/") else b"/" + path), found[1]


def refused(why: str, status: int = 400) -> h11.RemoteProtocolError:
    """The error that has a request refused and its connection closed."""
    return h11.RemoteProtocolError(why, error_status_hint=status)
