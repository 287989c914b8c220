"""The way of events: what is lost, doubled, late and overtaken, and by how much."""

import pytest
from msgspec import structs

from lorawan.events.model import DeviceInfo, Event, Log
from simulation.world.chance import Chance
from simulation.world.delivery import WebhookDelivery
from simulation.world.kernel import Kernel
from simulation.world.profile import CALM, STORM, Profile

SENT = 2000


def _events(count: int) -> list[Event]:
    device = DeviceInfo(dev_eui="2020204100000001")
    return [
        Log(device=device, at=float(n), level="INFO", code="EXPIRED", description=str(n))
        for n in range(count)
    ]


def _delivered(
    profile: Profile, *, seed: int = 1, every_s: float = 1.0
) -> list[tuple[float, Event]]:
    """What arrives when 2000 events leave, one at a time; with the time on the way."""
    kernel = Kernel(epoch_at=0.0)
    arrived: list[tuple[float, Event]] = []
    delivery = WebhookDelivery(
        kernel=kernel,
        chance=Chance(seed),
        profile=profile,
        sink=lambda event: arrived.append((kernel.now - event.at * every_s, event)),
    )
    for event in _events(SENT):
        kernel.at(event.at * every_s, delivery.send, event)
    kernel.advance(SENT * every_s + 1000.0)
    counts = delivery.counts
    assert counts["arrived"] == len(arrived)
    assert counts["sent"] == SENT
    assert counts["arrived"] == SENT - counts["lost"] + counts["doubled"]
    return arrived


def test_a_calm_world_delivers_everything_once_and_soon() -> None:
    arrived = _delivered(CALM)
    assert [event for _, event in arrived] == _events(SENT)
    low_s, high_s = CALM.event_latency_s
    assert all(low_s - 1e-9 <= delay_s <= high_s + 1e-9 for delay_s, _ in arrived)


def test_lost_events_never_arrive() -> None:
    assert _delivered(structs.replace(CALM, event_lost=1.0)) == []
    share = len(_delivered(structs.replace(CALM, event_lost=0.25))) / SENT
    assert share == pytest.approx(0.75, abs=0.04)


def test_doubled_events_arrive_twice() -> None:
    arrived = [event for _, event in _delivered(structs.replace(CALM, event_doubled=1.0))]
    assert len(arrived) == 2 * SENT
    assert all(arrived.count(event) == 2 for event in _events(20))


def test_late_events_take_up_to_minutes_and_are_overtaken() -> None:
    profile = structs.replace(CALM, event_late=0.3, event_late_s=(30.0, 180.0))
    arrived = _delivered(profile)
    late = [delay_s for delay_s, _ in arrived if delay_s > 1.0]
    assert len(late) / SENT == pytest.approx(0.3, abs=0.04)
    assert min(late) >= 30.0
    assert 170.0 < max(late) <= 181.0
    order = [event.at for _, event in arrived]
    assert order != sorted(order)
    assert sorted(order) == [float(n) for n in range(SENT)]


def test_even_a_calm_network_reorders_what_leaves_together() -> None:
    order = [event.at for _, event in _delivered(CALM, every_s=0.001)]
    assert order != sorted(order)


def test_the_same_seed_delivers_the_same() -> None:
    assert _delivered(STORM, seed=3) == _delivered(STORM, seed=3)
    assert _delivered(STORM, seed=3) != _delivered(STORM, seed=4)


def test_without_a_sink_nothing_happens() -> None:
    kernel = Kernel(epoch_at=0.0)
    delivery = WebhookDelivery(kernel=kernel, chance=Chance(1), profile=CALM)
    delivery.send(_events(1)[0])
    kernel.advance(1.0)
    assert delivery.counts["arrived"] == 1
