"""How long lights take to answer, what new firmware changes, and when a light cannot hear."""

import random
from statistics import median

import pytest
from msgspec import structs

from lorawan.events.model import Event, Uplink
from lorawan.kuando.light_state import LightState
from simulation.world.answer_delay import (
    ANSWER_DELAYS,
    HELD,
    HELD_SF12,
    LONG_TAILED,
    ONE_SECOND,
    PROMPT,
    SECONDS,
    AnswerDelay,
)
from simulation.world.frames import DownlinkCommand, DownlinkFrame, Slot
from simulation.world.profile import CALM, PROFILES
from simulation.world.radio import Link, uplink_s
from simulation.world.station import RX1_OPENING_S, Station
from simulation.world.world import World

GATEWAY = "0016c001f1000001"
RED_REPLY = bytes.fromhex("ff0000ff0001")
RED = LightState(255, 0, 0)
DRAWS = 20_000


def _draws(model: AnswerDelay) -> list[float]:
    rng = random.Random(1)
    return sorted(model.draw(rng) for _ in range(DRAWS))


@pytest.mark.parametrize(
    ("model", "low_s", "median_s", "high_s"),
    [(PROMPT, 0.05, 0.175, 0.30), (ONE_SECOND, 1.0, 1.0, 1.0), (SECONDS, 1.0, 2.0, 3.0)],
)
def test_uniform_delays_keep_to_their_range(
    model: AnswerDelay, low_s: float, median_s: float, high_s: float
) -> None:
    draws = _draws(model)
    assert low_s <= draws[0] <= draws[-1] <= high_s
    assert median(draws) == pytest.approx(median_s, rel=0.02)


def test_long_tailed_delays_are_mostly_near_the_median() -> None:
    draws = _draws(LONG_TAILED)
    assert median(draws) == pytest.approx(1.5, rel=0.02)
    assert draws[round(0.995 * DRAWS)] == pytest.approx(1.5 * 2.718 ** (0.5 * 2.576), rel=0.06)


@pytest.mark.parametrize(("model", "span_s"), [(HELD, (10.0, 60.0)), (HELD_SF12, (50.0, 200.0))])
def test_one_held_answer_in_twenty_waits(model: AnswerDelay, span_s: tuple[float, float]) -> None:
    draws = _draws(model)
    held = [delay_s for delay_s in draws if delay_s > 1.0]
    assert len(held) / DRAWS == pytest.approx(0.05, rel=0.1)
    assert span_s[0] <= held[0] <= held[-1] <= span_s[1] + 0.3


def _world(
    answer_delay: AnswerDelay, *revisions: int, **by_revision: AnswerDelay
) -> tuple[World, list[Event]]:
    events: list[Event] = []
    profile = structs.replace(
        CALM,
        answer_delay=answer_delay,
        answer_delays={int(name.removeprefix("r")): one for name, one in by_revision.items()},
        event_latency_s=(0.0, 0.0),
    )
    world = World(1, profile=profile, sink=events.append, heartbeat_s=1e6)
    world.add_gateway(GATEWAY)
    for number, sw_rev in enumerate(revisions or (61,)):
        station = world.add_light(
            f"20202041{number:08x}",
            {GATEWAY: Link(-90.0, -90.0)},
            spreading_factor=9,
            sw_rev=sw_rev,
        )
        world.kernel.after(20.0 * number, station.plug)
    world.advance(100.0)
    events.clear()
    return world, events


def _answer_s(world: World, events: list[Event], dev_eui: str) -> float:
    """From the end of a colour on the air to the start of its status."""
    events.clear()
    device, gateway = world.rules.devices[dev_eui], world.gateways[GATEWAY]
    frame = DownlinkFrame(dev_eui, device.dev_addr, device.f_cnt_down, 15, RED_REPLY)
    device.f_cnt_down += 1
    gateway.ledger.clear()
    slot = Slot(world.region.rx2_frequency_hz, world.region.rx2)
    gateway.command(DownlinkCommand(1, frame, (slot,)))
    world.advance(300.0)
    (sent,) = [one for one in gateway.ledger if one.dev_eui == dev_eui and one.f_port]
    heard = next(one for one in events if isinstance(one, Uplink))
    assert heard.at is not None
    airtime_s = uplink_s(len(heard.data), world.stations[dev_eui].modulation)
    end_s = heard.at - world.kernel.epoch_at
    return end_s - airtime_s - sent.start_s - sent.airtime_s


@pytest.mark.parametrize("name", ANSWER_DELAYS)
def test_a_light_answers_by_the_model_of_its_world(name: str) -> None:
    model = ANSWER_DELAYS[name]
    world, events = _world(model)
    answered = [_answer_s(world, events, next(iter(world.stations))) for _ in range(30)]
    draws = _draws(model)
    assert draws[0] - 0.001 <= min(answered) <= max(answered) <= draws[-1] + 0.001
    assert median(answered) == pytest.approx(median(draws), rel=0.3)


def test_each_software_revision_has_its_own_delay() -> None:
    world, events = _world(PROMPT, 61, 68, r68=ONE_SECOND)
    old, new = world.stations
    assert _answer_s(world, events, old) < 0.31
    assert _answer_s(world, events, new) == pytest.approx(1.0, abs=0.001)


def test_new_firmware_answers_otherwise_from_then_on() -> None:
    world, events = _world(PROMPT, 61, 68)
    old, new = world.stations
    world.set_answer_delay(SECONDS, sw_rev=68)
    assert _answer_s(world, events, old) < 0.31
    assert _answer_s(world, events, new) >= 1.0
    world.set_answer_delay(ONE_SECOND)
    assert _answer_s(world, events, old) == pytest.approx(1.0, abs=0.001)


def test_an_update_of_one_light_restarts_it_with_another_revision() -> None:
    world, events = _world(PROMPT, 61, r68=ONE_SECOND)
    (dev_eui,) = world.stations
    world.update_firmware(dev_eui, 68)
    world.advance(60.0)
    assert world.stations[dev_eui].light.status()[21] == 68
    assert _answer_s(world, events, dev_eui) == pytest.approx(1.0, abs=0.001)


def test_chance_brings_new_firmware_where_the_profile_says_so() -> None:
    profile = structs.replace(CALM, firmware_every_s=600.0, answer_delays_later=(SECONDS,))
    world = World.build(1, lights=4, gateways=1, profile=profile, firmware=((61, 1.0),))
    world.advance(6000.0)
    assert world.trouble["new firmware"] > 0
    assert {station.answer_delay for station in world.stations.values()} == {SECONDS}


def _listener() -> Station:
    world, _ = _world(PROMPT)
    (station,) = world.stations.values()
    station.send_status()
    world.advance(10.0)
    return station


@pytest.mark.parametrize(
    ("start_s", "end_s", "hears"),
    [
        (-0.5, -0.1, False),  # it sends
        (0.01, 0.9, True),
        (0.9, 1.1, False),
        (1.0 + RX1_OPENING_S / 2, 1.3, False),
        (0.5, 3.0, False),
        (1.0 + RX1_OPENING_S, 1.3, True),
    ],
)
def test_a_frame_that_meets_the_opening_of_rx1_is_lost(
    start_s: float, end_s: float, *, hears: bool
) -> None:
    station = _listener()
    after_s = station._sent_until_s
    frequency_hz = 869_525_000
    assert station.listened(after_s + start_s, after_s + end_s, frequency_hz, 9) is hears


def test_rx1_itself_is_heard_at_its_opening() -> None:
    station = _listener()
    start_s = station._sent_until_s + 1.0
    assert station.listened(start_s, start_s + 0.2, 868_100_000, 9)


def test_every_named_profile_says_how_lights_answer_and_what_gateways_run() -> None:
    assert len({profile.answer_delay for profile in PROFILES.values()}) == len(PROFILES)
    assert all(forwarder.lag_s >= 0.02 for p in PROFILES.values() for forwarder in p.forwarders)
