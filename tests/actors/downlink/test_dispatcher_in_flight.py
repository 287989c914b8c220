"""Items in flight: what they occupy; air is charged for every sending that may have been."""

import msgspec
import pytest

from actors.device.events import Transmitted
from actors.downlink.airtime_budget import AirtimeBudget
from actors.downlink.in_flight import InFlight, Item
from actors.downlink.pacing.gateway_pacing import FrameToPace
from actors.downlink.pacing.pacer import Pacer
from actors.downlink.queue_check import Mark
from lorawan.network import Activation
from tests.actors.downlink.pacing.test_pacer import Facts
from tests.support.dispatcher_kit import POLICY, START

AIRTIME_S = 0.2


def item(token: int = 1, *gateways: str, heard_at: float | None = None, at: float = START) -> Item:
    return Item(
        token=token,
        dev_eui=f"light-{token}",
        number=1,
        mark=Mark(token, b"\0" * 6),
        gateways=frozenset(gateways or ("a",)),
        paced_by=frozenset(gateways or ("a",)),
        airtime_s=AIRTIME_S,
        answer_s=0.6,
        started_at=at,
        expires_at=at + 31.0,
        heard_at=heard_at,
        activation=Activation("01020304", 5, 0),
        id=f"item-{token}",
    )


def txack(gateway_id: str, at: float) -> Transmitted:
    return Transmitted(at, "item-1", gateway_id, at + AIRTIME_S, 0)


def test_a_txack_moves_the_charge_and_the_lane_to_the_gateway_it_names() -> None:
    in_flight = InFlight(POLICY)
    flying = item(1, "a", "b")
    in_flight.start(flying)
    assert in_flight.occupancy.free_at({"a", "b"}, START) == pytest.approx(
        START + POLICY.txack_late_s + AIRTIME_S
    )
    in_flight.acknowledged(flying, txack("b", START + 0.5), START + 0.6)
    assert in_flight.occupancy.free_at({"a"}, START + 0.6) == START + 0.6
    assert in_flight.occupancy.free_at({"b"}, START + 0.6) == pytest.approx(START + 1.4)
    assert in_flight.airtime_budget.spent("a", START + 1.0) == 0.0
    assert in_flight.airtime_budget.spent("b", START + 1.0) == pytest.approx(AIRTIME_S, abs=1e-5)
    assert len(in_flight) == 0


def test_a_late_txack_charges_the_sendings_that_nobody_acknowledged() -> None:
    in_flight = InFlight(POLICY)
    flying = item(1, "a", "b")
    in_flight.start(flying)
    in_flight.acknowledged(flying, txack("b", START + 11.0), START + 11.0)
    assert in_flight.airtime_budget.spent("a", START + 12.0) == pytest.approx(
        3 * AIRTIME_S, abs=1e-5
    )
    assert in_flight.airtime_budget.spent("b", START + 12.0) == pytest.approx(
        4 * AIRTIME_S, abs=1e-5
    )


def test_an_uplink_just_before_explains_the_delay() -> None:
    in_flight = InFlight(POLICY)
    flying = item(1, heard_at=START - 1.0)
    in_flight.start(flying)
    in_flight.acknowledged(flying, txack("a", START + 5.5), START + 5.6)
    assert in_flight.airtime_budget.spent("a", START + 6.0) == pytest.approx(AIRTIME_S, abs=1e-5)


def test_an_expired_item_is_charged_for_all_that_a_silent_gateway_may_have_sent() -> None:
    in_flight = InFlight(POLICY)
    in_flight.start(item(1, "a", "b"))
    assert in_flight.take_expired(START + 35.9) == []
    assert [one.token for one in in_flight.take_expired(START + 36.0)] == [1]
    for gateway_id in ("a", "b"):
        assert in_flight.airtime_budget.spent(gateway_id, START + 36.0) == pytest.approx(
            12 * AIRTIME_S, abs=1e-5
        )
    assert in_flight.expired == 1


def test_an_enqueue_without_effect_costs_nothing() -> None:
    in_flight = InFlight(POLICY)
    flying = item()
    in_flight.start(flying)
    in_flight.never_was(flying)
    assert in_flight.occupancy.free_at({"a"}, START) == START
    assert in_flight.airtime_budget.fits({"a"}, 360.0, START)
    assert in_flight.take_expired(START + 100.0) == []


def test_a_gateway_holds_three_items_at_most_and_a_silent_one_a_single_one() -> None:
    in_flight = InFlight(POLICY)
    for token in (1, 2, 3):
        assert not in_flight.crowded({"a"})
        in_flight.start(item(token, at=START + 8.0 * token))
    assert in_flight.crowded({"a"})
    assert not in_flight.crowded({"b"})
    assert len(in_flight.take_expired(START + 80.0)) == 3
    assert not in_flight.crowded({"a"})
    in_flight.missed(start(in_flight, 4, "a"), START + 83.2, sure=False)
    in_flight.missed(start(in_flight, 5, "a"), START + 84.2, sure=False)
    assert in_flight.crowded({"a"})  # nobody took anything of two lights: one at a time
    assert in_flight.suspicion.took("a", START + 85.0)
    assert not in_flight.crowded({"a"})


def start(in_flight: InFlight, token: int, *gateways: str) -> Item:
    flying = item(token, *gateways, at=START + 80.0)
    in_flight.start(flying)
    return flying


def test_an_overdue_item_is_given_once() -> None:
    in_flight = InFlight(POLICY)
    in_flight.start(item(1))
    ended = item(2, at=START + 1.0)
    in_flight.start(ended)
    in_flight.never_was(ended)
    assert in_flight.next_overdue_at() == START + 1.6
    assert in_flight.take_overdue(START + 1.5) is None
    overdue = in_flight.take_overdue(START + 1.6)
    assert overdue is not None
    assert overdue.token == 1
    assert in_flight.take_overdue(START + 100.0) is None
    assert in_flight.next_overdue_at() is None


def test_an_item_that_nobody_took_is_looked_for_again_and_awaited_where_it_is_sent_again() -> None:
    in_flight = InFlight(POLICY)
    flying = start_one(in_flight)
    assert not in_flight.still_listed(flying, START + 1.6, tried=True)
    assert in_flight.next_overdue_at() == pytest.approx(START + 3.2)
    assert in_flight.still_listed(flying, START + 3.2, tried=True)
    assert in_flight.next_overdue_at() == pytest.approx(START + 6.6)
    assert in_flight.occupancy.free_at({"a"}, START + 3.2, 1.2) == START + 3.2
    again_until = pytest.approx(START + 6.6 + AIRTIME_S)
    assert in_flight.occupancy.free_at({"a"}, START + 4.0, 1.2) == again_until


def test_a_refusal_frees_the_gateway_until_the_frame_is_sent_again() -> None:
    in_flight = InFlight(POLICY)
    flying = start_one(in_flight)
    in_flight.refused(flying, START + 0.7)
    assert in_flight.occupancy.free_at({"a"}, START + 0.7, 1.2) == START + 0.7
    assert in_flight.next_overdue_at() == pytest.approx(START + 0.7 + 5.0 + 1.6)
    assert in_flight.suspicion.suspects == {}


def start_one(in_flight: InFlight) -> Item:
    flying = item(1)
    in_flight.start(flying)
    return flying


def test_an_item_that_is_not_even_tried_says_nothing_of_its_gateway() -> None:
    """The light is no Class C device, disabled, or locked by an uplink."""
    in_flight = InFlight(POLICY)
    flying = start_one(in_flight)
    for second in range(2, 30):
        assert not in_flight.still_listed(flying, START + second, tried=False)
    assert in_flight.occupancy.free_at({"a"}, START + 29.0) == START + 29.0
    assert in_flight.suspicion.suspects == {}


def test_what_is_set_aside_leaves_no_room_and_counts_as_sent_when_nobody_is_left() -> None:
    airtime_budget = AirtimeBudget(0.1, 3_600.0)
    airtime_budget.reserve(1, frozenset({"a"}), 300.0)
    assert airtime_budget.room_at({"a"}, 100.0, START) == START
    assert not airtime_budget.fits({"a"}, 100.0, START)
    assert airtime_budget.fits({"a"}, 60.0, START)
    airtime_budget.conclude(START)
    assert airtime_budget.spent("a", START) == pytest.approx(300.0, abs=1e-5)
    assert airtime_budget.room_at({"a"}, 100.0, START) > START + 3_600.0
    assert airtime_budget.fits({"b"}, 360.0, START)


def test_without_a_duty_cycle_there_is_always_room_and_the_account_is_kept() -> None:
    airtime_budget = AirtimeBudget(None, 3_600.0)
    airtime_budget.charge({"a": 1_000.0}, START)
    assert airtime_budget.budget_s is None
    assert airtime_budget.fits({"a"}, 1_000.0, START)
    assert airtime_budget.room_at({"a"}, 1_000.0, START) == START
    assert airtime_budget.spent("a", START) == pytest.approx(1_000.0, abs=1e-5)


def test_items_that_ended_early_leave_no_rubbish() -> None:
    in_flight = InFlight(POLICY)
    for token in range(1_000):
        flying = item(token)
        in_flight.start(flying)
        in_flight.acknowledged(flying, txack("a", START), START)
    assert len(in_flight._due) <= 70
    assert len(in_flight._unchecked) <= 70


@pytest.mark.parametrize(("through", "late"), [(("b",), True), (("a", "b"), False)])
def test_a_txack_of_a_second_sending_is_not_late_where_the_first_may_have_gone_another_way(
    through: tuple[str, ...], late: bool
) -> None:
    pacer = Pacer(Facts(), tick_s=0.1)
    in_flight = InFlight(POLICY, pacer=pacer)
    for token in range(1, 41):  # what orders through this gateway take is known then
        flying = item(token, "b", at=START + 10.0 * token)
        in_flight.start(flying)
        pacer.ordered(token, flying.dev_eui, frame("b"), flying.started_at)
        in_flight.acknowledged(
            flying, txack("b", flying.started_at + 0.1), flying.started_at + 0.12
        )
    last = item(50, *through, at=START + 600.0)
    in_flight.start(last)
    pacer.ordered(50, last.dev_eui, frame(*through), last.started_at)
    in_flight.acknowledged(last, txack("b", last.started_at + 5.1), last.started_at + 5.12)
    told = pacer.told("b")
    assert told is not None
    assert bool(told.late_txacks) is late


def test_a_frame_for_a_receive_window_may_have_taken_the_second_one() -> None:
    pacer = Pacer(Facts(), tick_s=0.1)
    in_flight = InFlight(POLICY, pacer=pacer)
    flying = item(1, "a", at=START)
    in_flight.start(flying)
    pacer.ordered(1, flying.dev_eui, frame("a"), START)
    told = msgspec.structs.replace(txack("a", START + 0.2), rx_delay_s=1.0, ends_at=START + 0.25)
    in_flight.acknowledged(flying, told, START + 0.22)
    pacer.pace(frame("b"))
    assert pacer.order_at(frame("b"), ("a", "b")) >= START + 0.22 + 2.0 + AIRTIME_S


def frame(*gateways: str) -> FrameToPace:
    return FrameToPace(frozenset(gateways), frozenset(gateways), AIRTIME_S, 0.6, 68)
