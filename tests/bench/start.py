"""Start with 20,000 stored lights.

Measured: from the start of the service's process (the interpreter and all imports included) until
it listens, every light's actor runs and every light stands on the board. The store was filled and
closed before (Redis keeps running); the pretend network server in our process lists all lights.
The median of some starts.
"""

import time
from pathlib import Path

from tests.bench import fleet, stores
from tests.bench.figures import Figure, medians
from tests.bench.service import running

LIGHTS = 20_000
AIM_S = 10.0
STARTS = 3


async def measure(folder: Path) -> list[Figure]:
    """All figures of this bench."""
    figures = []
    for name in stores.names():
        inside = folder / name
        inside.mkdir()
        with stores.store(name, inside) as url:
            await fleet.stored(url, LIGHTS)
            figures += [await _start(url, f"{LIGHTS:,} lights, {name}") for _ in range(STARTS)]
    return medians(figures)


async def _start(url: str, what: str) -> Figure:
    async with running(url, LIGHTS) as service:
        listening_s = service.listening_s
        await service.until("running", LIGHTS)
        took_s = time.perf_counter() - service.began
        state = await service.state()
        if state["devices"] != LIGHTS:
            raise RuntimeError(f"{state['devices']} lights on the board")
        note = f"listening after {listening_s:.1f} s, RSS {state['rss_bytes'] / 1e6:.0f} MB"
    return Figure("start", what, took_s, "s", AIM_S, note)
