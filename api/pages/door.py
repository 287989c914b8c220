"""Answers what pages load, in front of Quart, whose routing, contexts and tasks it has no use for.

A page loads some 110 files when a browser meets a release for the first time. What is no file, not
allowed or no GET is left to Quart, which says so in the words of every other route.
"""

import re
from collections.abc import Iterable

import trio

from api.http.access import tell
from api.http.auth import TOKEN_HEADER, Caller, Scope, tokens_of
from api.http.checks import check_host, keep_connection, person_of
from api.http.exchange import REQUEST_ID_HEADER, AsgiScope, Exchange
from api.http.peers import Peer
from api.http.problems import Problem
from api.http.security_headers import SECURITY_HEADERS
from api.http.services import Services
from api.logging import bind_request_id
from api.pages.files import StaticFile, StaticFiles

PREFIX = "/static/"
ROUTE = PREFIX + "<path:name>"

FOREVER = b"public, max-age=31536000, immutable"
"""Below a version: a year, the longest that RFC 9111's predecessors allowed; no browser asks."""
ASK_AGAIN = b"no-cache"
"""By its plain name a file may be another one after an upgrade; its ETag tells."""

_REQUEST_ID = REQUEST_ID_HEADER.lower().encode()
_TOKEN = TOKEN_HEADER.lower().encode()
_READ = frozenset({_REQUEST_ID, _TOKEN, b"accept-encoding", b"authorization", b"if-none-match"})
_ALWAYS = (
    (b"vary", b"Accept-Encoding"),
    *((name.lower().encode(), value.encode()) for name, value in SECURITY_HEADERS.items()),
)
_REFUSED_CODING = re.compile(r"\s*q\s*=\s*0(\.0*)?\s*", re.IGNORECASE)


class StaticDoor:
    """Gives the files of pages to whoever asks."""

    def __init__(self, services: Services, files: StaticFiles) -> None:
        self._services = services
        self._files = files

    async def answers(self, scope: AsgiScope, peer: Peer, exchange: Exchange) -> bool:
        """Whether it answered; if not, nothing was sent."""
        method, path = scope["method"], scope["path"]
        if method not in {"GET", "HEAD"} or not path.startswith(PREFIX):
            return False
        file, forever = self._files.find(path.removeprefix(PREFIX))
        if file is None:
            return False
        began = trio.current_time()
        headers = _headers(scope["headers"])
        try:
            check_host(self._services, peer)
            caller = self._caller(headers, peer)
        except Problem:
            return False
        keep_connection(scope, caller)
        request_id = bind_request_id(headers.get(_REQUEST_ID))
        await exchange.discard_body()
        status, told, body = _answer(file, headers, ASK_AGAIN if not forever else FOREVER)
        told.append((_REQUEST_ID, request_id.encode()))
        took_s = trio.current_time() - began
        tell(
            self._services.http_metrics,
            method,
            path,
            ROUTE,
            status,
            took_s,
            client=caller.address,
            by=caller.name,
        )
        await exchange.send({"type": "http.response.start", "status": status, "headers": told})
        sent = body if method == "GET" else b""
        await exchange.send({"type": "http.response.body", "body": sent, "more_body": False})
        return True

    def _caller(self, headers: dict[bytes, str], peer: Peer) -> Caller:
        """Who asks; anybody may. Raises Problem where the proxy names nobody whole."""
        shown = tokens_of(headers.get(b"authorization"), headers.get(_TOKEN))
        found = self._services.gatekeeper.caller(shown, peer.address, person_of(peer))
        return found or Caller(Scope.PUBLIC, "", peer.address)


def _answer(
    file: StaticFile, headers: dict[bytes, str], keep: bytes
) -> tuple[int, list[tuple[bytes, bytes]], bytes]:
    """Status, headers and body."""
    etag, body, coding = file.etag, file.body, b""
    if takes_gzip(headers.get(b"accept-encoding", "")) and file.compressed is not None:
        etag, body, coding = file.compressed_etag, file.compressed, b"gzip"
    told = [*_ALWAYS, (b"cache-control", keep), (b"etag", etag.encode())]
    if is_known(headers.get(b"if-none-match", ""), etag):
        return 304, told, b""
    told.append((b"content-type", file.content_type.encode()))
    told.append((b"content-length", str(len(body)).encode()))
    if coding:
        told.append((b"content-encoding", coding))
    return 200, told, body


def takes_gzip(accepted: str) -> bool:
    """Whether an Accept-Encoding names gzip, and does not refuse it (`gzip;q=0`)."""
    for part in accepted.split(","):
        coding, _, weight = part.partition(";")
        if coding.strip().lower() == "gzip":
            return _REFUSED_CODING.fullmatch(weight) is None
    return False


def is_known(tags: str, etag: str) -> bool:
    """Whether an If-None-Match names this ETag. The comparison is weak (RFC 9110, 13.1.2): proxies
    that compress make strong ones weak. No ETag of ours has a comma in it."""
    if not tags:
        return False
    named = [tag.strip() for tag in tags.split(",")]
    return named == ["*"] or etag in {tag.removeprefix("W/") for tag in named}


def _headers(raw: Iterable[tuple[bytes, bytes]]) -> dict[bytes, str]:
    """Those that are read; repeated ones are one list (RFC 9110, 5.3)."""
    found: dict[bytes, str] = {}
    for name, value in raw:
        lower = name.lower()
        if lower in _READ:
            text = value.decode("latin-1")
            found[lower] = f"{found[lower]}, {text}" if lower in found else text
    return found
