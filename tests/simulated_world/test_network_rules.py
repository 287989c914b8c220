"""The network server's rules, one test for each."""

from itertools import pairwise

import pytest
from msgspec import structs
from one_light import BLUE, GATEWAY, GREEN, LIGHT, RED, SECOND, SHOWN, Bench

from lorawan.events.model import Ack, Event, Join, Log, TxAck, Uplink
from lorawan.kuando.light_state import LightState
from lorawan.network import (
    NetworkServer,
)
from simulation.world.device import ServerSettings
from simulation.world.frames import JOIN_REQUEST_BYTES, DownlinkCommand, DownlinkFrame, Slot
from simulation.world.gateway import GatewayMode
from simulation.world.network import SimulatedNetwork
from simulation.world.profile import CALM
from simulation.world.radio import uplink_s
from simulation.world.station import StationState
from simulation.world.tx_status import TxStatus
from simulation.world.world import World


def test_the_simulated_server_is_a_network_server() -> None:
    server: NetworkServer = Bench(joined=False).world.network
    assert isinstance(server, SimulatedNetwork)


def test_an_item_leaves_within_a_second_and_is_deleted_by_its_txack() -> None:
    bench = Bench()
    item_id = bench.inject(RED)
    before = bench.device.f_cnt_down
    bench.world.advance(1.4)
    (txack,) = bench.of(TxAck)
    assert isinstance(txack, TxAck)
    assert (txack.queue_item_id, txack.gateway_id) == (item_id, GATEWAY)
    assert txack.f_cnt_down == before
    assert txack.modulation == bench.world.region.rx2
    assert bench.device.queue.items() == ()
    assert bench.device.f_cnt_down == before + 1
    assert bench.station.light.shown == SHOWN[RED]


def test_the_queue_is_first_in_first_out_one_every_five_to_six_seconds() -> None:
    bench = Bench()
    ids = [bench.inject(data) for data in (RED, BLUE, GREEN)]
    bench.world.advance(20.0)
    txacks = [event for event in bench.of(TxAck) if isinstance(event, TxAck)]
    assert [event.queue_item_id for event in txacks] == ids
    assert [event.f_cnt_down for event in txacks] == [1, 2, 3]
    for first, second in pairwise(txacks):
        assert 4.9 <= second.at - first.at <= 6.1
    assert bench.station.light.shown == SHOWN[GREEN]


def test_an_uplink_locks_class_c_for_five_seconds() -> None:
    bench = Bench()
    bench.station.send_status()
    bench.world.advance(1.0)
    assert bench.of(Uplink)
    heard_s = bench.world.kernel.now
    bench.inject(RED)
    bench.world.advance(3.5)
    assert bench.of(TxAck) == []
    bench.world.advance(3.0)
    (txack,) = bench.of(TxAck)
    assert isinstance(txack, TxAck)
    assert txack.at - bench.world.kernel.epoch_at >= heard_s + 3.5


def test_an_uplink_takes_the_oldest_item_along_in_its_first_window() -> None:
    bench = Bench()
    bench.world.stop_gateway(GATEWAY)
    bench.inject(RED)
    bench.inject(BLUE)
    bench.world.advance(7.0)
    bench.world.start_gateway(GATEWAY)
    bench.station.send_status()
    bench.world.advance(1.5)
    (txack,) = bench.of(TxAck)
    assert isinstance(txack, TxAck)
    assert txack.frequency_hz in bench.world.region.uplink_channels_hz
    assert bench.station.light.shown == SHOWN[RED]
    assert [item.data for item in bench.device.queue.items()] == [BLUE]


def test_a_batch_takes_the_lowest_dev_euis() -> None:
    events: list[Event] = []
    settings = ServerSettings(batch_size=3)
    world = World(1, settings=settings, sink=events.append, heartbeat_s=1e6)
    world.add_gateway(GATEWAY)
    euis = [f"20202041{n:08x}" for n in (9, 3, 7, 1, 5)]
    for n, dev_eui in enumerate(euis):
        world.kernel.at(n * 30.0, world.add_light(dev_eui).plug)
    world.advance(300.3)
    events.clear()
    for dev_eui in euis:
        world.network.inject(dev_eui, RED)
    world.advance(0.9)
    first = [event.device.dev_eui for event in events if isinstance(event, TxAck)]
    assert sorted(first) == sorted(euis)[:3]
    world.advance(1.0)
    rest = [event.device.dev_eui for event in events if isinstance(event, TxAck)][3:]
    assert sorted(rest) == sorted(euis)[3:]


def test_undeliverable_items_starve_high_dev_euis() -> None:
    # Batch of 2 a second against a 5 s lock: ten stuck devices take every turn.
    settings = ServerSettings(batch_size=2)
    world = World(1, settings=settings, heartbeat_s=1e6)
    world.add_gateway(GATEWAY)
    world.add_gateway(SECOND)
    euis = [f"20202041{n:08x}" for n in range(12)]
    for n, dev_eui in enumerate(euis):
        station = world.add_light(dev_eui)
        del station.links[SECOND if n < 11 else GATEWAY]
        world.kernel.at(n * 30.0, station.plug)
    world.advance(400.0)
    world.stop_gateway(GATEWAY)
    for dev_eui in euis:
        world.network.inject(dev_eui, RED)
    world.advance(120.0)
    assert len(world.rules.devices[euis[-1]].queue) == 1
    assert world.rules.devices[euis[-1]].queue.items()[0].f_cnt_down == 0


def test_nothing_is_sent_before_the_first_uplink_of_a_session() -> None:
    bench = Bench(joined=False, settings=ServerSettings(flush_queue_on_activate=False))
    bench.inject(RED)
    bench.world.advance(60.0)
    assert bench.attempts() == 0
    bench.world.set_loss(uplink=0.0)
    bench.station.plug()
    while not bench.device.activated:
        bench.world.advance(0.1)
    bench.world.set_loss(uplink=1.0)
    published = bench.attempts()
    bench.world.advance(60.0)
    assert bench.device.f_cnt_up == 0
    assert bench.attempts() == published
    assert bench.of(TxAck, Log) == []
    bench.world.set_loss(uplink=0.0)
    bench.station.send_status()
    bench.world.advance(10.0)
    assert len(bench.of(TxAck)) == 1


def test_without_any_txack_the_item_stays_and_is_sent_again_with_the_same_counter() -> None:
    bench = Bench()
    bench.world.set_gateway_mode(GATEWAY, GatewayMode.SILENT)
    before = bench.attempts()
    bench.inject(RED)
    bench.world.advance(22.0)
    assert 4 <= bench.attempts() - before <= 5
    assert bench.of(TxAck, Log) == []
    (item,) = bench.device.queue.items()
    assert item.f_cnt_down == 1
    assert {sent.f_cnt for sent in bench.world.gateways[GATEWAY].ledger if sent.f_port} == {1}
    assert bench.station.light.downlinks_received == 1
    assert bench.station.light.replays_dropped >= 3
    assert bench.device.f_cnt_down == 1


def test_an_offline_gateway_gets_everything_and_says_nothing() -> None:
    bench = Bench()
    bench.world.stop_gateway(GATEWAY)
    bench.inject(RED)
    bench.world.advance(20.0)
    assert bench.events == []
    assert len(bench.device.queue) == 1
    bench.world.start_gateway(GATEWAY)
    bench.world.advance(7.0)
    assert bench.station.light.shown == SHOWN[RED]


@pytest.mark.parametrize("status", [TxStatus.QUEUE_FULL, TxStatus.TX_FREQ, TxStatus.TOO_LATE])
def test_a_gateway_error_keeps_the_item_and_names_nobody(status: TxStatus) -> None:
    bench = Bench()
    gateway = bench.world.gateways[GATEWAY]
    gateway.tx_error = status
    bench.inject(RED)
    bench.world.advance(1.3)
    (log,) = bench.of(Log)
    assert isinstance(log, Log)
    assert (log.level, log.code, log.description) == ("ERROR", "DOWNLINK_GATEWAY", status.value)
    assert (log.queue_item_id, log.context) == (None, {})
    assert len(bench.device.queue) == 1
    gateway.tx_error = None
    bench.world.advance(7.0)
    assert bench.station.light.shown == SHOWN[RED]


def test_a_txack_after_thirty_seconds_is_nobodys() -> None:
    bench = Bench()
    gateway = bench.world.gateways[GATEWAY]
    gateway.ack_delay_s = 31.0
    bench.inject(RED, life_s=4.0)
    bench.world.advance(40.0)
    assert bench.of(TxAck) == []
    assert [event.code for event in bench.of(Log) if isinstance(event, Log)] == ["EXPIRED"]
    assert bench.device.f_cnt_down == 1


def test_a_second_txack_is_nobodys() -> None:
    bench = Bench()
    bench.world.gateways[GATEWAY].ack_twice = True
    bench.inject(RED)
    bench.world.advance(10.0)
    assert len(bench.of(TxAck)) == 1
    assert bench.world.rules.counts["acknowledgement_of_unknown_frame"] == 1


def test_expiry_is_told_when_the_item_reaches_the_head_in_a_run() -> None:
    bench = Bench()
    bench.world.stop_gateway(GATEWAY)
    lasting = bench.inject(RED)
    short = bench.inject(BLUE, life_s=1.0)
    bench.world.advance(30.0)
    assert [item.id for item in bench.device.queue.items()] == [lasting, short]
    bench.world.start_gateway(GATEWAY)
    bench.world.advance(15.0)
    (log,) = bench.of(Log)
    assert isinstance(log, Log)
    assert (log.code, log.queue_item_id) == ("EXPIRED", short)
    assert log.context == {"queue_item_id": short}
    assert bench.device.queue.items() == ()


def test_an_item_too_large_is_dropped_when_its_turn_comes() -> None:
    bench = Bench()
    item_id = bench.inject(bytes(116))
    bench.inject(RED)
    bench.world.advance(3.0)
    (log,) = bench.of(Log)
    assert isinstance(log, Log)
    assert log.code == "DOWNLINK_PAYLOAD_SIZE"
    assert log.context == {
        "max_payload_size": "115",
        "item_size": "116",
        "queue_item_id": item_id,
    }
    assert bench.station.light.shown == SHOWN[RED]


def test_flushing_a_frame_in_flight_loses_its_txack_and_the_next_one_is_a_replay() -> None:
    bench = Bench()
    bench.world.gateways[GATEWAY].ack_delay_s = 1.0
    bench.inject(RED)
    bench.world.advance(1.4)
    assert bench.station.light.shown == SHOWN[RED]
    bench.world.rules.flush(bench.device)
    bench.world.advance(5.0)
    assert bench.of(TxAck, Log) == []
    assert bench.device.f_cnt_down == 1
    bench.inject(BLUE)
    bench.world.advance(10.0)
    assert len(bench.of(TxAck)) == 1
    assert bench.station.light.shown == SHOWN[RED]
    assert bench.station.light.replays_dropped == 1


@pytest.mark.parametrize("flushed", [True, False])
def test_a_join_flushes_the_queue_when_the_profile_says_so(flushed: bool) -> None:
    bench = Bench(settings=ServerSettings(flush_queue_on_activate=flushed))
    old = bench.device.dev_addr
    bench.world.stop_gateway(GATEWAY)
    bench.inject(RED)
    bench.world.advance(3.0)
    bench.world.restart_light(LIGHT)
    bench.world.start_gateway(GATEWAY)
    bench.world.advance(30.0)
    (join,) = bench.of(Join)
    assert isinstance(join, Join)
    assert join.dev_addr == bench.device.dev_addr != old
    green = LightState(red=0, green=0x35, blue=0)
    assert bench.station.light.shown == (green if flushed else SHOWN[RED])
    assert len(bench.of(TxAck)) == (0 if flushed else 1)


def test_a_join_event_is_no_proof_that_the_light_joined() -> None:
    bench = Bench(joined=False)
    bench.world.set_loss(downlink=1.0)
    bench.station.plug()
    bench.world.advance(30.0)
    assert len(bench.of(Join)) >= 1
    assert bench.device.activated
    assert bench.station.light.joins == 0


@pytest.mark.parametrize("restarts", [False, True])
def test_a_join_accept_in_rx2_is_heard_by_the_life_that_asked_for_it_only(restarts: bool) -> None:
    bench = Bench(joined=False)
    bench.station.plug()
    _until_it_joins(bench)
    _keep_rx1_busy(bench)
    if restarts:
        bench.world.advance(1.5)
        bench.station.restart()  # it asks again before the first answer comes
        _until_it_joins(bench)
        assert bench.device.dev_addr, "the first request has been heard"
    bench.world.advance(60.0)
    assert bench.station.state is StationState.JOINED
    assert bench.station.light.dev_addr == bench.device.dev_addr
    assert bench.of(Uplink), "the server knows its session"


def _until_it_joins(bench: Bench) -> None:
    while bench.station.state is not StationState.JOINING:
        bench.world.advance(0.01)


def _keep_rx1_busy(bench: Bench) -> None:
    """The gateway has something else to send just when the answer to the request is due."""
    airtime_s = uplink_s(JOIN_REQUEST_BYTES, bench.station.modulation)
    rx1_s = bench.world.kernel.now + airtime_s + bench.world.region.join_delay_s
    other = DownlinkFrame("2020204100000099", "00000001", 1, 15, RED)
    slot = Slot(bench.world.region.uplink_channels_hz[0], bench.station.modulation, rx1_s - 0.1)
    bench.world.gateways[GATEWAY].command(DownlinkCommand(1_000_000, other, (slot,)))


def test_the_first_uplink_is_confirmed_and_repeated_until_its_ack_comes() -> None:
    bench = Bench(joined=False)
    bench.station.plug()
    while bench.station.light.joins == 0:
        bench.world.advance(0.1)
    bench.world.set_loss(downlink=1.0)
    bench.world.advance(60.0)
    (uplink,) = bench.of(Uplink)
    assert isinstance(uplink, Uplink)
    assert (uplink.confirmed, uplink.f_cnt, uplink.f_port) == (True, 0, 15)
    codes = [event.code for event in bench.of(Log) if isinstance(event, Log)]
    assert codes == ["UPLINK_F_CNT_RETRANSMISSION"] * 3
    assert uplink.data[8:16] == bytes(8)


def test_a_confirmed_item_is_pending_blocks_and_is_acknowledged_by_the_next_uplink() -> None:
    bench = Bench()
    confirmed = bench.inject(RED, confirmed=True)
    bench.inject(BLUE)
    bench.world.advance(3.0)
    assert [item.is_pending for item in bench.device.queue.items()] == [True, False]
    bench.station.send_status()
    bench.world.advance(2.0)
    (ack,) = bench.of(Ack)
    assert isinstance(ack, Ack)
    assert (ack.queue_item_id, ack.acknowledged) == (confirmed, True)
    bench.world.advance(8.0)
    assert bench.station.light.shown == SHOWN[BLUE]


def test_a_confirmed_item_without_ack_is_given_up_after_its_timeout() -> None:
    bench = Bench(settings=ServerSettings(class_c_timeout_s=10.0))
    confirmed = bench.inject(RED, confirmed=True)
    bench.world.advance(9.0)
    assert bench.of(Ack) == []
    bench.world.advance(4.0)
    (ack,) = bench.of(Ack)
    assert isinstance(ack, Ack)
    assert (ack.queue_item_id, ack.acknowledged) == (confirmed, False)
    assert bench.device.queue.items() == ()


def test_gateways_with_margin_take_turns_and_health_does_not_matter() -> None:
    bench = Bench(gateways=(GATEWAY, SECOND))
    bench.world.stop_gateway(SECOND)
    before = bench.attempts()
    for _ in range(40):
        bench.inject(RED)
    bench.world.advance(600.0)
    used = bench.world.gateways[GATEWAY].statistics().frames_sent
    assert used >= 40
    # About every second attempt went to the dead one and had to be repeated.
    assert 60 <= bench.attempts() - before <= 110


def test_without_margin_the_best_gateway_is_taken_always() -> None:
    bench = Bench(gateways=(GATEWAY, SECOND))
    bench.station.links[GATEWAY].uplink_rssi_dbm = -120.0
    bench.station.links[SECOND].uplink_rssi_dbm = -118.0
    bench.station.send_status()
    bench.world.advance(10.0)
    for _ in range(10):
        bench.inject(RED)
    bench.world.advance(100.0)
    txacks = [event for event in bench.of(TxAck) if isinstance(event, TxAck)]
    assert {event.gateway_id for event in txacks} == {SECOND}
    assert len(txacks) == 10


def test_retained_events_outlive_their_loss_on_the_way() -> None:
    bench = Bench(profile=structs.replace(CALM, event_lost=1.0, retained_events=10))
    assert bench.events == []
    for _ in range(30):
        bench.station.send_status()
        bench.world.advance(10.0)
    assert bench.events == []
    assert len(bench.device.events) == 10
    newest = bench.device.events[-1]
    assert isinstance(newest, Uplink)
    assert newest.f_cnt == 30
