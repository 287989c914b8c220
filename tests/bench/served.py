"""The process that is measured: the service as an operator starts it, and a route to look in.

It does what `lamplighter serve` does and no more. Its one argument is the settings as JSON; it
prints the port once it listens, and ends at SIGTERM.
"""

import signal
import sys
import time
from functools import partial
from typing import Any

import msgspec
import trio
from quart import Blueprint, Response, request

from actors.downlink.dispatcher import Dispatcher
from api.http.services import services
from api.logging import configure
from api.service import serve
from api.settings.model import ApiSettings
from tests.bench.process import rss_bytes

blueprint = Blueprint("bench", __name__)
submitted: dict[str, float] = {}
"""When the dispatcher was first told of a frame for a light (perf_counter, which on Linux is the
same clock in every process)."""


@blueprint.get("/bench")
async def state() -> Response:
    """Lights on the board, uplinks taken in, and what the process uses.

    Asked for `running`, how many actors run, too: to count them takes milliseconds, which a bench
    that looks often would measure as if the service had spent them. Asked for `submitted`, when
    the dispatcher was told of frames.
    """
    application = services().application
    devices = application.board.devices
    found = {
        "devices": len(devices),
        "uplinks": sum(one.uplinks for one in devices.values()),
        "rss_bytes": rss_bytes(),
        "cpu_s": time.process_time(),
    }
    if "running" in request.args:
        tree = application.supervisor.report().children
        lights = next(one for one in tree if one.id == "lights")
        found["running"] = sum(one.state.value == "running" for one in lights.children)
    if "submitted" in request.args:
        found["submitted"] = submitted
    return Response(msgspec.json.encode(found), content_type="application/json")


def stamp_submissions() -> None:
    """Let the dispatcher note what it is told, and when."""
    submit = Dispatcher.submit

    def stamped(self: Dispatcher, dev_eui: str, *frame: Any) -> None:
        submitted.setdefault(dev_eui, time.perf_counter())
        submit(self, dev_eui, *frame)

    Dispatcher.submit = stamped  # type: ignore[method-assign]


async def main(settings: ApiSettings) -> None:
    """Serve until SIGTERM."""
    async with trio.open_nursery() as nursery:
        with trio.open_signal_receiver(signal.SIGTERM) as signals:
            port = await nursery.start(partial(serve, settings, extra=[blueprint]))
            sys.stdout.write(f"{port}\n")
            sys.stdout.flush()
            async for _ in signals:
                nursery.cancel_scope.cancel(reason="the bench is over")


if __name__ == "__main__":
    wanted = ApiSettings.model_validate_json(sys.argv[1])
    configure(wanted.logs)
    stamp_submissions()
    trio.run(main, wanted)
