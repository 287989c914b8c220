"""What the oracle holds against the pace, in a world made for it."""

import msgspec
import pytest

from lorawan.events.model import Event, Uplink
from simulation.harness.air_watch import NEEDLESS_FREE, AirWatch
from simulation.harness.run import simulate
from simulation.harness.scenarios import scenario
from simulation.world.forwarder import BARE
from simulation.world.frames import DownlinkCommand, DownlinkFrame, Slot
from simulation.world.observer import Observer
from simulation.world.queue import QueueEntry
from simulation.world.world import World

FIRST, SECOND, THIRD = "0016c001f1000001", "0016c001f1000002", "0016c001f1000003"
LIGHT, OTHER = "2020204100000001", "2020204100000002"
RED = bytes.fromhex("ff0000ff00")


class Site(Observer):
    """Two gateways that hear one light, one that hears another; all answer within 0.3 s."""

    def __init__(self) -> None:
        self.events: list[Uplink] = []
        self.world = World(1, sink=self._heard, heartbeat_s=1e6)
        for gateway_id in (FIRST, SECOND, THIRD):
            self.world.add_gateway(gateway_id, forwarder=BARE)
        self.light = self.world.add_light(LIGHT, spreading_factor=9)
        self.world.add_light(OTHER, spreading_factor=9)
        del self.light.links[THIRD]
        self.watch = AirWatch(self.world)
        self.broken: list[str] = []
        for number, station in enumerate(self.world.stations.values()):
            self.world.kernel.after(20.0 * number, station.plug)
        self.world.advance(100.0)
        self.world.watch(self)
        self.events.clear()

    def frame_sent(
        self, gateway_id: str, frame: DownlinkFrame, frequency_hz: int, airtime_s: float
    ) -> None:
        what = self.watch.frame_sent(self.world.kernel.now, gateway_id, frame, airtime_s)
        self.broken += [what] if what else []

    def frame_received(self, frame: DownlinkFrame) -> None:
        self.watch.frame_received(self.world.kernel.now, frame)

    def event_made(self, event: Event) -> None:
        if isinstance(event, Uplink):
            self.watch.told(self.world.kernel.now, event)

    def send(self, gateway_id: str, dev_eui: str = LIGHT, *, start_s: float | None = None) -> None:
        device = self.world.rules.devices[dev_eui]
        self.watch.enqueued(self.world.kernel.now, dev_eui, QueueEntry("id", 15, RED), pursued=True)
        frame = DownlinkFrame(dev_eui, device.dev_addr, device.f_cnt_down, 15, RED + b"\x01")
        device.f_cnt_down += 1
        slot = Slot(self.world.region.rx2_frequency_hz, self.world.region.rx2, start_s)
        self.world.gateways[gateway_id].command(DownlinkCommand(device.f_cnt_down, frame, (slot,)))

    def tell_of_both(self) -> None:
        """A status of the light goes to the service."""
        self.light.send_status()
        self.world.advance(10.0)
        heard = self.events[-1]
        assert {reception.gateway_id for reception in heard.receptions} == {FIRST, SECOND}
        self.watch.taken(heard)

    def _heard(self, event: Event) -> None:
        if isinstance(event, Uplink):
            self.events.append(event)


def test_frames_that_meet_over_a_light_are_told_once_the_service_knows_of_both_gateways() -> None:
    site = Site()
    site.send(FIRST)
    site.send(SECOND, OTHER)
    site.world.advance(10.0)
    assert site.broken == []  # how should it know?
    site.tell_of_both()
    site.send(FIRST)
    site.send(SECOND, OTHER)
    site.world.advance(10.0)
    assert len(site.broken) == 1
    site.send(FIRST)
    site.world.advance(0.5)
    site.send(SECOND, OTHER)
    site.world.advance(10.0)
    assert len(site.broken) == 1  # one after the other


def test_gateways_without_a_light_in_common_may_send_at_once() -> None:
    site = Site()
    site.tell_of_both()
    site.world.stations[OTHER].links.pop(FIRST)
    site.send(FIRST)
    site.send(THIRD, OTHER)
    site.world.advance(10.0)
    assert site.broken == []


def test_a_window_after_an_uplink_is_chirpstacks_choice() -> None:
    site = Site()
    site.tell_of_both()
    site.send(FIRST)
    site.send(SECOND, OTHER, start_s=site.world.kernel.now + 0.12)
    site.world.advance(10.0)
    assert site.broken == []


@pytest.mark.parametrize("lost", [False, True])
def test_a_colour_sent_while_its_answer_is_on_its_way_is_needless(*, lost: bool) -> None:
    site = Site()
    for _ in range(NEEDLESS_FREE + 3):
        site.world.set_loss(uplink=1.0 if lost else 0.0)
        site.send(FIRST)
        site.world.advance(0.31)  # it shows the colour, and answers
        if lost:
            site.world.advance(10.0)
            site.world.set_loss(uplink=0.0)
        site.send(FIRST)
        site.world.advance(20.0)
    needless = site.watch.counts["colours sent needlessly"]
    assert needless == (0 if lost else NEEDLESS_FREE + 3)
    assert (site.watch.needless() is None) is lost


def test_a_rush_is_drawn_from_its_seed_and_hides_nothing() -> None:
    one = scenario(3, "rush")
    assert one == scenario(3, "rush")
    assert one != scenario(4, "rush")
    assert one.prompt
    assert one.world.event_lost == one.world.call_unavailable == one.service.kill_every_s == 0.0
    assert one.command.startswith("lamplighter simulate --seed 3 --faults rush")


@pytest.mark.timeout(120)
def test_a_rush_runs_and_verifies() -> None:
    result = simulate(msgspec.structs.replace(scenario(7, "rush"), gateways=1))
    assert result.violation is None
    assert result.counts["verified"] > 10
