"""A service with a hook, killed again and again, and its receiver restarted all the while.

What must hold at the end: every command that was accepted is told with its true verdict, the
verdicts of a light in the order in which they came, and nothing is told that is not so. Events may
be told twice, under one id.
"""

import random
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import trio

from tests.crash.killed_service import (
    LIGHTS,
    NEVER_GIVE_UP,
    VERDICT_PATIENCE_S,
    Tally,
    Trial,
)
from tests.support.pretend_site import Site, pretend_site, until
from tests.support.receiver import Receiver

HOOKS = {"allow_networks": ["127.0.0.0/8"], "allow_http": True}
UP_S, DOWN_S = (0.1, 1.5), (0.0, 0.7)
"""How long the receiver is there, and away."""


@dataclass(frozen=True)
class Told:
    """What a trial came to. Nothing was lost, or it would have failed."""

    tally: Tally
    restarts: int
    posted: int
    events: int

    def __str__(self) -> str:
        return (
            f"{self.tally}; {self.restarts} restarts of the receiver, {self.events} verdicts told,"
            f" 0 lost, 0 false, 0 out of order, {self.posted - self.events} told again"
        )


class HookTrial(Trial):
    """As without hooks, and one is told."""

    def __init__(
        self, site: Site, folder: Path, store_url: str, seed: int, receiver: Receiver
    ) -> None:
        super().__init__(site, folder, store_url, seed)
        self.config = site.config(folder, store_url, policy=NEVER_GIVE_UP, hooks=HOOKS)
        self.receiver = receiver
        self.secret = ""

    async def first_life(self) -> None:
        """The hook is made before any command is given."""
        await super().first_life()
        with self.service():
            await self.until_it_listens()
            body = {"name": "trial", "url": self.receiver.url, "kinds": ["verdicts"]}
            made = await self.http.post("/api/v1/hooks", json=body)
            assert made.status_code == 201, made.text
            self.secret = made.json()["secret"]

    async def last_life(self) -> None:
        """Besides, all is told."""
        with self.service():
            await self.until_it_listens()
            for caller in self.callers:
                pending = caller.orders[-1]
                while not pending.id:
                    await caller._post(self.http, pending)
            for caller in self.callers:
                await self.judged(caller)
            await self.told()

    async def told(self) -> None:
        """Raises AssertionError for what is lost, false, or in another order."""
        ids = {order.id for caller in self.callers for order in caller.accepted}

        async def all_told() -> bool:
            await trio.lowlevel.checkpoint()
            return ids <= {one.data["command_id"] for one in self.receiver.taken}

        await until("all told", all_told, VERDICT_PATIENCE_S)
        ended: dict[str, list[float]] = {}
        first: dict[str, Any] = {}
        for one in self.receiver.taken:
            assert one.signed_by(self.secret)
            assert one.id == f"verdict-{one.data['command_id']}"
            before = first.setdefault(one.id, one.data)
            assert one.data == before, "told again as it was told first"
            if before is one.data:
                ended.setdefault(one.data["dev_eui"], []).append(one.data["ended_at"])
        assert first.keys() == {f"verdict-{one}" for one in ids}, "nothing else was told"
        for times in ended.values():
            assert times == sorted(times), "in the order in which they came"
        for data in first.values():
            found = await self.command(data["command_id"])
            assert (data["status"], data["light"]) == (found["status"], found["light"])


async def tell_under_kills(folder: Path, store_url: str = "", *, seed: int, kills: int) -> Told:
    """So many kills of the service, and restarts of its receiver. Raises AssertionError."""
    await trio.Path(folder).mkdir(exist_ok=True)
    chance, began = random.Random(seed), time.monotonic()
    async with pretend_site(LIGHTS, gateways=LIGHTS, seed=seed) as site:
        site.connect()
        with Receiver() as receiver:
            trial = HookTrial(site, folder, store_url, seed, receiver)
            async with trial.http:
                await trial.first_life()
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(_restart, receiver, chance)
                    for _ in range(kills):
                        await trial.life()
                        await trial.whole()
                    nursery.cancel_scope.cancel(reason="enough")
                await trio.to_thread.run_sync(receiver.start)  # it may be away just then
                await trial.last_life()
            ids = [one.id for one in receiver.taken]
        tally = trial.tally(time.monotonic() - began)
        return Told(tally, receiver.restarts, len(ids), len(set(ids)))


async def _restart(receiver: Receiver, chance: random.Random) -> None:
    while True:
        await trio.sleep(chance.uniform(*UP_S))
        await trio.to_thread.run_sync(receiver.stop)
        await trio.sleep(chance.uniform(*DOWN_S))
        await trio.to_thread.run_sync(receiver.start)
