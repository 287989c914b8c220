"""Silences of the lights are counted once each, and only where it is the light that is silent."""

from collections.abc import Collection

import msgspec
import pytest

from actors.device.model import Device, Hearing, Session
from actors.fleet.link_census import HEARTBEATS_MISSED, SLICE, LinkCensus
from actors.link.fleet_rates import Census
from actors.link.loss_counters import LossCounters

START, HEARTBEAT_S = 1_700_000_000.0, 900.0
ROUND_S = 600.0
SILENT_S = HEARTBEATS_MISSED * HEARTBEAT_S


class Shown:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.passed_s = 0.0

    def now(self) -> float:
        return START + self.passed_s

    def steady(self) -> float:
        return self.passed_s

    @property
    def stepped_s(self) -> float:
        return 0.0


class Floor:
    """Some lights, heard every 15 min while they have power."""

    def __init__(self, lights: int, *, heard_before_s: float = 60.0) -> None:
        self.clock = Shown()
        self.devices: dict[str, Device] = {}
        for number in range(lights):
            self.heard(f"{number:04}", self.clock.now() - heard_before_s)
        self.census = LinkCensus(lambda: self.devices, self.clock, heartbeat_s=HEARTBEAT_S)

    def heard(self, name: str, at: float, *, online: bool = True) -> None:
        hearing = Hearing("a1", at, -80, 9.0, 12.0, latest=True, online=online)
        session = Session("01020304", START, f_cnt=1, heard_at=at)
        before = self.devices.get(name, Device(dev_eui=name))
        self.devices[name] = msgspec.structs.replace(before, session=session, hearings=(hearing,))

    async def rounds(
        self, passed_s: float, *, dark: Collection[str] = (), online: bool = True
    ) -> list[Census]:
        found = []
        for _ in range(int(passed_s / ROUND_S)):
            self.clock.passed_s += ROUND_S
            for name, device in list(self.devices.items()):
                assert device.heard_at is not None
                at = device.heard_at if name in dark else self.clock.now()
                self.heard(name, at, online=online)
            found.append(await self.census.count())
        return found


def silences(found: list[Census]) -> int:
    return sum(one.silences for one in found)


async def test_lights_that_are_heard_give_their_time() -> None:
    floor = Floor(20)
    await floor.census.count()
    found = await floor.rounds(3_600.0)
    assert (sum(one.light_s for one in found), silences(found)) == (20 * 3_600.0, 0)


async def test_a_light_that_falls_silent_is_counted_once_until_it_is_heard_again() -> None:
    floor = Floor(20)
    await floor.rounds(ROUND_S)
    found = await floor.rounds(SILENT_S - ROUND_S, dark={"0003"})
    assert silences(found) == 0, "not yet"
    found = await floor.rounds(2 * SILENT_S, dark={"0003"})
    assert silences(found) == 1
    assert found[-1].light_s == 19 * ROUND_S
    assert silences(await floor.rounds(3_600.0)) == 0
    assert silences(await floor.rounds(2 * SILENT_S, dark={"0003"})) == 1, "a second time"


async def test_what_was_silent_before_the_start_is_not_this_times_silence() -> None:
    floor = Floor(20, heard_before_s=SILENT_S / 2)
    assert silences(await floor.rounds(2 * SILENT_S, dark={"0003", "0004"})) == 0


async def test_lights_whose_gateway_is_away_are_neither_awake_nor_silent() -> None:
    floor = Floor(20)
    await floor.rounds(ROUND_S)
    found = await floor.rounds(2 * SILENT_S, dark=set(floor.devices), online=False)
    assert silences(found) == 0
    assert found[-1].light_s == 0.0


async def test_a_light_not_heard_since_its_gateway_came_back_fell_silent_unseen() -> None:
    floor = Floor(20)
    await floor.rounds(ROUND_S)
    back_at = floor.clock.now() + 3_600.0
    floor.devices["0003"] = msgspec.structs.replace(floor.devices["0003"], reachable_at=back_at)
    assert silences(await floor.rounds(2 * SILENT_S, dark={"0003"})) == 0


async def test_frames_that_the_lights_counted_are_summed() -> None:
    floor = Floor(3)
    for number, lost in enumerate((1.0, 2.0)):
        name = f"{number:04}"
        losses = LossCounters(40.0, lost, 20.0, 2 * lost)
        floor.devices[name] = msgspec.structs.replace(floor.devices[name], losses=losses)
    found = await floor.census.count()
    assert (found.uplinks, found.uplinks_lost) == (83.0, 3.0)
    assert (found.downlinks, found.downlinks_lost) == (46.0, 6.0)


async def test_many_at_once_have_a_cause_in_common() -> None:
    floor = Floor(20)
    await floor.rounds(ROUND_S)
    dark = {f"{number:04}" for number in range(5)}
    assert silences(await floor.rounds(2 * SILENT_S, dark=dark)) == 0
    await floor.rounds(3_600.0)
    assert silences(await floor.rounds(2 * SILENT_S, dark={"0001", "0002"})) == 2


async def test_a_light_never_heard_and_one_that_was_removed_are_no_silences() -> None:
    floor = Floor(5)
    await floor.rounds(ROUND_S)
    floor.devices["0009"] = Device(dev_eui="0009")
    found = [await floor.census.count()]
    del floor.devices["0009"], floor.devices["0001"]
    assert silences([*found, *await floor.rounds(SILENT_S)]) == 0


@pytest.mark.parametrize("lights", [0, 1, SLICE - 1, SLICE, 2 * SLICE + 1])
async def test_every_light_is_counted_however_many_there_are(lights: int) -> None:
    floor = Floor(lights)
    floor.clock.passed_s += 10.0
    assert (await floor.census.count()).light_s == lights * 10.0
