"""A real service that is killed again and again while callers send, and what must hold after it.

The service knows nothing of it, and what it must keep is known from its answers alone. Callers
behave as the documentation asks: one Idempotency-Key for each command, repeated with the same key
until there is an answer.
"""

import random
import shutil
import sqlite3
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
import trio

from lorawan.kuando import LightState
from tests.support.pretend_site import Site, pretend_site, until
from tests.support.processes import Running

LIGHTS = 3
PACE_S = (0.0, 0.1)
"""Between two commands of one caller, most of which are superseded ..."""
PAUSE_S = 1.5
"""... and after every tenth, which so may be verified."""
SETTINGS_PATIENCE_S = 90.0
"""While nothing is known of their software, lights get their settings one after another, each with
room for an answer after 8 s; on a busy machine, where answers come late, that takes a minute."""
VERDICT_PATIENCE_S = 120.0
"""As slow at first."""
LISTENS_PATIENCE_S = 90.0
"""For a start: 2 s of CPU, on a busy machine half a minute."""
NEVER_GIVE_UP = {"attempts_most": 100, "setup_rounds_most": 100, "backoff_factor": 1.0}
"""On a busy machine a kill and late answers spend three attempts in seconds, and then a light waits
for evidence, which comes in a quarter of an hour."""
LIFE_S = (0.0, 1.0)
"""From the moment it listens until it is killed; a frame and its echo take about 1 s."""
YOUTH_S = (0.3, 1.2)
"""From its start until it is killed, where it is not waited for: imports, restoring."""
YOUNG = 0.25
FINAL = {"verified", "superseded"}


@dataclass(frozen=True)
class Tally:
    """What a trial came to. `lost` is 0, or else it would have failed."""

    kills: int
    young: int
    """How many of them hit the service while it started."""
    accepted: int
    repeated: int
    verified: int
    superseded: int
    took_s: float

    def __str__(self) -> str:
        return (
            f"{self.kills} kills ({self.young} of a start), {self.accepted} commands accepted, "
            f"0 lost, {self.verified} verified, {self.superseded} superseded, "
            f"{self.repeated} answered anew to a repeated request, {self.took_s:.0f} s"
        )


@dataclass
class Order:
    """What a caller wants, and the id of the command once it was answered with 2xx."""

    light: LightState
    key: str
    id: str = ""


@dataclass
class Caller:
    """Sends commands to one light, one after the other, each until it is answered."""

    dev_eui: str
    chance: random.Random
    orders: list[Order] = field(default_factory=list)
    repeated: int = 0
    patient: bool = False
    """Takes 503 for an answer: not accepted, or not known to be; the same request again."""

    @property
    def accepted(self) -> list[Order]:
        """Those that were answered with 2xx, oldest first."""
        return [order for order in self.orders if order.id]

    async def send(self, http: httpx2.AsyncClient, over: trio.Event) -> None:
        """Until nobody answers any more, or it is over."""
        while not over.is_set():
            if not self.orders or self.orders[-1].id:
                colour = [self.chance.choice((0, 255)) for _ in range(3)]
                key = f"{self.dev_eui}-{len(self.orders)}"
                self.orders.append(Order(LightState(*colour), key))
            try:
                await self._post(http, self.orders[-1])
            except httpx2.TransportError:
                return
            pause = self.chance.random() < 0.1
            with trio.move_on_after(PAUSE_S if pause else self.chance.uniform(*PACE_S)):
                await over.wait()

    async def _post(self, http: httpx2.AsyncClient, order: Order) -> None:
        light = order.light
        response = await http.post(
            f"/api/v1/downlink/{self.dev_eui}",
            json={"red": light.red, "green": light.green, "blue": light.blue},
            headers={"Idempotency-Key": order.key, "Prefer": "respond-async"},
        )
        if self.patient and response.status_code == 503:
            return
        assert response.is_success, response.text
        order.id = response.json()["id"]
        self.repeated += "Idempotent-Replayed" in response.headers


class Trial:
    """A service that is killed again and again while its callers send."""

    def __init__(self, site: Site, folder: Path, store_url: str, seed: int) -> None:
        self.site = site
        self.folder = folder
        self.config = site.config(folder, store_url, policy=NEVER_GIVE_UP)
        self.chance = random.Random(seed)
        self.callers = [
            Caller(dev_eui, random.Random(f"{seed} {dev_eui}")) for dev_eui in site.world.stations
        ]
        self.checked: set[str] = set()
        self.verdicts: list[str] = []
        self.kills = 0
        self.young = 0
        self.http = httpx2.AsyncClient(base_url=site.url, timeout=30.0)

    def service(self) -> Running:
        return Running(self.folder, "serve", "--config", str(self.config))

    async def command(self, command_id: str) -> dict[str, Any]:
        response = await self.http.get(f"/api/v1/commands/{command_id}")
        assert response.status_code == 200, f"command {command_id} is lost: {response.text}"
        found: dict[str, Any] = response.json()
        return found

    async def until_it_listens(self) -> None:
        async def listens() -> bool:
            response = await self.http.get("/api/v1/devices")
            return int(response.json()["total"]) == LIGHTS

        await until("it listens", listens, LISTENS_PATIENCE_S)

    async def kept(self) -> None:
        """Every command that was answered with 2xx since the last look is there."""
        for caller in self.callers:
            for order in caller.accepted:
                if order.id not in self.checked:
                    found = await self.command(order.id)
                    assert found["dev_eui"] == caller.dev_eui
                    assert found["light"]["red"] == order.light.red
                    assert found["light"]["green"] == order.light.green
                    assert found["light"]["blue"] == order.light.blue
                    self.checked.add(order.id)

    async def first_life(self) -> None:
        """Until every light has its settings, so that the kills hit colours on their way."""
        with self.service():

            async def set_up() -> bool:
                response = await self.http.get("/api/v1/devices?phase=idle")
                return int(response.json()["total"]) == LIGHTS

            await until("all have their settings", set_up, SETTINGS_PATIENCE_S)

    async def life(self) -> None:
        """From a start to a SIGKILL."""
        self.kills += 1
        with self.service() as service:
            if self.chance.random() < YOUNG:
                self.young += 1
                await trio.sleep(self.chance.uniform(*YOUTH_S))
                service.kill()
                return
            await self.until_it_listens()
            await self.kept()
            over = trio.Event()
            async with trio.open_nursery() as nursery:
                for caller in self.callers:
                    nursery.start_soon(caller.send, self.http, over)
                await trio.sleep(self.chance.uniform(*LIFE_S))
                service.kill()
                over.set()

    async def whole(self) -> None:
        """What lies on the disk now is a sound database. A copy is read: the service shall find
        the file as the kill has left it."""
        database = self.folder / "lamplighter.db"
        if database.exists():
            await trio.to_thread.run_sync(check_integrity, database)

    async def last_life(self) -> None:
        """Nobody kills it: everything that was accepted comes to its end."""
        with self.service():
            await self.until_it_listens()
            await self.kept()
            for caller in self.callers:
                pending = caller.orders[-1]
                while not pending.id:
                    await caller._post(self.http, pending)
            for caller in self.callers:
                await self.judged(caller)

    async def judged(self, caller: Caller) -> None:
        """The newest is verified and really shown, each older one has its true verdict."""
        *older, newest = caller.accepted

        async def verified() -> bool:
            return bool((await self.command(newest.id))["status"] == "verified")

        await until(f"{caller.dev_eui} verified", verified, VERDICT_PATIENCE_S)
        assert self.site.world.showing(caller.dev_eui) == newest.light
        self.verdicts.append("verified")
        truth = self.site.world.stations[caller.dev_eui].light.truth
        epoch_at = self.site.world.kernel.epoch_at
        ids = {order.id for order in caller.accepted}
        for order in older:
            found = await self.command(order.id)
            assert found["status"] in FINAL, found
            self.verdicts.append(found["status"])
            if found["status"] == "superseded":
                assert found["superseded_by"] in ids
                continue
            shown = [s for s in truth if s.since_s + epoch_at <= found["ended_at"]]
            assert order.light in {s.light for s in shown}, f"never shown: {found}"

    async def run(self, kills: int, *, set_up: bool) -> Tally:
        began = time.monotonic()
        async with self.http:
            if set_up:
                await self.first_life()
            for _ in range(kills):
                await self.life()
                await self.whole()
            await self.last_life()
        tally = self.tally(time.monotonic() - began)
        assert tally.accepted > 3 * kills, "too few commands to mean anything"
        assert tally.repeated < tally.accepted
        return tally

    def tally(self, took_s: float) -> Tally:
        return Tally(
            kills=self.kills,
            young=self.young,
            accepted=sum(len(caller.accepted) for caller in self.callers),
            repeated=sum(caller.repeated for caller in self.callers),
            verified=self.verdicts.count("verified"),
            superseded=self.verdicts.count("superseded"),
            took_s=took_s,
        )


def check_integrity(database: Path) -> None:
    """`PRAGMA integrity_check` on a copy of the file and of its log. Raises AssertionError."""
    copy = database.with_name("copy.db")
    for suffix in ("", "-wal"):
        source = database.with_name(database.name + suffix)
        target = copy.with_name(copy.name + suffix)
        target.unlink(missing_ok=True)
        if source.exists():
            shutil.copyfile(source, target)
    connection = sqlite3.connect(copy)
    try:
        found = connection.execute("PRAGMA integrity_check").fetchall()
    finally:
        connection.close()
    assert found == [("ok",)], found


async def kill_service(
    folder: Path, store_url: str, *, seed: int, kills: int, set_up: bool = True
) -> Tally:
    """A whole trial over a pretend ChirpStack; `store_url` may be empty for SQLite."""
    await trio.Path(folder).mkdir(exist_ok=True)
    async with pretend_site(LIGHTS, gateways=LIGHTS, seed=seed) as site:
        site.connect()
        return await Trial(site, folder, store_url, seed).run(kills, set_up=set_up)
