"""`AsyncClient`: the API under Trio."""

import random
import ssl
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Any, Generic, ParamSpec, Self, TypeVar, overload

import httpx2
import trio

from lamplighter.client import http
from lamplighter.client.calls import orders
from lamplighter.client.place import DEFAULT_AT, Place
from lamplighter.client.steps import (
    ANSWER_BYTES_MOST,
    Answer,
    Broken,
    Call,
    Kit,
    Patience,
    Pause,
    Send,
)

P = ParamSpec("P")
T = TypeVar("T")

CLOSE_S = 1.0


class Awaited(Generic[P, T]):
    """An async method; its arguments are those of the call."""

    def __init__(self, call: Callable[P, Call[T]]) -> None:
        self.call = call
        self.__doc__ = call.__doc__

    @overload
    def __get__(self, client: None, owner: type) -> Self: ...
    @overload
    def __get__(self, client: "AsyncClient", owner: type) -> Callable[P, Awaitable[T]]: ...
    def __get__(
        self, client: "AsyncClient | None", owner: type
    ) -> Self | Callable[P, Awaitable[T]]:
        if client is None:
            return self

        async def method(*args: P.args, **named: P.kwargs) -> T:
            return await client.carry_out(self.call(*args, **named))

        method.__doc__ = self.__doc__
        return method


class AsyncClient:
    """One service; an async context manager. Any number of tasks may use it at once.

    `at` is its address (a base path may follow), `token` one of its tokens, `context` a TLS context
    for a certificate of one's own. Every call raises Unanswered, Refused or another
    LamplighterError, and ends within `patience.whole_s` unless it says otherwise.
    """

    def __init__(
        self,
        at: str = DEFAULT_AT,
        token: str | None = None,
        *,
        context: ssl.SSLContext | None = None,
        patience: Patience | None = None,
    ) -> None:
        self.place = Place.of(at, token)
        self._http = httpx2.AsyncClient(**http.options(self.place, context))
        self._kit = Kit(trio.current_time, random.Random(), http.new_key, patience or Patience())

    order = Awaited(orders.order)
    command = Awaited(orders.command)
    find_command = Awaited(orders.find_command)
    commands = Awaited(orders.commands)
    withdraw = Awaited(orders.withdraw)
    want_nothing = Awaited(orders.want_nothing)

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
        """The service's time in Unix seconds, by its newest answer; 0 before the first."""
        return self._kit.clock.now(trio.current_time())

    async def carry_out(self, call: Call[T]) -> T:
        """Ask what is not a method, as `lamplighter.client.ask` describes it."""
        steps = call.steps(self._kit)
        came: Answer | Broken | None = None
        while True:
            try:
                step = steps.send(came)
            except StopIteration as done:
                result: T = done.value
                return result
            match step:
                case Send():
                    came = await self._sent(step)
                case Pause():
                    await trio.sleep(step.seconds)
                    came = None

    async def _sent(self, send: Send) -> Answer | Broken:
        arguments: dict[str, Any] = http.request(self.place, send)
        try:
            with trio.move_on_after(send.timeout_s):
                async with self._http.stream(**arguments) as response:
                    content = bytearray()
                    async for part in response.aiter_bytes():
                        content += part
                        if len(content) > ANSWER_BYTES_MOST:
                            return http.too_long(self.place)
                    return http.answer(response, bytes(content))
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            return http.broken(self.place, error)
        return http.late(self.place)
