"""HTTP to a running service, under Trio.

Every request has a deadline, and every failure is raised as a ClientError with a message. Ages are
counted by the service's clock (its Date header), so that they are right on a machine whose own
clock is wrong.
"""

import secrets
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from types import TracebackType
from typing import Any, Self

import httpx2
import msgspec
import trio

from api.cli.client.errors import Mistaken, Unanswered, refusal
from api.cli.client.place import API, Place

TIMEOUT_S = 15.0
"""The service answers everything but commands, which we do not wait for here, within 12 s."""
CLOSE_S = 1.0
PART_BYTES = 200_000
"""Of a file; below what a service takes as one body unless it is told otherwise (256 kB)."""
PAGE = 1_000
"""Lights a page, the most that the service gives."""
PAGES_MOST = 100
"""100,000 lights, five times what a service is built for."""


class HttpAnswer(msgspec.Struct, frozen=True):
    """What came back: status, JSON, and where to ask on."""

    status: int
    body: Any
    location: str | None
    replayed: bool
    """The idempotency key was known; this is the earlier command."""


class Client:
    """Requests to one service; open as an async context manager."""

    def __init__(self, place: Place, *, timeout_s: float = TIMEOUT_S) -> None:
        self.place = place
        self._http = httpx2.AsyncClient(headers=place.headers(), timeout=timeout_s, trust_env=False)
        self._dated: tuple[float, float] | None = None

    async def __aenter__(self) -> Self:
        await self._http.__aenter__()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        with trio.move_on_after(CLOSE_S, shield=True):
            await self._http.__aexit__(kind, error, traceback)

    def now(self) -> float:
        """The service's time in Unix seconds; 0 before its first answer."""
        if self._dated is None:
            return 0.0
        at, seen = self._dated
        return at + trio.current_time() - seen

    async def get(self, path: str, query: Mapping[str, Any] | None = None) -> Any:
        """The JSON of a page. Raises Unanswered or Refused."""
        return (await self.ask("GET", path, query=query)).body

    async def ask(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, Any] | None = None,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
    ) -> HttpAnswer:
        """One request; `path` is below /api/v1. Raises Unanswered or Refused."""
        return self._answer(await self._response(method, path, query, headers, json=body))

    async def send_file(
        self, method: str, path: str, content: bytes, headers: Mapping[str, str] | None = None
    ) -> HttpAnswer:
        """Send a file, in parts where it is larger than a body may be; the answer to the last one.
        Raises Unanswered or Refused."""
        sent = {"Content-Type": "application/octet-stream", **(headers or {})}
        if len(content) <= PART_BYTES:
            return self._answer(await self._response(method, path, None, sent, content=content))
        sent["Idempotency-Key"] = secrets.token_hex(16)
        answer: HttpAnswer | None = None
        for start in range(0, len(content), PART_BYTES):
            part = content[start : start + PART_BYTES]
            sent["Content-Range"] = f"bytes {start}-{start + len(part) - 1}/{len(content)}"
            answer = self._answer(await self._response(method, path, None, sent, content=part))
        assert answer is not None  # noqa: S101 - there is at least one part
        return answer

    async def get_file(self, path: str, query: Mapping[str, Any] | None = None) -> bytes:
        """A file of the service's. Raises Unanswered or Refused."""
        return (await self._response("GET", path, query, None)).content

    def _answer(self, response: httpx2.Response) -> HttpAnswer:
        return HttpAnswer(
            response.status_code,
            self._decode(response),
            response.headers.get("location"),
            response.headers.get("idempotent-replayed") == "true",
        )

    async def _response(
        self,
        method: str,
        path: str,
        query: Mapping[str, Any] | None,
        headers: Mapping[str, str] | None,
        *,
        json: Any = None,
        content: bytes | None = None,
    ) -> httpx2.Response:
        path = path if path.startswith(API) else f"{API}{path}"
        try:
            response = await self._http.request(
                method,
                f"{self.place.at}{path}",
                params=_parameters(query or {}),
                json=json,
                content=content,
                headers=dict(headers or {}),
            )
        except httpx2.TimeoutException as error:
            raise Unanswered(f"{self.place.at} does not answer in time") from error
        except httpx2.InvalidURL as error:
            raise Mistaken(f"--at: {self.place.at} cannot be asked: {error}") from error
        except httpx2.HTTPError as error:
            text = f"no service answers at {self.place.at} ({str(error) or type(error).__name__})"
            raise Unanswered(f"{text}; is it running, and is --at right?") from error
        self._note_date(response)
        if response.status_code >= 400:
            raise refusal(
                response.status_code, response.content, response.headers.get("retry-after")
            )
        return response

    async def devices(self, query: Mapping[str, Any] | None = None) -> list[dict[str, Any]]:
        """Every light that matches, all pages. Raises Unanswered or Refused."""
        found: dict[str, dict[str, Any]] = {}
        for number in range(PAGES_MOST):
            page = await self.get(
                "/devices", {**(query or {}), "limit": PAGE, "offset": number * PAGE}
            )
            found.update((device["dev_eui"], device) for device in page["devices"])
            if len(page["devices"]) < PAGE:
                break
        return list(found.values())

    def _decode(self, response: httpx2.Response) -> Any:
        if not response.content:
            return None
        try:
            return msgspec.json.decode(response.content)
        except msgspec.MsgspecError as error:
            raise Unanswered(
                f"what answers at {self.place.at} is not Lamplighter; is --at right?"
            ) from error

    def _note_date(self, response: httpx2.Response) -> None:
        try:
            at = parsedate_to_datetime(response.headers.get("date", "")).timestamp()
        except ValueError:
            return
        self._dated = (at, trio.current_time())


def _parameters(query: Mapping[str, Any]) -> dict[str, Any]:
    """Query parameters: None is left out, a list is repeated."""
    return {name: value for name, value in query.items() if value is not None}
