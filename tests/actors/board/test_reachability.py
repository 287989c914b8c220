"""What can be said of a light now, beside what it showed last: pure, and on the board by time."""

import msgspec
import pytest
import trio

from actors.board.board import Board
from actors.board.changes import GatewayView
from actors.board.reachability import GatewayLink, Reach, changes_at, reachability
from actors.clocks.clock import RunClock
from actors.device.model import Device, Hearing, Report, Session
from lorawan.kuando.light_state import LightState

START = 1_700_000_000.0
SILENT_S = 2_700.0
GREEN = LightState(0, 255, 0)


def a_light(dev_eui: str = "d1", *, heard_at: float = START, **changes: object) -> Device:
    """One that was heard by gateways g1 and g2, and joined an hour before."""
    light = Device(
        dev_eui=dev_eui,
        session=Session("01abcdef", START - 3_600, f_cnt=7, heard_at=heard_at),
        report=Report(heard_at, "01abcdef", 7, GREEN, 4, 8, 56, 14, -97, 28),
        hearings=tuple(Hearing(one, heard_at, -97, 7.0, 20.0, latest=True) for one in ("g1", "g2")),
        stepped_at=heard_at,
    )
    return msgspec.structs.replace(light, **changes)


def judged(
    light: Device,
    now: float,
    *,
    gone: dict[str, float] | None = None,
    disabled: float | None = None,
) -> tuple[Reach, float | None, bool]:
    """With these gateways offline since then, and the others online since ever."""
    away = gone or {}
    found = reachability(
        light,
        lambda one: GatewayLink(one not in away, away.get(one, 0.0)),
        SILENT_S,
        now,
        disabled_since=disabled,
    )
    return found.reach, found.since, found.reported_current


def test_a_light_heard_lately_by_a_gateway_that_is_there_is_reachable() -> None:
    assert judged(a_light(), START + 60) == (Reach.REACHABLE, START - 3_600, True)
    assert judged(a_light(), START + 60, gone={"g1": START}) == (
        Reach.REACHABLE,
        START - 3_600,
        True,
    )


def test_a_light_is_silent_since_its_last_uplink_and_its_colour_belongs_to_the_past() -> None:
    assert judged(a_light(), START + SILENT_S - 1)[0] is Reach.REACHABLE
    assert judged(a_light(), START + SILENT_S) == (Reach.SILENT, START, False)


def test_without_a_gateway_it_is_not_reachable_since_the_last_one_went() -> None:
    gone = {"g1": START + 10, "g2": START + 40}
    assert judged(a_light(), START + 60, gone=gone) == (Reach.NO_GATEWAY_ONLINE, START + 40, True)


def test_the_gateway_explains_the_silence_after_it_but_not_the_one_before() -> None:
    later = START + 10_000
    gone = {"g1": START + 100, "g2": START + 100}
    assert judged(a_light(), later, gone=gone) == (Reach.NO_GATEWAY_ONLINE, START + 100, False)
    gone = {"g1": later - 60, "g2": later - 60}
    assert judged(a_light(), later, gone=gone) == (Reach.SILENT, START, False)


def test_a_light_that_joined_and_has_not_spoken_since_was_never_heard() -> None:
    joined = a_light(session=Session("02abcdef", START + 5))
    assert judged(joined, START + 60) == (Reach.NEVER_HEARD, START + 5, False)
    listed = Device(dev_eui="d1", since=START)
    assert judged(listed, START + 60) == (Reach.NEVER_HEARD, START, False)


def test_a_disabled_device_is_that_before_all_else() -> None:
    gone = {"g1": START + 10, "g2": START + 40}
    found = judged(a_light(), START + 9_000, gone=gone, disabled=START + 5)
    assert found == (Reach.DISABLED, START + 5, False)


def test_what_a_gateway_nobody_watches_was_said_to_be_holds() -> None:
    light = a_light()
    off = tuple(msgspec.structs.replace(one, online=False) for one in light.hearings)
    light = msgspec.structs.replace(light, hearings=off)
    found = reachability(light, lambda _: None, SILENT_S, START + 1)
    assert (found.reach, found.since) == (Reach.NO_GATEWAY_ONLINE, None)


@pytest.mark.parametrize("ahead_s", [60.0, 3_600.0, 1024 * 7 * 86_400.0])
def test_a_clock_that_is_ahead_does_not_hide_a_silence(ahead_s: float) -> None:
    """A time in a record that is younger than the record itself is somebody else's mistake."""
    light = a_light(heard_at=START + ahead_s)
    light = msgspec.structs.replace(light, stepped_at=START)
    assert judged(light, START + SILENT_S)[0] is Reach.SILENT
    assert changes_at(light, SILENT_S, START) == START + SILENT_S


async def test_a_light_that_falls_silent_is_shown_without_any_event(
    nursery: trio.Nursery, autojump_clock: trio.testing.MockClock
) -> None:
    board = Board(RunClock(START), "boot", silent_after_s=SILENT_S)
    await nursery.start(board.run)
    board.publish(GatewayView("g1", since=START - 9_000))
    board.publish(a_light())
    assert board.reachability(board.devices["d1"]).reach is Reach.REACHABLE
    with board.subscribe() as reader:
        with trio.fail_after(SILENT_S + 2):
            async for batch in reader:
                assert [change.what for change in batch] == [board.devices["d1"]]
                assert batch[0].at == pytest.approx(START + SILENT_S, abs=1)
                break
        found = board.reachability(board.devices["d1"])
        assert (found.reach, found.since) == (Reach.SILENT, START)
        await trio.sleep(86_400)
        assert reader.lag == 0, "it is told once"
        board.publish(a_light(heard_at=START + SILENT_S + 86_400))
    found = board.reachability(board.devices["d1"])
    assert found.reach is Reach.REACHABLE
    assert found.since == pytest.approx(START + SILENT_S + 86_400, abs=1), "it is so from now on"


async def test_a_host_that_slept_is_no_reason_to_tell_late_of_a_silence(
    nursery: trio.Nursery, autojump_clock: trio.testing.MockClock
) -> None:
    """Trio's clock, by which the board waits, stood still meanwhile."""
    slept_s = 0.0
    clock = RunClock(START, elapsed=lambda: trio.current_time() + slept_s)
    board = Board(clock, "boot", silent_after_s=SILENT_S)
    await nursery.start(board.run)
    board.publish(GatewayView("g1", since=START - 9_000))
    board.publish(a_light())
    with board.subscribe() as reader:
        await trio.sleep(60)
        slept_s = SILENT_S
        board.clock_changed()
        with trio.fail_after(1):
            async for batch in reader:
                assert [change.what for change in batch] == [board.devices["d1"]]
                break
    assert board.reachability(board.devices["d1"]).reach is Reach.SILENT


async def test_a_light_that_is_heard_in_time_is_not_told_of(
    nursery: trio.Nursery, autojump_clock: trio.testing.MockClock
) -> None:
    board = Board(RunClock(START), "boot", silent_after_s=SILENT_S)
    await nursery.start(board.run)
    board.publish(a_light())
    for number in range(1, 20):
        await trio.sleep(900)
        board.publish(a_light(heard_at=START + 900 * number))
    assert board.number == 20, "its own news only"


async def test_a_gateway_takes_its_lights_along_and_brings_them_back(
    nursery: trio.Nursery, autojump_clock: trio.testing.MockClock
) -> None:
    """Also while the lights' own records cannot be written, as without a store."""
    board = Board(RunClock(START), "boot", silent_after_s=SILENT_S)
    await nursery.start(board.run)
    board.publish(GatewayView("g1", since=START - 9_000))
    board.publish(GatewayView("g2", online=False, since=START - 9_000))
    for number in range(1_000):
        board.publish(a_light(f"d{number}"))
    board.publish(a_light("other", hearings=()))
    with board.subscribe(capacity=300) as reader:
        board.publish(GatewayView("g1", online=False, since=START))
        told: set[str] = set()
        with trio.fail_after(2.0):
            async for batch in reader:
                told.update(one.what.dev_eui for one in batch if isinstance(one.what, Device))
                if len(told) == 1_000:
                    break
        assert reader.closed_reason is None, "a reader of 300 changes keeps up"
    counts = board.reachability_counts()
    assert (counts[Reach.NO_GATEWAY_ONLINE], counts[Reach.REACHABLE]) == (1_000, 1)
    board.publish(GatewayView("g1", since=START + 1))
    await trio.sleep(2.0)
    assert board.reachability_counts()[Reach.REACHABLE] == 1_001


async def test_twenty_thousand_lights_are_not_looked_at_each_second(
    nursery: trio.Nursery, autojump_clock: trio.testing.MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    from actors.board import reachability_index

    looks = 0
    real = reachability_index.reachability

    def counted(*given: object, **named: object) -> object:
        nonlocal looks
        looks += 1
        return real(*given, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(reachability_index, "reachability", counted)
    board = Board(RunClock(START), "boot", silent_after_s=SILENT_S)
    await nursery.start(board.run)
    for number in range(2_000):
        board.publish(a_light(f"d{number}"))
    assert looks == 2_000
    await trio.sleep(SILENT_S - 1)
    assert looks == 2_000, "nothing is looked at before its moment"
    await trio.sleep(10)
    assert looks == 4_000
    assert board.reachability_counts()[Reach.SILENT] == 2_000
