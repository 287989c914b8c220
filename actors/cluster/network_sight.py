"""Whether this process reaches ChirpStack, also where nothing of it asks for anything just now.

Whoever has the fleet's own shard gives it to another process when ChirpStack does not answer it;
that must know, then, whether it is answered itself.
"""

from collections.abc import Callable

import trio

from lorawan.network import NetworkError, NetworkServer

EVERY_S = 10.0
"""One small list a process: 0.1 calls/s."""
ANSWER_S = 5.0


class NetworkSight:
    """The actor. `watched` is what the gateway watcher of this process sees; None where it runs in
    another: then this one asks."""

    def __init__(self, network: NetworkServer, watched: Callable[[], bool | None]) -> None:
        self._network = network
        self._watched = watched
        self._answered = True

    @property
    def sees(self) -> bool:
        """Whether ChirpStack answers; true until that is known."""
        watched = self._watched()
        return self._answered if watched is None else watched

    async def run(self, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Ask now and then, until cancelled."""
        task_status.started()
        while True:
            if self._watched() is None:
                self._answered = await self._asked()
            await trio.sleep(EVERY_S)

    async def _asked(self) -> bool:
        try:
            with trio.fail_after(ANSWER_S):
                await self._network.gateways()
        except (NetworkError, trio.TooSlowError):
            return False
        return True
