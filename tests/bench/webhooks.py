"""Webhooks through HTTP into the mailbox.

Measured: from the first byte of a POST to the end of its answer (204: the event is in the light's
mailbox), on the whole service over SQLite in a process of its own, by a generator in ours. 1,000
lights take turns; each body is a status uplink heard by two gateways, as ChirpStack v4 sends it.
With 1 connection every webhook waits for the one before; with 50 the service is saturated, so the
latency is that of a queue of 50. `carried out` counts until the last light had stored what it was
told and shows it, which is what the service can take for ever.
"""

from pathlib import Path

from tests.bench import fleet, http, posts
from tests.bench.figures import Figure, latencies
from tests.bench.service import Service, running

LIGHTS = 1_000
WARM_UP = 1_000
# 3 and 6 statuses of each light, below the 32 that its mailbox holds; some seconds each.
REQUESTS = {1: 3_000, 50: 6_000}
FORMS = {"JSON": posts.JSON, "Protobuf": posts.PROTOBUF}


async def measure(folder: Path) -> list[Figure]:
    """All figures of this bench."""
    url = f"sqlite:///{folder / 'webhooks.db'}"
    await fleet.stored(url, LIGHTS)
    figures = []
    async with running(url, LIGHTS) as service:
        turns = Turns()
        await _round(service, turns, "JSON", 8, WARM_UP)
        for connections, count in REQUESTS.items():
            for form in FORMS:
                figures += await _round(service, turns, form, connections, count)
    return figures


class Turns:
    """Hands out the statuses of all lights in turn."""

    def __init__(self) -> None:
        self.given = 0

    def take(self, count: int, media_type: str) -> list[bytes]:
        """The next requests."""
        numbers = range(self.given, self.given + count)
        self.given += count
        return posts.webhooks(
            [fleet.status(n % LIGHTS, 1 + n // LIGHTS) for n in numbers], media_type
        )


async def _round(
    service: Service, turns: Turns, form: str, connections: int, count: int
) -> list[Figure]:
    requests = turns.take(count, FORMS[form])
    before = await service.state()
    load = await http.hammer(service.port, requests, connections)
    refused = load.refused(204)
    drained_s = await service.until("uplinks", before["uplinks"] + count - refused)
    after = await service.state()
    plural = "" if connections == 1 else "s"
    what = f"{form}, {connections} connection{plural}"
    each_us = (after["cpu_s"] - before["cpu_s"]) / count * 1e6
    note = f"{len(requests[0]):,} bytes, {each_us:.0f} us of CPU each"
    if refused:
        note += f", {refused} refused"
    carried = count / (load.took_s + drained_s)
    return [
        Figure("webhooks", what, load.per_s, "1/s", None, note),
        Figure("webhooks", f"{what}, carried out", carried, "1/s"),
        *latencies("webhooks", what, load.latencies_s),
    ]
