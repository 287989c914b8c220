"""The real service in a process of its own, and its pretend network server in ours.

The rule it keeps: what runs is `api.service.serve` with the settings of an operator, over gRPC,
HTTP and a real store. Only the limit of requests per client is lifted, for the bench is one client.

As a module it is that process: it serves what its one argument says until it is terminated, and
prints its port once it listens. A route `/bench` tells how it is.
"""

import subprocess
import sys
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import msgspec
import trio

from simulator.server.grpc_server import GrpcServer
from tests.bench import http
from tests.bench.network import QuietNetwork

ROOT = Path(__file__).parents[2]
API_KEY = "pretend-key-of-the-bench"
START_TIMEOUT_S = 60.0
STOP_TIMEOUT_S = 40.0


@dataclass(frozen=True, slots=True)
class Service:
    """A running service. `listening_s` is from the start of its process until it listened."""

    port: int
    network: QuietNetwork
    process: "subprocess.Popen[str]"
    began: float
    listening_s: float

    async def state(self) -> dict[str, Any]:
        """How it is: see `_state`."""
        state: dict[str, Any] = msgspec.json.decode(await http.get(self.port, "/bench"))
        return state

    async def until(self, name: str, least: float, timeout_s: float = 60.0) -> float:
        """Seconds from now until this part of the state is so large. Raises TooSlowError."""
        began = time.perf_counter()
        with trio.fail_after(timeout_s):
            while (await self.state())[name] < least:
                await trio.sleep(0.05)
        return time.perf_counter() - began


@asynccontextmanager
async def running(store_url: str, lights: int) -> AsyncGenerator[Service, None]:
    """Start the service over what is stored at `store_url`; it is stopped at the end."""
    network = QuietNetwork(lights)
    async with GrpcServer(network, api_key=API_KEY) as server:
        settings = {
            "chirpstack": {"target": f"127.0.0.1:{server.port}", "api_key": API_KEY},
            "store": {"url": store_url},
            "web": {"port": 0, "rate_per_s": 1e6, "rate_burst": 1_000_000},
            "radio": {"rx2_dr": 3},
            "logs": {"level": "error", "format": "json"},
        }
        began = time.perf_counter()
        process = start("tests.bench.service", msgspec.json.encode(settings).decode())
        try:
            with trio.fail_after(START_TIMEOUT_S):
                port = int(
                    await trio.to_thread.run_sync(read_line, process, abandon_on_cancel=True)
                )
            yield Service(port, network, process, began, time.perf_counter() - began)
        finally:
            with trio.CancelScope(shield=True):
                await trio.to_thread.run_sync(stop, process)


def start(module: str, *arguments: str) -> "subprocess.Popen[str]":
    """A Python process of ours, whose standard output is read by us."""
    return subprocess.Popen(
        [sys.executable, "-m", module, *arguments], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )


def read_line(process: "subprocess.Popen[str]") -> str:
    """One line that it printed. Raises RuntimeError when it ended instead."""
    line = output(process).readline()
    if not line:
        raise RuntimeError(f"the process ended with {process.wait()} before it answered")
    return line


def output(process: "subprocess.Popen[str]") -> IO[str]:
    """Its standard output."""
    assert process.stdout is not None
    return process.stdout


def stop(process: "subprocess.Popen[str]") -> None:
    """End it politely, and if that takes too long, not."""
    process.terminate()
    try:
        process.wait(STOP_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(STOP_TIMEOUT_S)
    output(process).close()


def rss_bytes() -> int:
    """Resident memory of this process (Linux)."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096


def _main(settings: str) -> None:
    from functools import partial

    from quart import Blueprint, Response

    from api.logging import configure
    from api.service import serve
    from api.services import services
    from api.settings import ApiSettings

    blueprint = Blueprint("bench", __name__)

    @blueprint.get("/bench")
    async def state() -> Response:
        house = services().house
        devices = house.devices()
        lights = next(one for one in house.supervisor().children if one.id == "lights")
        return Response(
            msgspec.json.encode(
                {
                    "ready": house.readiness().ready,
                    "devices": len(devices),
                    "running": sum(one.state.value == "running" for one in lights.children),
                    "uplinks": sum(one.uplinks for one in devices.values()),
                    "rss_bytes": rss_bytes(),
                    "cpu_s": time.process_time(),
                }
            ),
            content_type="application/json",
        )

    async def main(wanted: ApiSettings) -> None:
        import signal

        async with trio.open_nursery() as nursery:
            with trio.open_signal_receiver(signal.SIGTERM) as signals:
                port = await nursery.start(partial(serve, wanted, extra=[blueprint]))
                sys.stdout.write(f"{port}\n")
                sys.stdout.flush()
                async for _ in signals:
                    nursery.cancel_scope.cancel(reason="the bench is over")

    wanted = ApiSettings.model_validate_json(settings)
    configure(wanted.logs)
    trio.run(main, wanted)


if __name__ == "__main__":
    _main(sys.argv[1])
