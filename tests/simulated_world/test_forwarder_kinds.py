"""Kinds of forwarder: when a frame leaves, what is said of it, and what is lost without a word."""

from itertools import count, pairwise

import pytest

from lorawan.events.model import Modulation
from simulation.world.basics_station import BACKOFF_S, band_of
from simulation.world.forwarder import (
    BARE,
    BASICS_STATION,
    CONCENTRATORD_4_5_1,
    CONCENTRATORD_4_5_2,
    PACKET_FORWARDER_4,
    REAL_FORWARDERS,
    SX1302_HAL_2,
    Forwarder,
)
from simulation.world.frames import DownlinkCommand, DownlinkFrame, Slot
from simulation.world.gateway import Gateway
from simulation.world.radio import downlink_s
from simulation.world.region import EU868_SF9, US915, RadioRegion
from simulation.world.tx_status import TxStatus
from simulation.world.world import World

COLOUR = bytes.fromhex("ff0000ff0001")
AIRTIME_S = downlink_s(len(COLOUR), EU868_SF9.rx2)
RX1 = Modulation(spreading_factor=9, bandwidth_hz=125_000)
QUEUING = (PACKET_FORWARDER_4, SX1302_HAL_2, CONCENTRATORD_4_5_1, CONCENTRATORD_4_5_2)


class Site:
    """One gateway, what it said, and a way to hand it frames with no delay on the way."""

    def __init__(self, forwarder: Forwarder, region: RadioRegion = EU868_SF9) -> None:
        self.world = World(1, region=region)
        self.gateway: Gateway = self.world.add_gateway("0016c001f1000001", forwarder=forwarder)
        self.gateway.acknowledge = self._said
        self.said: list[tuple[int, TxStatus, float, Slot]] = []
        self._numbers = count(1)

    def send(self, *slots: Slot) -> int:
        number = next(self._numbers)
        frame = DownlinkFrame("2020204100000001", "00000001", number, 15, COLOUR)
        self.gateway._arrived(DownlinkCommand(number, frame, slots or (self.at_once,)))
        return number

    @property
    def at_once(self) -> Slot:
        return Slot(self.world.region.rx2_frequency_hz, self.world.region.rx2)

    def rx1(self, start_s: float, frequency_hz: int = 868_100_000) -> Slot:
        return Slot(frequency_hz, RX1, start_s)

    def rx2(self, start_s: float) -> Slot:
        return Slot(self.world.region.rx2_frequency_hz, self.world.region.rx2, start_s)

    @property
    def starts_s(self) -> list[float]:
        return [sent.start_s for sent in self.gateway.ledger]

    def statuses(self) -> list[TxStatus]:
        return [status for _, status, _, _ in self.said]

    def _said(self, number: int, _gateway: str, status: TxStatus, slot: Slot) -> None:
        self.said.append((number, status, self.world.kernel.now, slot))


@pytest.mark.parametrize(
    ("forwarder", "lag_s"),
    [
        (BARE, 0.0015),
        (PACKET_FORWARDER_4, 1.0),
        (SX1302_HAL_2, 0.08),
        (CONCENTRATORD_4_5_1, 1.0),
        (CONCENTRATORD_4_5_2, 0.08),
        (BASICS_STATION, 0.02),
    ],
    ids=lambda value: value.name if isinstance(value, Forwarder) else "",
)
def test_a_frame_to_be_sent_at_once_leaves_after_the_forwarders_lag(
    forwarder: Forwarder, lag_s: float
) -> None:
    site = Site(forwarder)
    site.send()
    site.world.advance(5.0)
    assert site.starts_s == pytest.approx([lag_s])


@pytest.mark.parametrize("forwarder", QUEUING, ids=lambda forwarder: forwarder.name)
def test_a_queue_acknowledges_before_it_sends(forwarder: Forwarder) -> None:
    site = Site(forwarder)
    site.send()
    site.world.advance(5.0)
    ((_, status, said_s, _),) = site.said
    assert status is TxStatus.OK
    assert said_s < 0.1  # the way back only, though the frame may leave a second later


@pytest.mark.parametrize(
    ("forwarder", "gap_s"),
    [
        (PACKET_FORWARDER_4, 0.0625),
        (SX1302_HAL_2, 0.0825),
        (CONCENTRATORD_4_5_1, 0.0325),
        (CONCENTRATORD_4_5_2, 0.0425),
    ],
    ids=lambda value: value.name if isinstance(value, Forwarder) else "",
)
def test_frames_that_come_together_leave_one_behind_the_other(
    forwarder: Forwarder, gap_s: float
) -> None:
    site = Site(forwarder)
    for _ in range(3):
        site.send()
    site.world.advance(5.0)
    first, second, third = site.starts_s
    assert second - first == pytest.approx(AIRTIME_S + gap_s)
    assert third - second == pytest.approx(AIRTIME_S + gap_s)


def test_the_queue_of_a_real_forwarder_holds_32() -> None:
    site = Site(CONCENTRATORD_4_5_2)
    for _ in range(33):
        site.send()
    site.world.advance(30.0)
    assert site.statuses().count(TxStatus.OK) == len(site.starts_s) == 32
    assert site.statuses().count(TxStatus.QUEUE_FULL) == 1


def test_semtechs_forwarder_loses_a_frame_that_it_takes_while_another_is_on_the_air() -> None:
    site = Site(SX1302_HAL_2)
    site.send()
    site.world.advance(0.05)  # the first has left the queue, and is forgotten
    site.send()
    site.world.advance(5.0)
    assert site.statuses() == [TxStatus.OK, TxStatus.OK]
    assert len(site.starts_s) == 1
    assert site.world.radio.counts["downlink_dropped_emitting"] == 1


def test_concentratord_remembers_what_is_on_the_air() -> None:
    site = Site(CONCENTRATORD_4_5_2)
    site.send()
    site.world.advance(0.05)
    site.send()
    site.world.advance(5.0)
    first, second = site.starts_s
    assert second - first == pytest.approx(AIRTIME_S + 0.0425)


@pytest.mark.parametrize("forwarder", QUEUING, ids=lambda forwarder: forwarder.name)
def test_a_timed_frame_leaves_at_its_time_whatever_the_lag(forwarder: Forwarder) -> None:
    site = Site(forwarder)
    site.send(site.rx1(0.7))
    site.world.advance(5.0)
    assert site.starts_s == pytest.approx([0.7])
    assert site.statuses() == [TxStatus.OK]


@pytest.mark.parametrize("forwarder", QUEUING, ids=lambda forwarder: forwarder.name)
def test_a_timed_frame_that_comes_too_late_is_refused_and_its_second_slot_tried(
    forwarder: Forwarder,
) -> None:
    site = Site(forwarder)
    site.send(site.rx1(forwarder.least_lead_s - 0.001))
    site.world.advance(2.0)
    assert site.statuses() == [TxStatus.TOO_LATE]
    site.send(site.rx1(2.001), site.rx2(3.0))
    site.world.advance(5.0)
    assert site.starts_s == pytest.approx([3.0])
    assert site.said[-1][1] is TxStatus.OK
    assert site.said[-1][3].start_s == 3.0


def test_an_immediate_frame_goes_before_a_timed_one_where_there_is_room() -> None:
    site = Site(CONCENTRATORD_4_5_2)
    site.send(site.rx1(0.9))
    for _ in range(4):
        site.send()
    site.world.advance(5.0)
    first, second, third, fourth, fifth = site.starts_s
    assert first == pytest.approx(0.08)
    assert second == pytest.approx(0.08 + AIRTIME_S + 0.0425)
    assert third == pytest.approx(0.08 + 2 * (AIRTIME_S + 0.0425))
    assert fourth == pytest.approx(0.9)  # the fourth at once would have met it
    assert fifth == pytest.approx(0.9 + AIRTIME_S + 0.0425)


@pytest.mark.parametrize("forwarder", REAL_FORWARDERS, ids=lambda forwarder: forwarder.name)
def test_no_forwarder_sends_two_frames_at_once(forwarder: Forwarder) -> None:
    site = Site(forwarder)
    for n in range(40):
        site.send(*((site.rx1(site.world.kernel.now + 0.9),) if n % 5 == 4 else ()))
        site.world.advance(0.037 * (n % 7))
    site.world.advance(60.0)
    sent = sorted(site.gateway.ledger, key=lambda one: one.start_s)
    assert len(sent) > 3
    for before, after in pairwise(sent):
        assert after.start_s >= before.start_s + before.airtime_s


def test_basics_station_tells_of_a_frame_from_the_air() -> None:
    site = Site(BASICS_STATION)
    site.send()
    site.world.advance(0.0249)
    assert site.said == []
    site.world.advance(5.0)
    ((_, status, said_s, _),) = site.said
    assert status is TxStatus.OK
    assert said_s >= site.starts_s[0] + 0.005


def test_basics_station_shuts_the_band_for_ten_airtimes_and_drops_without_a_word() -> None:
    site = Site(BASICS_STATION)
    first = site.send()
    site.world.advance(0.5)
    site.send()  # ten more tries end at 1.52 s; the band opens at 1.87 s
    site.world.advance(5.0)
    assert [number for number, *_ in site.said] == [first]
    assert len(site.starts_s) == 1
    assert site.world.radio.counts["downlink_dropped_class_c"] == 1
    third = site.send()
    site.world.advance(5.0)
    assert [number for number, *_ in site.said] == [first, third]


def test_basics_station_tries_a_class_c_frame_again_every_tenth_of_a_second() -> None:
    site = Site(BASICS_STATION)
    site.send()
    shut_until_s = 0.02 + 10 * AIRTIME_S
    site.world.advance(1.0)
    site.send()
    site.world.advance(5.0)
    _, second = site.starts_s
    assert shut_until_s <= second < shut_until_s + BACKOFF_S
    assert (second - 1.02) / BACKOFF_S == pytest.approx(round((second - 1.02) / BACKOFF_S))


def test_basics_station_reaches_its_ten_percent_and_no_more() -> None:
    site = Site(BASICS_STATION)
    for _ in range(600):
        site.send()
        site.world.advance(1.0)
    spent_s = sum(sent.airtime_s for sent in site.gateway.ledger)
    assert 0.06 < spent_s / 600.0 <= 0.10


def test_basics_station_takes_a_class_a_frame_to_rx2_where_the_band_of_rx1_is_shut() -> None:
    site = Site(BASICS_STATION)
    site.send(site.rx1(1.0, 867_100_000))
    site.world.advance(5.0)
    slots = (site.rx1(6.0, 867_300_000), site.rx2(7.0))  # a thousandth of the time: shut for 185 s
    site.send(*slots)
    site.world.advance(10.0)
    assert site.starts_s == pytest.approx([1.0, 7.0])
    # its bridge names the first item whatever it was
    assert site.said[-1][3] is slots[0]


def test_basics_station_drops_a_class_a_frame_that_finds_neither_window() -> None:
    site = Site(BASICS_STATION)
    site.send()
    site.send(site.rx2(1.0))
    site.world.advance(5.0)
    assert len(site.starts_s) == len(site.said) == 1
    assert site.world.radio.counts["downlink_dropped_class_a"] == 1


def test_basics_station_keeps_no_off_time_where_the_region_has_none() -> None:
    site = Site(BASICS_STATION, US915)
    for _ in range(3):
        site.send()
    site.world.advance(5.0)
    assert len(site.starts_s) == 3


def test_basics_station_refuses_nothing() -> None:
    site = Site(BASICS_STATION)
    site.gateway.tx_error = TxStatus.TX_POWER
    site.send()
    site.world.advance(5.0)
    assert site.said == []
    assert site.starts_s == []


@pytest.mark.parametrize(
    ("frequency_hz", "airtimes"),
    [(869_525_000, 10), (868_100_000, 100), (868_500_000, 100), (867_100_000, 1000)],
)
def test_each_band_has_its_share(frequency_hz: int, airtimes: int) -> None:
    assert band_of(frequency_hz) == airtimes


def test_an_update_of_the_forwarder_loses_what_it_had_queued() -> None:
    site = Site(CONCENTRATORD_4_5_1)
    site.send()
    site.world.advance(0.5)
    site.world.set_forwarder(site.gateway.gateway_id, CONCENTRATORD_4_5_2)
    site.send()
    site.world.advance(5.0)
    assert site.starts_s == pytest.approx([0.58])
    assert site.gateway.forwarder is CONCENTRATORD_4_5_2
