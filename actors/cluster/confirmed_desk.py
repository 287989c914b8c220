"""Hands the desk only what as many replicas have as it takes, of the lights that others own.

A feed is read at the master, which tells what it has before any replica confirmed it: a fail-over
may take back what is shown, and nobody takes a frame back. So what would be given to the dispatcher
waits until it is confirmed at its own shard's master (`Engine.confirm`): one call for all that
wait, some 1 ms. What this process owns was confirmed before it was shown.

Theory. Up to where a shard is shown is known (`shown`: the epoch of its owner, and the number of
its commit). Everything that waits is at most so new; a confirmed lease of the same epoch that is as
far or farther on has it. Any other one means that the shard has a new owner or was set back: it is
read anew then, and what is shown afterwards is asked for again. A record that changed meanwhile
waits in place of the older one.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from random import Random

import trio

from actors.cluster.desk import Desk, in_our_time
from actors.cluster.follower import Position
from actors.device.model import Device
from actors.supervision import Backoff
from store.engine.port import Lease
from store.engine.shards import shard_of
from store.errors import StoreUnavailable

AGAIN_S = 0.05
"""Before a shard that is read anew is asked for once more."""
RETRY = Backoff(first_s=0.1, factor=2.0, most_s=1.0, jitter=0.2)


Confirm = Callable[[Sequence[str]], Awaitable[Mapping[str, Lease]]]
"""See `Engine.confirm`."""


class ConfirmedDesk:
    """A `Desk` behind that wait; `run` is its task.

    Without `confirm` (no replica is asked for) nothing waits. `is_sure` tells of a shard whose
    records are confirmed before they are shown. Bound: one record for each light with an open
    attempt, which the board holds anyway.
    """

    def __init__(
        self,
        desk: Desk,
        confirm: Confirm | None,
        rng: Random,
        *,
        is_sure: Callable[[str], bool],
        shown: Callable[[str], Position | None],
        now: Callable[[], float],
    ) -> None:
        self._desk = desk
        self._confirm = confirm
        self._rng = rng
        self._is_sure = is_sure
        self._shown = shown
        self._now = now
        self._waiting: dict[str, Device] = {}
        self._wake = trio.Event()

    def __len__(self) -> int:
        """Lights whose newest record waits to be confirmed."""
        return len(self._waiting)

    def start(self, devices: Iterable[Device]) -> None:
        """As `Desk.start`."""
        self._waiting.clear()
        self._desk.start(())
        for device in devices:  # made at any time: by what clock cannot be told
            self._take(device)

    def changed(self, device: Device) -> None:
        """This is the newest record of a light, as it is shown; it was just made."""
        self._take(in_our_time(device, self._now()))

    def _take(self, device: Device) -> None:
        if self._waits(device):
            self._waiting[device.dev_eui] = device
            self._wake.set()
        else:
            self._waiting.pop(device.dev_eui, None)
            self._desk.changed(device)

    def removed(self, dev_eui: str) -> None:
        """The light is known no longer."""
        self._waiting.pop(dev_eui, None)
        self._desk.removed(dev_eui)

    async def run(self) -> None:
        """Have confirmed what waits, and hand it on, until cancelled."""
        failures = 0
        while True:
            await self._wake.wait()
            self._wake = trio.Event()
            while self._waiting:
                try:
                    done = await self._hand_on(dict(self._waiting))
                    failures = 0
                except StoreUnavailable:  # it is told as such by who stores
                    failures += 1
                    await trio.sleep(RETRY.delay_s(failures, self._rng.random()))
                else:
                    if not done:
                        await trio.sleep(AGAIN_S)

    def _waits(self, device: Device) -> bool:
        if self._confirm is None or self._is_sure(shard_of(device.dev_eui)):
            return False
        return self._desk.would_submit(device)

    async def _hand_on(self, waiting: Mapping[str, Device]) -> bool:
        """Whether any of these were handed on. Raises StoreUnavailable."""
        shown = {shard: self._shown(shard) for shard in {shard_of(one) for one in waiting}}
        asked = sorted(shard for shard, at in shown.items() if at is not None)
        leases: Mapping[str, Lease] = {}
        if asked and self._confirm is not None:
            leases = await self._confirm(asked)
        else:
            await trio.lowlevel.checkpoint()
        done = False
        for dev_eui, device in waiting.items():
            shard = shard_of(dev_eui)
            if self._waiting.get(dev_eui) is not device:
                continue  # changed, or gone, meanwhile
            if self._is_sure(shard) or _has(leases.get(shard), shown[shard]):
                del self._waiting[dev_eui]
                self._desk.changed(device)
                done = True
        return done


def _has(lease: Lease | None, at: Position | None) -> bool:
    """Whether a confirmed lease has everything up to this position."""
    return lease is not None and at is not None and lease.epoch == at[0] and lease.seq >= at[1]
