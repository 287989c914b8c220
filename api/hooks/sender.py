"""Posts signed events by HTTP, with an end to every wait and every size.

Nothing is followed: an answer that points elsewhere counts as not taken. No proxy of the
environment is used, and no cookie kept.
"""

import ssl
import time
from collections.abc import Callable, Sequence
from contextlib import aclosing
from types import TracebackType
from typing import Self

import httpcore2
import trio

from actors.cluster.release import installed_version
from actors.outgoing.ports import Answer
from actors.plain_text import one_line
from api.hooks.guard import Guard, GuardedBackend, NotAllowed
from api.hooks.signature import signed

CONNECTIONS_MOST = 16
"""As many as there are requests under way."""
KEEP_S = 30.0
READ_MOST = 4_096
"""Bytes of an answer's body that are read; what is longer costs the connection."""
TEXT_MOST = 200
"""Characters of it that are shown, where the event was not taken."""
WAIT_MOST_S = 3_600.0

_FAILURES = (
    httpcore2.NetworkError,
    httpcore2.TimeoutException,
    httpcore2.ProtocolError,
    httpcore2.UnsupportedProtocol,
    ssl.SSLError,
    OSError,
)


class HttpSender:
    """One for all hooks. Close it at the end."""

    def __init__(
        self,
        guard: Guard,
        context: Callable[[], ssl.SSLContext],
        *,
        timeout_s: float,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._guard = guard
        self._context = context
        self._timeout_s = timeout_s
        self._now = now
        self._pool: httpcore2.AsyncConnectionPool | None = None

    async def post(self, url: str, event_id: str, body: bytes, secrets: Sequence[str]) -> Answer:
        """Post this once."""
        began_s = trio.current_time()
        status, error, text, wait_s = None, None, "", None
        try:
            self._guard.check_url(url)
            with trio.move_on_after(self._timeout_s) as limit:
                status, text, wait_s = await self._exchange(url, event_id, body, secrets)
            if limit.cancelled_caught:
                error = f"no answer within {self._timeout_s:g} s"
        except NotAllowed as refused:
            error = f"not posted: {refused}"
        except _FAILURES as failure:
            error = _words(failure)
        if status is not None and not 200 <= status < 300:
            error = f"answered {status}"
        took_s = trio.current_time() - began_s
        return Answer(status, error, took_s, "" if error is None else text, wait_s)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        pool, self._pool = self._pool, None
        if pool is not None:
            with trio.move_on_after(1.0, shield=True):
                await pool.aclose()

    async def _exchange(
        self, url: str, event_id: str, body: bytes, secrets: Sequence[str]
    ) -> tuple[int, str, float | None]:
        headers: list[tuple[bytes | str, bytes | str]] = [
            ("content-type", "application/json"),
            ("user-agent", f"lamplighter/{installed_version()}"),
            *signed(event_id, int(self._now()), body, secrets).items(),
        ]
        timeouts = dict.fromkeys(("connect", "read", "write", "pool"), self._timeout_s)
        async with self._connections().stream(
            "POST", url, headers=headers, content=body, extensions={"timeout": timeouts}
        ) as response:
            read = b""
            async with aclosing(response.aiter_stream()) as chunks:
                async for chunk in chunks:
                    read += chunk
                    if len(read) >= READ_MOST:
                        break
        found = {name.lower(): value for name, value in response.headers}
        text = one_line(read[:READ_MOST].decode("utf-8", "replace"), TEXT_MOST)
        return response.status, text, _wait_s(found.get(b"retry-after"))

    def _connections(self) -> httpcore2.AsyncConnectionPool:
        if self._pool is None:
            self._pool = httpcore2.AsyncConnectionPool(
                ssl_context=self._context(),
                max_connections=CONNECTIONS_MOST,
                max_keepalive_connections=CONNECTIONS_MOST,
                keepalive_expiry=KEEP_S,
                network_backend=GuardedBackend(self._guard),
            )
        return self._pool


def _wait_s(retry_after: bytes | None) -> float | None:
    """Seconds; a date is not taken, for whose clock would it be by."""
    if retry_after is None or not retry_after.strip().isdigit() or len(retry_after) > 9:
        return None
    return min(float(retry_after), WAIT_MOST_S)


def _words(failure: Exception) -> str:
    """What went wrong, by the innermost cause that has words."""
    text = str(failure)
    cause: BaseException | None = failure
    while cause is not None:
        if isinstance(cause, ssl.SSLError | OSError) and cause.strerror:
            text = cause.strerror
        elif str(cause):
            text = text or str(cause)
        cause = cause.__cause__
    return one_line(text or type(failure).__name__, TEXT_MOST)
