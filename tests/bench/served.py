"""The process that is measured: the service as an operator starts it, and a route to look in.

It does what `lamplighter serve` does and no more. Its one argument is the settings as JSON; it
prints the port once it listens, and ends at SIGTERM.
"""

import signal
import sys
import time
from functools import partial

import msgspec
import trio
from quart import Blueprint, Response, request

from api.http.services import services
from api.logging import configure
from api.service import serve
from api.settings.model import ApiSettings
from tests.bench.process import rss_bytes

blueprint = Blueprint("bench", __name__)


@blueprint.get("/bench")
async def state() -> Response:
    """Lights on the board, uplinks taken in, and what the process uses.

    Asked for `running`, how many actors run, too: to count them takes milliseconds, which a bench
    that looks every 50 ms would measure as if the service had spent them.
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
    return Response(msgspec.json.encode(found), content_type="application/json")


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
    trio.run(main, wanted)
