"""A path prefix under which a proxy shows us: `web.base_path`.

A prefix that the proxy leaves on the path is removed; one that it removed already is not missed, so
that probes may ask the service itself by the plain paths.
"""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Scope = MutableMapping[str, Any]
Asgi = Callable[[Any, Any, Any], Awaitable[None]]


class BasePath:
    """ASGI in front of ASGI. `prefix` begins with a slash and ends without one."""

    def __init__(self, inner: Asgi, prefix: str) -> None:
        self.inner = inner
        self._prefix = prefix

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        """Hand on what is asked, without the prefix."""
        if scope["type"] == "http" and scope["path"] == self._prefix:
            await self._to_the_page(scope, send)
        elif scope["type"] in {"http", "websocket"}:
            await self.inner(self._stripped(scope), receive, send)
        else:
            await self.inner(scope, receive, send)

    def _stripped(self, scope: Scope) -> Scope:
        path: str = scope["path"]
        if not path.startswith(self._prefix + "/"):
            return scope
        raw: bytes = scope.get("raw_path") or path.encode()
        prefix = self._prefix.encode()  # a setting of plain letters: the same in both
        rest = raw.removeprefix(prefix) if raw.startswith(prefix) else raw
        return {**scope, "path": path.removeprefix(self._prefix), "raw_path": rest}

    async def _to_the_page(self, scope: Scope, send: Any) -> None:
        """Without its last slash the page's own addresses would lead elsewhere."""
        query: bytes = scope.get("query_string", b"")
        where = self._prefix.encode() + b"/" + (b"?" + query if query else b"")
        headers = [(b"location", where), (b"content-length", b"0")]
        await send({"type": "http.response.start", "status": 308, "headers": headers})
        await send({"type": "http.response.body", "body": b"", "more_body": False})
