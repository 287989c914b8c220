"""Both clients of `lamplighter.client`, asked in one way: what holds for one holds for both."""

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import trio

from api.settings.model import ApiSettings, ChirpStack
from lamplighter.client import AsyncClient, Client, Patience
from tests.support.fake_application import FakeApplication
from tests.support.web_server import Server, running

QUICK = Patience(tries=4, first_s=0.01, most_s=0.05, timeout_s=5.0, whole_s=8.0)
KINDS = ("blocking", "trio")

Do = Callable[..., Any]


@asynccontextmanager
async def client_of(
    kind: str, at: str, token: str | None = None, patience: Patience = QUICK
) -> AsyncGenerator[Do, None]:
    """`await do("command", ...)` calls that method of a client of this kind; a blocking one in a
    thread of its own, so that the server beside it goes on."""
    if kind == "trio":
        async with AsyncClient(at, token, patience=patience) as asked:

            async def do(name: str, *args: Any, **named: Any) -> Any:
                return await getattr(asked, name)(*args, **named)

            yield do
    else:
        with Client(at, token, patience=patience) as blocking:

            async def do_blocking(name: str, *args: Any, **named: Any) -> Any:
                method = partial(getattr(blocking, name), *args, **named)
                return await trio.to_thread.run_sync(method)

            yield do_blocking


@asynccontextmanager
async def served(
    kind: str, lights: int = 1, token: str | None = None, **web: object
) -> AsyncGenerator[tuple[Do, FakeApplication, Server], None]:
    """A real server over a fake application, and a client of it."""
    application = FakeApplication(lights)
    chirpstack = ChirpStack(target="localhost:8080", api_key="unused")
    settings = ApiSettings(chirpstack=chirpstack, web={"port": 0, **web})
    async with (
        trio.open_nursery() as nursery,
        running(application, settings) as server,
    ):
        await nursery.start(application.board.run)
        async with client_of(kind, f"127.0.0.1:{server.port}", token) as do:
            yield do, application, server
        nursery.cancel_scope.cancel(reason="the test is over")
