import math

import pytest
import trio
from hypothesis import given
from hypothesis import strategies as st

from actors.device.command import Command, CommandStatus, Step, StepKind
from actors.device.verdict import (
    FLEET_STREAM,
    Verdict,
    decode,
    device_stream,
    encode,
    verdict_of,
    verdict_writes,
)
from actors.metrics import downlink_metrics, summarize
from actors.metrics.downlinks import percentile, values_needed
from lorawan.kuando.light_state import LightState
from store.memory import MemoryStore
from store.port import Append

NOW = 1_700_000_000.0
HOUR = 3_600.0


def verdict(
    status: CommandStatus = CommandStatus.VERIFIED, took_s: float = 4.0, frames: int = 1
) -> Verdict:
    return Verdict("d1", status, NOW - took_s, NOW, frames, frames)


def ended(command_id: str, dev_eui: str, at: float, took_s: float = 5.0) -> Command:
    timeline = (
        Step(at - took_s, StepKind.ACCEPTED),
        Step(at - 3, StepKind.TRANSMITTED),
        Step(at - 2, StepKind.TRANSMITTED),
        Step(at, StepKind.VERIFIED),
    )
    return Command(
        command_id,
        dev_eui,
        LightState(1, 2, 3),
        True,
        at - took_s,
        at + HOUR,
        CommandStatus.VERIFIED,
        attempts=1,
        ended_at=at,
        timeline=timeline,
    )


def test_a_verdict_is_made_of_an_ended_command_only() -> None:
    made = verdict_of(ended("c1", "d1", NOW))
    assert made == Verdict("d1", CommandStatus.VERIFIED, NOW - 5, NOW, 1, 2)
    assert made is not None
    assert made.took_s == 5
    assert decode(encode(made)) == made
    still_open = Command("c2", "d1", LightState(1, 2, 3), True, NOW, NOW + HOUR)
    assert verdict_of(still_open) is None
    assert verdict_writes(still_open) == ()


def test_a_verdict_goes_to_the_fleet_and_to_its_light_under_the_commands_id() -> None:
    writes = verdict_writes(ended("c1", "d1", NOW))
    assert [(write.stream, write.entry, write.at) for write in writes] == [
        (FLEET_STREAM, "c1", NOW),
        ("verdicts:d1", "c1", NOW),
    ]


def test_no_command_is_no_success_rate() -> None:
    figures = summarize([], 24.0, open_commands=2)
    assert (figures.commands, figures.open, figures.verified) == (2, 2, 0)
    assert figures.success_rate is None
    assert figures.frames_per_verified is None
    assert figures.time_to_verify_p50_s is None
    assert figures.first_attempt_rate is None


def test_the_figures() -> None:
    verdicts = [verdict(took_s=float(number), frames=1 + number % 2) for number in range(1, 101)]
    verdicts += [verdict(CommandStatus.EXPIRED, frames=3) for _ in range(20)]
    verdicts += [verdict(CommandStatus.REJECTED, frames=0) for _ in range(5)]
    verdicts += [verdict(CommandStatus.SUPERSEDED, frames=1) for _ in range(50)]
    figures = summarize(verdicts, 24.0, open_commands=3)
    assert figures.commands == 178
    assert figures.success_rate == pytest.approx(100 / 125)
    assert figures.frames == 150 + 60 + 50
    assert figures.frames_per_verified == pytest.approx(2.6)
    assert figures.first_attempt_rate == pytest.approx(0.5)
    assert figures.time_to_verify_p50_s == 50
    assert figures.time_to_verify_p95_s == 95
    assert figures.time_to_verify_p99_s == 99


@pytest.mark.parametrize(
    ("count", "known"), [(0, 0), (1, 0), (2, 1), (19, 1), (20, 2), (99, 2), (100, 3)]
)
def test_few_commands_carry_no_percentile(count: int, known: int) -> None:
    """From the field: a p99 of two commands."""
    figures = summarize([verdict(took_s=float(n)) for n in range(count)], 24.0)
    told = [
        figures.time_to_verify_p50_s,
        figures.time_to_verify_p95_s,
        figures.time_to_verify_p99_s,
    ]
    assert [one is not None for one in told] == [n < known for n in range(3)]
    assert (figures.verified, figures.judged) == (count, count), "what they rest on is told"


def test_the_count_that_a_rate_rests_on_is_told() -> None:
    figures = summarize(
        [verdict(), verdict(CommandStatus.EXPIRED), verdict(CommandStatus.SUPERSEDED)], 24.0, 5
    )
    assert (figures.success_rate, figures.judged, figures.commands) == (0.5, 2, 8)


@given(
    st.lists(st.floats(0, 1e6), min_size=1, max_size=300),
    st.sampled_from([0.01, 0.5, 0.95, 0.99, 1.0]),
)
def test_a_percentile_is_a_value_that_enough_others_do_not_exceed(
    values: list[float], share: float
) -> None:
    found = percentile(sorted(values), share)
    if len(values) < values_needed(share):
        assert found is None
        return
    assert found in values
    assert found is not None
    enough = math.ceil(share * len(values) - 1e-9)
    assert sum(value <= found for value in values) >= enough
    assert sum(value < found for value in values) < enough


async def test_the_window_and_the_light_are_respected(nursery: trio.Nursery) -> None:
    store = MemoryStore()
    await store.open()
    for number in range(10):
        for dev_eui in ("d1", "d2"):
            command = ended(f"{dev_eui}-{number}", dev_eui, NOW - number * HOUR)
            await store.commit(verdict_writes(command))
            await store.commit(verdict_writes(command))  # repeated after a lost answer
    figures = await downlink_metrics(store, None, 4.5, NOW, open_commands=1)
    assert (figures.hours, figures.verified, figures.commands) == (4.5, 10, 11)
    assert (await downlink_metrics(store, "d2", 4.5, NOW, 0)).verified == 5
    assert (await downlink_metrics(store, "d3", 4.5, NOW, 0)).verified == 0
    assert (await downlink_metrics(store, None, 9_999, NOW, 0)).hours == 168


async def test_reading_is_bounded_and_says_how_far_it_came(
    nursery: trio.Nursery, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("actors.metrics.downlinks.VERDICTS_MOST", 4)
    store = MemoryStore()
    await store.open()
    for number in range(10):
        await store.commit(verdict_writes(ended(f"c{number}", "d1", NOW - number * HOUR)))
    figures = await downlink_metrics(store, None, 24, NOW, 0)
    assert figures.verified == 4
    assert figures.hours == pytest.approx(3.0)


async def test_an_unreadable_verdict_is_left_out(nursery: trio.Nursery) -> None:
    store = MemoryStore()
    await store.open()
    await store.commit([Append(device_stream("d1"), "odd", NOW - 1, b"{}")])
    await store.commit(verdict_writes(ended("c1", "d1", NOW - 2)))
    assert (await downlink_metrics(store, "d1", 24, NOW, 0)).verified == 1
