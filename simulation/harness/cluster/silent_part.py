"""A part of the engine is silent, and the others have to go on.

All is well and settled before. Then one of several masters is silent for as long as this takes, in
one of the ways in which a node of a cluster can be, to all or to one process; beside it a process
may end, or a part be taken over just before. A command for a light of another part is then
accepted, pursued, shown by every process and carried to its verdict within the bounds below,
whoever is asked.
"""

import random
from collections.abc import Callable
from enum import StrEnum

import trio

from actors.commands import Accepted, CommandOrder
from actors.device.model import Device
from lorawan.kuando.downlink import answers_downlinks
from simulation.harness.cluster.house import House
from simulation.harness.cluster.houses import Houses
from simulation.harness.cluster.oracle import ClusterOracle
from simulation.harness.facts import DeviceFacts
from simulation.harness.people import COLOURS
from simulation.harness.scenario import Scenario
from simulation.world.answer_delay import Held
from simulation.world.profile import OffTime
from simulation.world.world import World
from store.engine.shards import FLEET, shard_of
from store.errors import StoreError

LOOK_S = 0.5
CALL_S = 1.0
"""What a call that asks several parts waits for a silent one once that is known to be (`way.py`):
CONNECT_S 0.5 s where it hangs, WAIT_S 1 s where its replicas do not confirm, else nothing."""
GRACE_S = 30.0
"""Before anything is asked. The first call waits for 2 s (ANSWER_S), and so for 3 s a look at the
leases that asks two things. The shards of a process that ended are taken after 6.1 s without a sign
of it (`expired_s`), begun anew once because a look was late, and looked at every 1 + 2 s; past 3 s
more (`patience_s`) by anybody: 3 + 2 x 6.1 + 3 + 3 = 21 s. Their actors start within 4 calls, each
after one that is under way, and again after 0.5 s: 8.5 s."""
APART_S = 10.0
"""Within which the commands are given: lights that answer at once do not hear each other."""
ACCEPTED_S = 2 * CALL_S + 0.5
"""The call under way with commands of others, and its own; each may have one for a silent part."""
SHOWN_S = 10.0
"""From a commit to every board. A bell may be lost: 1 s. A read that failed is tried again after
2.4 s. The read under way, the one after it, and the snapshots and their questions beside them: 6
calls, and 0.6 s for all else."""
PURSUED_S = 20.0
"""From acceptance until its light has it. The inbox is looked at each second; what is under way and
what follows read, confirm and read again: 6 calls, and 2.4 s before one that failed is tried again.
A commit waits for one that looks at the leases, sends what is left and sends its own, and then does
the same: 6 calls; 1 s until one that was not confirmed is sent again. All: 16.4 s, and 3.6 s."""
RADIO_S = 75.0
"""From the dispatcher to the status that shows the colour: an attempt whose answer is waited for
30 s at most, and a second one after a pause of 10 s; for each some seconds in the queue."""
VERDICT_S = PURSUED_S + SHOWN_S + 4.0 + RADIO_S + 4.0 + PURSUED_S
"""The dispatcher's owner sees it, and has it confirmed (2 calls, 1.2 s before the next try). The
status comes to any process, is posted (likewise), and dealt with as the command was."""


class Silence(StrEnum):
    """Ways in which a part is silent."""

    HANGS = "hangs"
    REFUSES = "refuses"
    LACKS_REPLICAS = "lacks replicas"
    """It refuses writes and answers reads."""
    UNCONFIRMED = "unconfirmed"
    """It takes writes, which no replica confirms."""
    PARTED = "parted"
    """One process alone does not reach it."""


class Beside(StrEnum):
    """What happens beside it."""

    NOTHING = "nothing"
    FAILOVER_BEFORE = "its failover before"
    """Just before, so that the new master was hardly read."""
    KILL = "a kill"
    LEAVE = "a leave"


class SilentPart:
    """One for a run."""

    def __init__(
        self,
        houses: Houses,
        oracle: ClusterOracle,
        rng: random.Random,
        scenario: Scenario,
        world: World,
    ) -> None:
        self._stations = world.stations
        self._servers = houses.servers
        self._houses = houses
        self._oracle = oracle
        self._rng = rng
        profile = scenario.world
        delays = (profile.answer_delay, *profile.answer_delays.values())
        held = profile.off_time is not OffTime.IGNORED and (
            scenario.sf12 or profile.off_time is OffTime.DROPS
        )
        self._is_prompt = not held and not any(isinstance(delay, Held) for delay in delays)
        """Lights answer within seconds, or at SF9 within the half minute of an off-time."""
        self._odd_since: dict[tuple[str, str], float] = {}
        """By board (boot) and light: since when it shows another state than the stored one."""

    async def come_and_go(self) -> None:
        """Silence one part, ask the others, and end it. Returns when all was dealt with, or a truth
        is broken."""
        parts = sorted({self._part(dev_eui) for dev_eui in self._oracle.lights})
        part = self._rng.choice(range(len(self._servers.masters)))
        if parts == [part]:
            return  # no light of another one
        need = self._houses.faults.need
        kinds = [one for one in Silence if need or one is not Silence.UNCONFIRMED]
        how, beside = self._rng.choice(kinds), self._rng.choice(list(Beside))
        self._oracle.note("service", "silent part", part, how.value, beside.value)
        self._oracle.counts[f"a part is silent: {how.value}, {beside.value}"] += 1
        if beside is Beside.FAILOVER_BEFORE:
            self._houses.trouble.fail_over_now(part)
            await trio.sleep(self._rng.choice((0.0, 0.01, 0.3, 1.5)))
        house = self._rng.choice(self._houses.all)
        self._silence(part, how, house)
        if beside is Beside.KILL:
            await trio.sleep(self._rng.uniform(0.0, 3.0))
            house.kill("beside a silent part")
            self._houses.disturbed()
        elif beside is Beside.LEAVE:
            await trio.sleep(self._rng.uniform(0.0, 3.0))
            house.leave()
        await trio.sleep(GRACE_S)
        lights = [one for one in self._oracle.lights if self._part(one) != part]
        try:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._ask_the_silent, part)
                fleet_goes_on = self._servers.part_of(FLEET) != part
                await self._ask_and_look(lights, has_verdict=fleet_goes_on and self._is_prompt)
                nursery.cancel_scope.cancel(reason="all was asked")
        finally:
            self._end(part)

    # ---------------------------------------------------------------- the part

    def _part(self, dev_eui: str) -> int:
        return self._servers.part_of(shard_of(dev_eui))

    def _silence(self, part: int, how: Silence, house: House) -> None:
        master = self._servers.masters[part]
        assert master is not None  # noqa: S101 - all is well
        match how:
            case Silence.HANGS | Silence.REFUSES:
                self._servers.stop(part, hangs=how is Silence.HANGS)
            case Silence.LACKS_REPLICAS:
                master.lacks_replicas = True
            case Silence.UNCONFIRMED:
                for replica in master.replicas:
                    replica.held = True
            case Silence.PARTED:
                house.connection.part_from(part)
                self._houses.disturbed()

    def _end(self, part: int) -> None:
        self._oracle.note("service", "the silent part is back", part)
        self._servers.go_on(part)
        for house in self._houses.all:
            house.connection.join_all()
        master = self._servers.masters[part]
        for replica in master.replicas if master is not None else ():
            replica.held = False

    # ---------------------------------------------------------------- what is asked

    async def _ask_the_silent(self, part: int) -> None:
        """Commands for the lights of the silent part are in everybody's way."""
        lights = [one for one in self._oracle.lights if self._part(one) == part]
        async with trio.open_nursery() as nursery:
            while lights:
                nursery.start_soon(self._ask, self._rng.choice(lights))
                await trio.sleep(self._rng.uniform(0.1, 2.0))

    async def _ask(self, dev_eui: str) -> str | None:
        """The id of a command that was accepted by any process."""
        application = self._houses.application
        if application is None:
            return None
        shown = self._oracle.lights[dev_eui].record
        wanted = shown.wanted.light if shown is not None and shown.wanted is not None else None
        state = self._rng.choice([one for one in COLOURS if one != wanted])
        try:
            outcome = await application.commands.give(
                CommandOrder(dev_eui=dev_eui, light=state, keep=True)
            )
        except StoreError:
            return None
        if not isinstance(outcome, Accepted) or not self._houses.serves(application):
            return None
        self._oracle.accepted(outcome.command)
        return outcome.command.id

    async def _ask_and_look(self, lights: list[str], *, has_verdict: bool) -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._look_at_boards, lights)
            async with trio.open_nursery() as asking:
                for dev_eui in lights:
                    asking.start_soon(self._ask_and_wait, dev_eui, has_verdict)
            await trio.sleep(SHOWN_S + LOOK_S)  # of the last verdict
            nursery.cancel_scope.cancel(reason="all is shown")

    async def _ask_and_wait(self, dev_eui: str, has_verdict: bool) -> None:
        await trio.sleep(self._rng.uniform(0.0, APART_S))
        asked_s = trio.current_time()
        command_id = await self._ask(dev_eui)
        took_s = trio.current_time() - asked_s
        if command_id is None or took_s > ACCEPTED_S:
            self._oracle.breaks(
                dev_eui, f"a command is not accepted while another part is silent ({took_s:.1f} s)"
            )
            return
        await self._until(PURSUED_S, dev_eui, command_id, "pursued", self._is_pursued)
        if has_verdict and answers_downlinks(self._stations[dev_eui].light.sw_rev):
            await self._until(VERDICT_S, dev_eui, command_id, "dealt with", self._is_final)

    async def _until(
        self,
        within_s: float,
        dev_eui: str,
        command_id: str,
        what: str,
        holds: Callable[[DeviceFacts, str], bool],
    ) -> None:
        facts, until_s = self._oracle.lights[dev_eui], trio.current_time() + within_s
        while trio.current_time() < until_s:
            await trio.sleep(LOOK_S)
            if holds(facts, command_id):
                return
        self._oracle.breaks(
            dev_eui,
            f"a command was not {what} within {within_s:.0f} s, while another part was silent",
        )

    def _is_pursued(self, facts: DeviceFacts, command_id: str) -> bool:
        command = facts.record.command if facts.record is not None else None
        return (command is not None and command.id == command_id) or self._is_final(
            facts, command_id
        )

    def _is_final(self, _facts: DeviceFacts, command_id: str) -> bool:
        known = self._oracle.commands.get(command_id)
        return known is not None and known.status.final

    # ---------------------------------------------------------------- what is shown

    async def _look_at_boards(self, lights: list[str]) -> None:
        while True:
            await trio.sleep(LOOK_S)
            for house in self._houses.all:
                for dev_eui in lights:
                    self._look_at(house, dev_eui)

    def _look_at(self, house: House, dev_eui: str) -> None:
        board = (house.boot, dev_eui)
        stored = self._oracle.lights[dev_eui].record
        shown: Device | None = house.parts.board.devices.get(dev_eui) if house.parts else None
        if house.parts is None or not house.alive or shown == stored:
            self._odd_since.pop(board, None)
            return
        since_s = self._odd_since.setdefault(board, trio.current_time())
        if trio.current_time() - since_s > SHOWN_S:
            self._oracle.breaks(
                dev_eui,
                f"{house.boot} does not show what was stored {SHOWN_S:.0f} s ago, while another"
                " part is silent",
            )
