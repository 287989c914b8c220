"""A request handed to an app byte for byte, as a server would, without a socket.

Nothing is normalised on the way; a header that no client library sends gets through, too.
"""

from collections.abc import Sequence
from typing import Any
from urllib.parse import unquote

import trio
from quart_trio import QuartTrio


async def ask(
    app: QuartTrio,
    method: str,
    target: str,
    headers: Sequence[tuple[str, str]],
    body: bytes = b"",
    *,
    ends: bool = True,
) -> tuple[int, dict[str, list[str]], bytes]:
    """Status, headers and body of the answer. `target` is path and query, percent-encoded; what
    does not `ends` is a body of which no more comes."""
    path, _, query = target.partition("?")
    scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": unquote(path),
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "root_path": "",
        "headers": [(name.lower().encode(), value.encode("latin-1")) for name, value in headers],
        "client": ("127.0.0.1", 40_000),
        "server": ("127.0.0.1", 8_090),
        "extensions": {},
    }
    asked = [{"type": "http.request", "body": body, "more_body": not ends}]
    answered: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        if asked:
            return asked.pop()
        return await trio.sleep_forever()

    async def send(message: dict[str, Any]) -> None:
        answered.append(message)

    await app(scope, receive, send)  # type: ignore[arg-type]
    start = answered[0]
    found: dict[str, list[str]] = {}
    for name, value in start["headers"]:
        found.setdefault(name.decode("latin-1").lower(), []).append(value.decode("latin-1"))
    return start["status"], found, b"".join(m.get("body", b"") for m in answered[1:])
