"""HTTP to a running service, under Trio: what a verb asks by path, through `lamplighter.client`.

Every request has a deadline, and every failure is raised as a ClientError with a message. Ages are
counted by the service's clock (its Date header), so that they are right on a machine whose own
clock is wrong. What asks is imported once something is asked: every verb, `--help` and completion
import this module.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from api.cli.client.errors import Unanswered, in_our_words
from api.cli.client.place import Place
from lamplighter.client.errors import LamplighterError

if TYPE_CHECKING:
    from lamplighter.client.steps import Answer, Call

TIMEOUT_S = 15.0
"""The service answers everything but commands, which we do not wait for here, within 12 s."""
CLOSE_S = 2.0
TRIES = 3
"""A person waits: a second at most before a service that does not answer is told."""
PAGE = 1_000
"""Lights a page, the most that the service gives."""
PAGES_MOST = 100
"""100,000 lights, five times what a service is built for."""


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """What came back: status, JSON, and where to ask on."""

    status: int
    body: Any
    location: str | None
    replayed: bool
    """The idempotency key was known; this is the earlier command."""


class Client:
    """Requests to one service; open as an async context manager."""

    def __init__(self, place: Place, *, timeout_s: float = TIMEOUT_S) -> None:
        from lamplighter import client

        self.place = place
        patience = client.Patience(tries=TRIES, timeout_s=timeout_s, whole_s=2 * timeout_s)
        self._client = client.AsyncClient(place.at, place.token, patience=patience)

    async def __aenter__(self) -> Self:
        await self._client.__aenter__()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        import trio

        with trio.move_on_after(CLOSE_S, shield=True):
            await self._client.__aexit__(kind, error, traceback)

    def now(self) -> float:
        """The service's time in Unix seconds; 0 before its first answer."""
        return self._client.now()

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
        return self._read(await self._answer(_ask(method, path, query, body, headers)))

    async def send_file(
        self, method: str, path: str, content: bytes, headers: Mapping[str, str] | None = None
    ) -> HttpAnswer:
        """Send a file, in parts where it is larger than a body may be; the answer to the last one.
        Raises Unanswered or Refused."""
        from lamplighter.client.calls.uploads import upload

        return self._read(await self._answer(upload(method, path, content, headers or {})))

    async def get_file(self, path: str, query: Mapping[str, Any] | None = None) -> bytes:
        """A file of the service's. Raises Unanswered or Refused."""
        return (await self._answer(_ask("GET", path, query))).content

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

    async def _answer(self, call: "Call[Answer]") -> "Answer":
        try:
            return await self._client.carry_out(call)
        except LamplighterError as error:
            raise in_our_words(error) from error

    def _read(self, answer: "Answer") -> HttpAnswer:
        import msgspec

        try:
            body = msgspec.json.decode(answer.content) if answer.content else None
        except msgspec.MsgspecError as error:
            raise Unanswered(
                f"what answers at {self.place.at} is not Lamplighter; is --at right?"
            ) from error
        return HttpAnswer(
            answer.status,
            body,
            answer.headers.get("location"),
            answer.headers.get("idempotent-replayed") == "true",
        )


def _ask(
    method: str,
    path: str,
    query: Mapping[str, Any] | None = None,
    body: Any = None,
    headers: Mapping[str, str] | None = None,
) -> "Call[Answer]":
    """A question is repeated where its connection breaks, and an order that has its key."""
    from lamplighter.client.ask import Ask, Repeat
    from lamplighter.client.steps import Whole

    key = (headers or {}).get("Idempotency-Key")
    repeat = Repeat.HARMLESS if method == "GET" else Repeat.NEVER if key is None else Repeat.KEYED
    ask = Ask(
        model=bytes,
        method=method,
        path=path,
        query=query or {},
        body=body,
        headers=headers or {},
        repeat=repeat,
        key=key,
    )
    return Whole(ask.answered)
