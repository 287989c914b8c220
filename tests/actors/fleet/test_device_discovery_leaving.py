"""When a light leaves with ChirpStack's listing, and when the listing is doubted."""

from collections.abc import Mapping

import pytest
import trio
from trio.testing import MockClock

from actors.clocks.clock import RunClock
from actors.device.events import DeviceEvent, Listed
from actors.device.model import Device, Session
from actors.fleet.device_discovery import DeviceDiscovery, DeviceDiscoveryPorts
from lorawan.network import DeviceState, ListedDevice, NetworkError, NetworkTimeout, NetworkUnknown

MINUTE_S, HOUR_S, DAY_S = 60.0, 3_600.0, 86_400.0


class Town:
    """A server that lists lights, and what the directory did about it."""

    def __init__(self, *dev_euis: str) -> None:
        self.listed = {
            dev_eui: ListedDevice(dev_eui, dev_eui, "a", "A", "p", "P") for dev_eui in dev_euis
        }
        self.error: NetworkError | None = None
        self.still_there = False
        self.known: dict[str, Device] = {}
        self.provisional: dict[str, float] = {}
        self.left: list[tuple[float, str, bool]] = []
        self.posted: list[tuple[str, DeviceEvent]] = []
        self.clock = RunClock(1_000_000.0)
        self.directory = DeviceDiscovery(
            self,  # type: ignore[arg-type]
            lambda: self.known,
            self._register,
            self.clock,
            profile_contains="",
            chance=lambda: 0.5,
            ports=DeviceDiscoveryPorts(
                remove=self._remove,
                confirm=lambda dev_eui: self.provisional.pop(dev_eui, None) and None,
                provisional=self._provisional,
                devices=lambda: self.known,
                post=lambda dev_eui, event: self.posted.append((dev_eui, event)),
            ),
        )

    async def devices(self, profile_contains: str) -> list[ListedDevice]:
        await trio.sleep(0.1)
        if self.error is not None:
            raise self.error
        return list(self.listed.values())

    async def device(self, dev_eui: str) -> DeviceState:
        await trio.sleep(0.1)
        if not self.still_there:
            raise NetworkUnknown("Object does not exist")
        return DeviceState(dev_eui)

    def _register(self, device: Device) -> Device:
        self.known[device.dev_eui] = device
        return device

    def _provisional(self) -> Mapping[str, float]:
        return self.provisional

    async def _remove(self, dev_eui: str, why: str, listed_once: bool) -> bool:
        await trio.sleep(0.01)
        self.left.append((self.clock.now() - 1_000_000.0, dev_eui, listed_once))
        self.known.pop(dev_eui, None)
        self.provisional.pop(dev_eui, None)
        return True


def town_of(count: int) -> Town:
    return Town(*(f"{number:02}" for number in range(count)))


async def test_one_that_two_listings_lack_leaves_after_the_second(
    nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    town = town_of(20)
    await nursery.start(town.directory.run)
    await trio.sleep(10)
    del town.listed["07"]
    await trio.sleep(900)
    assert town.left == []
    await trio.sleep(100)
    [(at, dev_eui, listed_once)] = town.left
    assert (dev_eui, listed_once) == ("07", True)
    assert 960 <= at <= 965
    await trio.sleep(DAY_S)
    assert len(town.left) == 1


async def test_one_that_is_lacking_once_stays(
    nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    town = town_of(20)
    await nursery.start(town.directory.run)
    await trio.sleep(10)
    moved = town.listed.pop("07")
    await trio.sleep(900)
    town.listed["07"] = moved
    await trio.sleep(HOUR_S)
    del town.listed["07"]
    await trio.sleep(100)
    assert town.left == []


async def test_a_listing_that_cannot_be_read_removes_nothing_and_is_no_listing_in_a_row(
    nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    town = town_of(20)
    await nursery.start(town.directory.run)
    await trio.sleep(10)
    town.error = NetworkTimeout("away")
    town.listed.clear()
    await trio.sleep(2 * DAY_S)
    assert town.left == []


@pytest.mark.parametrize(
    ("known", "lacking", "still_there", "least_s"),
    [
        (1, 1, False, MINUTE_S),
        (3, 3, False, MINUTE_S),  # few: the last lights of a small fleet
        (4, 4, False, HOUR_S),  # empty
        (50, 50, False, HOUR_S),
        (50, 10, False, HOUR_S),  # a fifth
        (50, 5, False, MINUTE_S),  # a tenth
        (50, 50, True, DAY_S),  # the listing is wrong, by ChirpStack's own word
    ],
)
async def test_a_listing_that_lacks_many_is_doubted_for_long(
    nursery: trio.Nursery,
    autojump_clock: MockClock,
    known: int,
    lacking: int,
    still_there: bool,
    least_s: float,
) -> None:
    town = town_of(known)
    await nursery.start(town.directory.run)
    await trio.sleep(10)
    town.still_there = still_there
    for dev_eui in list(town.listed)[:lacking]:
        del town.listed[dev_eui]
    await trio.sleep(900 + DAY_S + HOUR_S)
    assert len(town.left) == lacking
    assert min(at for at, _, _ in town.left) >= 900 + least_s
    assert max(at for at, _, _ in town.left) <= 900 + least_s + 5 * MINUTE_S


async def test_a_light_that_only_an_event_told_of_leaves_with_the_next_listing(
    nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    town = town_of(2)
    await nursery.start(town.directory.run)
    await trio.sleep(100)
    for dev_eui in ("invented", "00"):
        town.known[dev_eui] = Device(dev_eui=dev_eui)
        town.provisional[dev_eui] = town.clock.now()
    town.directory.look_soon()
    await trio.sleep(40)
    assert [(dev_eui, once) for _, dev_eui, once in town.left] == [("invented", False)]
    assert town.provisional == {}


async def test_an_emptied_field_is_told_and_tags_of_others_stay(
    nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    town = Town("00", "01")
    town.listed["01"] = ListedDevice("01", "desk", "a", "A", "p", "P", {"floor": "2"})
    heard = Session("01020304", 0.0, 5)
    town.known["01"] = Device(
        dev_eui="01", name="desk", application_id="a", application_name="A", profile_name="P",
        tags={"floor": "2", "of": "application"}, session=heard,
    )  # fmt: skip
    await nursery.start(town.directory.run)
    await trio.sleep(10)
    assert town.posted == []
    town.listed["01"] = ListedDevice("01", "", "a", "A", "p", "P", {})
    await trio.sleep(1_000)
    [(dev_eui, news)] = town.posted
    assert (dev_eui, news) == ("01", Listed("", "a", "A", "P", {"of": "application"}))
