"""The real service in a process of its own, and its pretend network server in ours.

What runs is `api.service.serve` with the settings of an operator, over gRPC, HTTP and a real store.
Only the limit of requests per client is lifted, for the bench is one client, and the log is kept to
errors.
"""

import subprocess
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import msgspec
import trio

from simulation.world.server.grpc_server import GrpcServer
from tests.bench import http
from tests.bench.network import QuietNetwork
from tests.bench.process import read_line, start, stop

API_KEY = "pretend-key-of-the-bench"
START_TIMEOUT_S = 60.0
LOOK_S = 0.25
"""Each look is a millisecond of CPU of the service, which counts as the service's own."""


@dataclass(frozen=True, slots=True)
class Service:
    """A running service. `listening_s` is from the start of its process until it listened."""

    port: int
    network: QuietNetwork
    process: "subprocess.Popen[str]"
    began: float
    listening_s: float

    async def state(self, *, of: str = "") -> dict[str, Any]:
        """How it is: counts, memory and CPU time; `of` names what is asked for beside."""
        state: dict[str, Any] = msgspec.json.decode(await http.get(self.port, f"/bench?{of}"))
        return state

    async def until(self, name: str, least: float, timeout_s: float = 60.0) -> float:
        """Seconds from now until this part of the state is so large. Raises TooSlowError."""
        began = time.perf_counter()
        with trio.fail_after(timeout_s):
            while (await self.state(of=name))[name] < least:  # noqa: ASYNC110 another process
                await trio.sleep(LOOK_S)
        return time.perf_counter() - began


@asynccontextmanager
async def running(
    store_url: str,
    lights: int,
    *,
    events_url: str | None = None,
    network: QuietNetwork | None = None,
) -> AsyncGenerator[Service, None]:
    """Start the service over what is stored at `store_url`; it is stopped at the end. It reads
    ChirpStack's stream at `events_url`, if there is one; several may have one `network`."""
    network = network or QuietNetwork(lights)
    async with GrpcServer(network, api_key=API_KEY) as server:
        settings = {
            "chirpstack": {
                "target": f"127.0.0.1:{server.port}",
                "api_key": API_KEY,
                "events": {"url": events_url},
            },
            "store": {"url": store_url},
            "web": {"port": 0, "rate_per_s": 1e6, "rate_burst": 1_000_000},
            "radio": {"rx2_dr": 3},
            "logs": {"level": "error", "format": "json"},
        }
        began = time.perf_counter()
        process = start("tests.bench.served", msgspec.json.encode(settings).decode())
        try:
            with trio.fail_after(START_TIMEOUT_S):
                port = int(
                    await trio.to_thread.run_sync(read_line, process, abandon_on_cancel=True)
                )
            yield Service(port, network, process, began, time.perf_counter() - began)
        finally:
            with trio.CancelScope(shield=True):
                await trio.to_thread.run_sync(stop, process)
