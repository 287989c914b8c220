"""The process that is attacked: the real server over a fake application, with tokens as by default.

The limit on open files is that of most systems, 1,024; what the service does about it is part of
what is measured. It prints the port once it listens, and ends at SIGTERM.
"""

import resource
import signal
import sys

import trio

from api.http.app import create_app
from api.logging import configure
from api.server.descriptors import raise_limit
from api.server.web_actor import WebActor
from api.settings.model import ApiSettings, ChirpStack, Logs
from tests.hostile.tokens import TOKENS
from tests.support.fake_application import FakeApplication

DESCRIPTORS = 1_024


async def main() -> None:
    """Serve until SIGTERM."""
    settings = ApiSettings(
        chirpstack=ChirpStack(target="localhost:8080", api_key="unused"),
        web={"port": 0, "tokens": TOKENS},
    )
    actor = WebActor(create_app(FakeApplication(), settings), settings.web)
    async with trio.open_nursery() as nursery:
        with trio.open_signal_receiver(signal.SIGTERM) as signals:
            await nursery.start(actor.run)
            sys.stdout.write(f"{actor.port}\n")
            sys.stdout.flush()
            async for _ in signals:
                nursery.cancel_scope.cancel(reason="the attack is over")


if __name__ == "__main__":
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (DESCRIPTORS, hard))
    configure(Logs(level="error"))
    raise_limit()
    trio.run(main)
