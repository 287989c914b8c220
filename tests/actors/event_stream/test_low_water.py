"""The mark is never ahead of what was dealt with."""

from dataclasses import dataclass

from actors.event_stream.low_water import SETTLE_S, LowWater
from lorawan.stream.entries import EntryId


@dataclass
class Tray:
    accepted: int = 0
    finished: int = 0


FIRST, SECOND, THIRD = EntryId(1), EntryId(2), EntryId(3)


def test_it_moves_once_the_lights_have_dealt_with_what_they_were_given() -> None:
    tray = Tray(accepted=1)
    water = LowWater({"light": tray}.get)
    water.handed_out(FIRST, {"light"}, 0.0)
    assert not water.look(SETTLE_S)
    assert water.mark is None
    tray.finished = 1
    assert water.look(SETTLE_S)
    assert water.mark == FIRST


def test_it_waits_for_what_reaches_a_light_by_way_of_the_dispatcher() -> None:
    tray = Tray()
    water = LowWater({"light": tray}.get)
    water.handed_out(FIRST, {"light"}, 0.0)
    assert not water.look(SETTLE_S - 0.1)
    tray.accepted = 1  # the dispatcher told it only now
    assert not water.look(SETTLE_S)
    tray.finished = 1
    assert water.look(SETTLE_S)


def test_what_comes_later_for_a_busy_light_does_not_hold_it_up() -> None:
    tray = Tray(accepted=3)
    water = LowWater({"light": tray}.get)
    water.handed_out(FIRST, {"light"}, 0.0)
    water.look(SETTLE_S)
    tray.accepted, tray.finished = 30, 3
    assert water.look(SETTLE_S + 1)


def test_a_slow_light_holds_what_follows_and_all_moves_together_then() -> None:
    slow, quick = Tray(accepted=1), Tray(accepted=1, finished=1)
    told: list[str] = []
    water = LowWater({"slow": slow, "quick": quick}.get, FIRST)
    water.handed_out(SECOND, {"slow"}, 0.0, lambda: told.append("second"))
    water.handed_out(THIRD, {"quick"}, 0.0, lambda: told.append("third"))
    assert not water.look(100.0)
    assert (water.mark, water.waiting, told) == (FIRST, 2, [])
    slow.finished = 1
    assert water.look(100.0)
    assert (water.mark, water.waiting, told) == (THIRD, 0, ["second", "third"])


def test_a_light_that_is_gone_holds_nothing_up() -> None:
    water = LowWater({}.get)
    water.handed_out(FIRST, {"removed"}, 0.0)
    assert water.look(SETTLE_S)


def test_it_never_goes_back() -> None:
    water = LowWater({}.get, THIRD)
    water.handed_out(FIRST, (), 0.0)  # after a connection older entries are read again
    assert not water.look(SETTLE_S)
    assert water.mark == THIRD


def test_while_one_light_is_stuck_what_comes_is_kept_account_of_in_a_bounded_space() -> None:
    stuck, quick = Tray(accepted=1), Tray(accepted=1)
    told: list[str] = []
    water = LowWater({"stuck": stuck, "quick": quick}.get)
    water.handed_out(FIRST, {"stuck"}, 0.0)
    for number in range(2, 2 * LowWater.BATCHES_MOST):
        assert water.full == (number > LowWater.BATCHES_MOST)
        water.handed_out(EntryId(number), (), 0.0)
    last = EntryId(3 * LowWater.BATCHES_MOST)
    assert not water.look(SETTLE_S)
    water.handed_out(last, {"quick"}, SETTLE_S, lambda: told.append("done"))
    assert not water.look(2 * SETTLE_S)
    assert water.waiting == LowWater.BATCHES_MOST
    stuck.finished = 1
    assert water.look(2 * SETTLE_S)
    assert (water.waiting, told) == (1, [])  # the newest waits for the light that was added to it
    quick.finished = 1
    assert water.look(2 * SETTLE_S)
    assert (water.mark, water.waiting, told) == (last, 0, ["done"])
