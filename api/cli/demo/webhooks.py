"""The pretend ChirpStack's HTTP integration: events of the world, posted as real webhooks.

As by ChirpStack, each event is posted once, in no order and without a retry, to every URL of the
integration that was set up through the API.
"""

import httpx2
import structlog
import trio

from lorawan.events.model import Event
from lorawan.network import Encoding, HttpIntegration
from simulation.world.bodies import json_body, protobuf_body

log = structlog.get_logger()

WAITING_MOST = 2_000
"""Some 2 kB each: 4 MB. A demo sends a few events a second; past that they are lost, as webhooks
may be."""
POSTERS = 8
TIMEOUT_S = 10.0


class Poster:
    """Posts events once an integration is set up. `send` never waits."""

    def __init__(self) -> None:
        self.integration: HttpIntegration | None = None
        """What was set up; None: nothing is posted."""
        self._queue, self._waiting = trio.open_memory_channel[Event](WAITING_MOST)
        self.lost = 0

    def set_up(self, application_id: str, integration: HttpIntegration | None) -> None:
        """The server's callback: the integration was created, changed or deleted."""
        self.integration = integration

    def send(self, event: Event) -> None:
        """Hand an event over."""
        try:
            self._queue.send_nowait(event)
        except trio.WouldBlock:
            self.lost += 1

    async def run(self, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Post until cancelled."""
        async with httpx2.AsyncClient(timeout=TIMEOUT_S) as client, trio.open_nursery() as nursery:
            for _ in range(POSTERS):
                nursery.start_soon(self._post_all, client)
            task_status.started()

    async def _post_all(self, client: httpx2.AsyncClient) -> None:
        async for event in self._waiting.clone():
            integration = self.integration
            if integration is None:
                continue
            as_json = integration.encoding is Encoding.JSON
            kind, body = json_body(event) if as_json else protobuf_body(event)
            content = "application/json" if as_json else "application/octet-stream"
            headers = {**integration.headers, "content-type": content}
            for url in integration.event_endpoint_url.split(","):
                try:
                    await client.post(
                        url.strip(), params={"event": kind}, content=body, headers=headers
                    )
                except httpx2.HTTPError as error:
                    log.debug("webhook not delivered", error=str(error))
