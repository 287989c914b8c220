"""Start the drill: `python -m tests.drill [--run] [--lights N] [--processes N] [--port N]`.

It prints the address of its page, where processes and servers are killed, paused and started again
while commands are given and counted. With `--run` every fault is done once, in order, and a table
is printed; the exit code is 1 where an acknowledged command was lost, one was refused, or the site
did not become well.
"""

import argparse
import logging
import socket
import sys
from functools import partial

import structlog
import trio
from hypercorn.config import Config
from hypercorn.trio import serve

from api.server.signals import until_signal
from tests.drill.faults import Faults
from tests.drill.load import Load
from tests.drill.page import Told, page_over
from tests.drill.script import drilled, table
from tests.drill.site import NAMES, site

PER_S = 2.0
PORT = 8099


async def drill(options: argparse.Namespace) -> int:
    """Until a signal, or the end of the script."""
    told = Told()
    with socket.create_server(("127.0.0.1", options.port)):
        pass  # taken by somebody else: said before anything is begun
    async with (
        site(options.lights, options.processes) as here,
        trio.open_nursery() as nursery,
    ):
        nursery.start_soon(_until_signal, nursery.cancel_scope)
        load = Load(list(here.world.stations), here.asked, here.http, per_s=PER_S)
        faults = Faults(here, load, told)
        if not await faults.ready():
            told(str(await faults.wrong()))
            for each in here.processes.values():
                told(f"{each.name} is {each.state}; it said:\n{each.said()}")
            nursery.cancel_scope.cancel(reason="the processes did not come up")
            return 1
        for each in here.processes.values():
            told(f"{each.name}: {each.url}/?view=cluster")
        await nursery.start(load.run)
        config = Config()
        config.bind = [f"127.0.0.1:{options.port}"]
        config.errorlog = None
        app = page_over(here, load, faults, told, nursery)
        await nursery.start(partial(serve, app, config))
        told(f"the drill: http://127.0.0.1:{options.port}/ (stop with Ctrl-C)")
        if not options.run:
            await trio.sleep_forever()
        seen, became = await drilled(here, load, faults)
        print(table(seen, became, load))  # noqa: T201 a program for the terminal
        for one in await load.open_ones():
            told(f"still open: {one}")
        nursery.cancel_scope.cancel(reason="the drill is over")
        bad = any(one.well_s is None or one.seen.refused for one in seen)
        return 1 if bad or became.get("missing") else 0
    return 0


async def _until_signal(scope: trio.CancelScope) -> None:
    await until_signal()
    scope.cancel(reason="a signal")


def main() -> int:
    """Read the options, and drill."""
    quiet = structlog.make_filtering_bound_logger(logging.ERROR)
    structlog.configure(wrapper_class=quiet)
    parser = argparse.ArgumentParser(prog="python -m tests.drill")
    parser.add_argument("--run", action="store_true", help="every fault once, and a table")
    parser.add_argument("--lights", type=int, default=40)
    parser.add_argument("--processes", type=int, default=3, choices=range(2, len(NAMES) + 1))
    parser.add_argument("--port", type=int, default=PORT)
    return trio.run(drill, parser.parse_args())


if __name__ == "__main__":
    sys.exit(main())
