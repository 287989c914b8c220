"""Lights that ChirpStack lists are registered, also when they never spoke."""

import trio
from trio.testing import MockClock

from actors.clocks.clock import RunClock
from actors.device.model import Device
from actors.fleet.device_discovery import DeviceDiscovery
from lorawan.network import ListedDevice, NetworkUnavailable


class Listing:
    """A network server that knows lights, or does not answer."""

    def __init__(self, *dev_euis: str) -> None:
        self.dev_euis = list(dev_euis)
        self.failures = 0

    async def devices(self, profile_contains: str) -> list[ListedDevice]:
        await trio.lowlevel.checkpoint()
        assert profile_contains == "kuando"
        if self.failures:
            self.failures -= 1
            raise NetworkUnavailable("down")
        return [
            ListedDevice(eui, f"light {eui}", "app", "lights", "p", "Kuando")
            for eui in self.dev_euis
        ]


def make(listing: Listing, known: dict[str, Device]) -> DeviceDiscovery:
    def register(device: Device) -> Device:
        known[device.dev_eui] = device
        return device

    return DeviceDiscovery(
        listing,  # type: ignore[arg-type]
        lambda: known,
        register,
        RunClock(1_000.0),
        profile_contains="kuando",
        chance=lambda: 0.5,
    )


async def test_listed_lights_are_registered_once(
    nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    listing, known = Listing("01", "02"), {"02": Device(dev_eui="02", name="mine")}
    directory = make(listing, known)
    await nursery.start(directory.run)
    await trio.sleep(1)
    assert sorted(known) == ["01", "02"]
    assert known["01"].name == "light 01"
    assert known["02"].name == "mine"
    listing.dev_euis.append("03")
    await trio.sleep(1_000)
    assert "03" in known
    assert directory.statistics().registered == 2


async def test_a_server_that_does_not_answer_is_asked_again_soon(
    nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    listing, known = Listing("01"), dict[str, Device]()
    listing.failures = 2
    directory = make(listing, known)
    await nursery.start(directory.run)
    await trio.sleep(1)
    assert known == {}
    await trio.sleep(30)
    assert sorted(known) == ["01"]
    assert directory.statistics().failures == 2
