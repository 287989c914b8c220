"""What hooks are told: all of it, in order, whatever news were lost and whoever was away."""

from typing import Any

import msgspec
import trio
from trio.testing import MockClock

from actors.board.changes import AlertView, DeviceRemoved, GatewayView
from actors.board.sight import Sight
from actors.device.command import CommandStatus
from actors.device.model import Phase
from actors.messaging.reply import Reply
from actors.outgoing.actor import AT_ONCE_MOST, FAILING_S
from actors.outgoing.collector import SWEEP_S
from actors.outgoing.keeping import KEEP_S
from actors.outgoing.model import LOG_MOST, Hook, Kind, StopKind
from actors.outgoing.requests import Save, Secret
from actors.outgoing.window import AGAIN_MOST_S, AT_ONCE, DAY_S
from store.memory import MemoryDisk
from store.port import Table
from tests.support.hook_kit import hook_house
from tests.support.pretend_receiver import PretendReceiver, a_hook

ONE, TWO = "2020202000000001", "2020202000000002"


async def test_a_verdict_is_told_once_with_what_receivers_need(autojump_clock: MockClock) -> None:
    receiver = PretendReceiver()
    async with hook_house(receiver, MemoryDisk()) as house:
        house.light(ONE)
        await house.ended("before", ONE)
        await trio.sleep(1)
        await house.hook()
        await house.ended("c-1", ONE, by="alice", reason=None, attempts=2)
        await trio.sleep(3 * SWEEP_S)
        [told] = receiver.posted
        assert told.id == "verdict-c-1"
        assert told.body["type"] == "command.ended"
        assert told.body["timestamp"].endswith("Z")
        assert told.data["status"] == "verified"
        assert told.data["name"] == "Desk 01"
        assert told.data["light"] == {"red": 1, "green": 2, "blue": 3, "on": 255, "off": 0}
        assert (told.data["by"], told.data["attempts"]) == ("alice", 2)


async def test_a_verdict_of_which_no_news_came_is_found_in_the_store(
    autojump_clock: MockClock,
) -> None:
    receiver = PretendReceiver()
    async with hook_house(receiver, MemoryDisk()) as house:
        await house.hook()
        await trio.sleep(100)
        await house.ended("c-1", ONE, silent=True)
        await trio.sleep(SWEEP_S + 1)
        assert receiver.verdicts() == {ONE: ["c-1"]}
        assert house.outgoing.statistics().found_by_sweep == 1


async def test_news_of_a_later_verdict_turns_no_order_round(autojump_clock: MockClock) -> None:
    receiver = PretendReceiver()
    async with hook_house(receiver, MemoryDisk()) as house:
        await house.hook()
        await trio.sleep(SWEEP_S / 2)
        await house.ended("c-1", ONE, silent=True)
        await trio.sleep(1)
        await house.ended("c-2", ONE, silent=True)
        await trio.sleep(1)
        await house.ended("c-3", ONE)
        await trio.sleep(1)
        assert receiver.verdicts() == {ONE: ["c-1", "c-2", "c-3"]}


async def test_a_verdict_whose_commit_waited_for_an_hour_is_told_after_a_restart(
    autojump_clock: MockClock,
) -> None:
    receiver, disk = PretendReceiver(), MemoryDisk()
    async with hook_house(receiver, disk) as house:
        await house.hook()
        await trio.sleep(7_200)
        ended_at = house.clock.now() - 3_600
        await house.ended("late", ONE, at=ended_at, silent=True)
    async with hook_house(receiver, disk, seed=2):
        await trio.sleep(5)
    assert receiver.verdicts() == {ONE: ["late"]}


async def test_nothing_is_lost_while_nothing_runs_or_the_receiver_is_away(
    autojump_clock: MockClock,
) -> None:
    receiver, disk = PretendReceiver(lambda body: None), MemoryDisk()
    async with hook_house(receiver, disk) as house:
        await house.hook()
        for number in range(30):
            await house.ended(f"a-{number}", ONE)
            await house.ended(f"b-{number}", TWO)
        await trio.sleep(60)
        await house.ended("silent", TWO, silent=True)
        house.kill()
    await trio.sleep(3_000)
    receiver.answer = lambda body: 200
    async with hook_house(receiver, disk, seed=2):
        await trio.sleep(100)
    assert receiver.verdicts() == {
        ONE: [f"a-{number}" for number in range(30)],
        TWO: [*(f"b-{number}" for number in range(30)), "silent"],
    }
    assert len(receiver.taken) == 61, "and none twice, for nothing was cut off"


async def test_restarts_at_any_moment_lose_nothing_and_keep_the_order(
    autojump_clock: MockClock,
) -> None:
    receiver, disk = PretendReceiver(took_s=0.3), MemoryDisk()
    given: dict[str, list[str]] = {ONE: [], TWO: []}
    for life in range(25):
        async with hook_house(receiver, disk, seed=life) as house:
            if life == 0:
                await house.hook()
            for number in range(4):
                light = (ONE, TWO)[number % 2]
                name = f"{life}-{number}"
                await house.ended(name, light, silent=number == 3)
                given[light].append(name)
                await trio.sleep(0.11 * (life % 7))
            house.kill()
    async with hook_house(receiver, disk, seed=99):
        await trio.sleep(30)
    assert receiver.verdicts() == given
    ids = [one.id for one in receiver.taken]
    assert len(ids) < 2 * len(set(ids)), "some are told twice, most are not"


async def test_states_are_told_when_they_change_and_compared_after_a_restart(
    autojump_clock: MockClock,
) -> None:
    receiver, disk = PretendReceiver(), MemoryDisk()
    async with hook_house(receiver, disk) as house:
        light = house.light(ONE)
        house.light(TWO)
        await house.hook(Kind.STATES)
        await trio.sleep(1)
        assert receiver.posted == [], "what was before is not told"
        house.light(ONE, phase=Phase.RETRYING)
        house.light(ONE, phase=Phase.RETRYING, missed=7)
        await trio.sleep(1)
        [told] = receiver.posted
        assert told.body["type"] == "light.changed"
        assert told.data["state"] == "retrying"
        assert told.data["shown"] == {"red": 0, "green": 255, "blue": 0, "on": 255, "off": 0}
    assert light.phase is Phase.IDLE
    async with hook_house(receiver, disk, seed=2) as house:
        house.light(ONE, phase=Phase.IDLE)
        house.board.publish(DeviceRemoved(TWO, "Two", "by hand"))
        await trio.sleep(40)
        told = {one.body["type"]: one.data for one in receiver.taken[1:]}
        assert told["light.changed"]["state"] == "idle"
        assert told["light.removed"]["dev_eui"] == TWO
        assert len(receiver.taken) == 3


async def test_a_gateways_health_is_told(autojump_clock: MockClock) -> None:
    receiver, disk = PretendReceiver(), MemoryDisk()
    async with hook_house(receiver, disk) as house:
        house.board.publish(GatewayView("gw-1", "Roof", online=True))
        await house.hook(Kind.GATEWAYS)
        await trio.sleep(1)
        house.board.publish(GatewayView("gw-1", "Roof", online=True, pending=4))
        house.board.publish(GatewayView("gw-1", "Roof", online=False, since=5.0))
        await trio.sleep(1)
        assert [one.data["online"] for one in receiver.taken] == [False]
    async with hook_house(receiver, disk, seed=2) as house:
        house.board.publish(GatewayView("gw-1", "Roof", online=True, since=9.0))
        await trio.sleep(1)
        assert [one.data["online"] for one in receiver.taken] == [False, True]


async def test_an_alert_is_told_when_it_opens_is_acknowledged_and_closes(
    autojump_clock: MockClock,
) -> None:
    receiver, disk = PretendReceiver(), MemoryDisk()
    async with hook_house(receiver, disk) as house:
        now = house.clock.now()
        old = AlertView("old", "light_failed", ONE, "long ago", 1.0, 1.0, closed_at=now - 9_000)
        house.board.publish(old)
        await house.hook(Kind.ALERTS)
        await trio.sleep(1)
        view = AlertView("a-1", "light_failed", ONE, "it failed", now, now)
        house.board.publish(view)
        house.board.publish(msgspec.structs.replace(view, repeats=1))
        acknowledged = msgspec.structs.replace(view, acknowledged_at=now + 1)
        house.board.publish(acknowledged)
        await trio.sleep(1)
        assert receiver.types() == ["alert.opened", "alert.acknowledged"]
        closed = msgspec.structs.replace(acknowledged, closed_at=house.clock.now())
    async with hook_house(receiver, disk, seed=2) as house:
        house.board.publish(old)
        house.board.publish(closed)
        await trio.sleep(1)
    async with hook_house(receiver, disk, seed=3) as house:
        house.board.publish(old)
        house.board.publish(closed)
        await trio.sleep(1)
    assert receiver.types() == ["alert.opened", "alert.acknowledged", "alert.closed"]


async def test_a_filter_and_the_sight_of_its_maker_narrow_what_a_hook_is_told(
    autojump_clock: MockClock,
) -> None:
    receiver = PretendReceiver()
    async with hook_house(receiver, MemoryDisk()) as house:
        house.light(ONE, tags={"floor": "1"})
        house.light(TWO, tags={"floor": "2"}, hearings=())
        both, every = (Kind.VERDICTS, Kind.GATEWAYS, Kind.ALERTS), tuple(Kind)
        await house.hook(*both, hook_id="floor", wanted=Sight(tags=("floor=1",)))
        await house.hook(*every, hook_id="seen", sight=Sight(dev_euis=(TWO,)))
        await house.ended("c-1", ONE)
        await house.ended("c-2", TWO)
        house.board.publish(GatewayView("gw-1", "Roof", online=False, since=5.0))
        now = house.clock.now()
        house.board.publish(AlertView("a-1", "light_failed", ONE, "it failed", now, now))
        await trio.sleep(1)
        told = {
            name: [one.body["type"] for one in receiver.taken if one.url.endswith(name)]
            for name in ("floor", "seen")
        }
        assert sorted(told["floor"]) == ["alert.opened", "command.ended", "gateway.changed"]
        assert told["seen"] == ["command.ended"]
        verdicts = {one.url[-5:]: one.data["dev_eui"] for one in receiver.taken if "c-" in one.id}
        assert verdicts == {"floor": ONE, "/seen": TWO}


async def test_410_stops_a_hook_at_once_and_a_person_begins_again(
    autojump_clock: MockClock,
) -> None:
    receiver = PretendReceiver(lambda body: 410)
    async with hook_house(receiver, MemoryDisk()) as house:
        hook = await house.hook()
        await house.ended("c-1", ONE)
        await trio.sleep(100)
        assert len(receiver.posted) == 1
        stopped = house.outgoing.hooks[hook.id].stopped
        assert stopped is not None
        assert stopped.kind is StopKind.GONE
        await house.ended("c-2", ONE)
        receiver.answer = lambda body: 200
        await trio.sleep(100)
        assert len(receiver.posted) == 1
        again = await house.change(hook, enabled=True)
        assert again.stopped is None
        await trio.sleep(1)
        assert receiver.verdicts() == {ONE: ["c-1", "c-2"]}


async def test_a_dead_receiver_is_alerted_then_stopped_after_a_day_and_loses_nothing(
    autojump_clock: MockClock,
) -> None:
    receiver, disk = PretendReceiver(lambda body: 503), MemoryDisk()
    async with hook_house(receiver, disk) as house:
        hook = await house.hook()
        await house.ended("c-1", ONE)
        await trio.sleep(60)
        [finding] = house.outgoing.findings()
        assert not finding.holds
        await trio.sleep(FAILING_S)
        [finding] = house.outgoing.findings()
        assert (finding.holds, "answered 503" in finding.text) == (True, True)
        await trio.sleep(DAY_S + AGAIN_MOST_S)  # until the first try after a day
        stopped = house.outgoing.hooks[hook.id].stopped
        assert stopped is not None
        assert stopped.kind is StopKind.DEAD
        tries = len(receiver.posted)
        assert 45 < tries < 80
        await house.ended("c-2", ONE)
        await trio.sleep(DAY_S / 2)
        assert len(receiver.posted) == tries
    async with hook_house(receiver, disk, seed=2) as house:
        [finding] = house.outgoing.findings()
        assert (finding.holds, "was stopped" in finding.text) == (True, True)
        receiver.answer = lambda body: 200
        await house.change(hook, enabled=True)
        await trio.sleep(1)
        assert receiver.verdicts() == {ONE: ["c-1", "c-2"]}
        [finding] = house.outgoing.findings()
        assert not finding.holds


async def test_a_paused_hook_is_told_later_what_happened_meanwhile(
    autojump_clock: MockClock,
) -> None:
    receiver = PretendReceiver()
    async with hook_house(receiver, MemoryDisk()) as house:
        hook = await house.hook()
        await house.change(hook, enabled=False)
        await house.ended("c-1", ONE)
        await trio.sleep(50)
        assert receiver.posted == []
        await house.change(hook, enabled=True)
        await trio.sleep(1)
        assert receiver.verdicts() == {ONE: ["c-1"]}


async def test_what_is_kept_is_told_once_more_under_its_ids_and_older_events_go(
    autojump_clock: MockClock,
) -> None:
    receiver = PretendReceiver()
    async with hook_house(receiver, MemoryDisk()) as house:
        hook = await house.hook()
        await house.ended("c-1", ONE)
        await trio.sleep(1_000)
        since = house.clock.now()
        await house.ended("c-2", ONE)
        await trio.sleep(1)
        assert isinstance(await house.outgoing.replay(hook.id, since), Hook)
        await trio.sleep(1)
        ids = ["verdict-c-1", "verdict-c-2", "verdict-c-2"]
        assert [one.id for one in receiver.taken] == ids
        await trio.sleep(KEEP_S)
        assert isinstance(await house.outgoing.replay(hook.id, 0.0), Hook)
        await trio.sleep(1)
        assert len(receiver.taken) == 4, "the first one is kept no longer"


async def test_for_a_day_both_secrets_sign(autojump_clock: MockClock) -> None:
    receiver = PretendReceiver()
    async with hook_house(receiver, MemoryDisk()) as house:
        hook = await house.hook()
        made = await house.outgoing.set_secret(hook.id, "whsec_NEW")
        assert isinstance(made, Hook)
        await house.ended("c-1", ONE)
        await trio.sleep(DAY_S + 60)
        await house.ended("c-2", ONE)
        await trio.sleep(1)
        assert [one.secrets for one in receiver.taken] == [
            ("whsec_NEW", "whsec_AAAA"),
            ("whsec_NEW",),
        ]


async def test_a_test_is_posted_at_once_whatever_the_hooks_state(autojump_clock: MockClock) -> None:
    receiver = PretendReceiver()
    async with hook_house(receiver, MemoryDisk()) as house:
        hook = await house.hook(enabled=False)
        line = await house.outgoing.test(hook.id)
        assert line is not None
        assert receiver.types() == ["hook.test"]
        assert await house.outgoing.test("nobody") is None


async def test_the_log_keeps_the_last_tries_over_a_restart_and_goes_with_its_hook(
    autojump_clock: MockClock,
) -> None:
    receiver, disk = PretendReceiver(took_s=0.001), MemoryDisk()
    async with hook_house(receiver, disk) as house:
        hook = await house.hook()
        for number in range(LOG_MOST + 20):
            await house.ended(f"c-{number}", ONE)
        await trio.sleep(5)
    async with hook_house(receiver, disk, seed=2) as house:
        tries = house.outgoing.tries(hook.id)
        assert len(tries) == LOG_MOST
        assert [one.number for one in tries] == list(range(LOG_MOST + 20, 20, -1))
        assert house.outgoing.position(hook.id).delivered == LOG_MOST + 20
        await house.outgoing.remove(hook.id, None)
        left = [one.key for one in await house.store.scan(Table.META)]
        assert [key for key in left if hook.id in key] == []
        await house.ended("after", ONE)
        await trio.sleep(60)
        assert "after" not in str(receiver.posted)


async def test_requests_are_bounded_for_each_receiver_and_for_all(
    autojump_clock: MockClock,
) -> None:
    receiver = PretendReceiver(took_s=1.0)
    async with hook_house(receiver, MemoryDisk()) as house:
        await house.hook(hook_id="first")
        for number in range(40):
            await house.ended(f"c-{number}", f"20202020{number:08x}")
        await trio.sleep(60)
        assert receiver.at_once_most == AT_ONCE
        assert len(receiver.taken) == 40
        for number in range(9):
            await house.hook(hook_id=f"more-{number}")
        for number in range(40):
            await house.ended(f"d-{number}", f"20202020{number:08x}")
        await trio.sleep(200)
        assert receiver.at_once_most == AT_ONCE_MOST
        assert len(receiver.taken) == 40 + 10 * 40


async def test_a_receiver_that_refuses_one_kind_of_thing_is_told_the_others(
    autojump_clock: MockClock,
) -> None:
    def answer(body: Any) -> int:
        return 500 if body["data"].get("dev_eui") == ONE else 200

    receiver = PretendReceiver(answer)
    async with hook_house(receiver, MemoryDisk()) as house:
        await house.hook()
        for number in range(20):
            await house.ended(f"bad-{number}", ONE)
            await house.ended(f"good-{number}", TWO, status=CommandStatus.EXPIRED)
            await trio.sleep(60)
        await trio.sleep(60)
        assert receiver.verdicts() == {TWO: [f"good-{number}" for number in range(20)]}
        refused = [one.id for one in receiver.posted if one.status == 500]
        assert set(refused) == {"verdict-bad-0"}, "the others of this light wait their turn"


async def test_a_clock_that_was_set_back_or_ahead_loses_nothing(
    autojump_clock: MockClock,
) -> None:
    receiver, disk = PretendReceiver(), MemoryDisk()
    async with hook_house(receiver, disk, began=-86_400.0) as house:
        await house.hook()
        await house.ended("ahead", ONE)
        await trio.sleep(1)
    async with hook_house(receiver, disk, seed=2) as house:
        await house.ended("now", ONE)
        await house.ended("silent", ONE, silent=True)
        await trio.sleep(SWEEP_S + 5)
    assert receiver.verdicts() == {ONE: ["ahead", "now", "silent"]}


async def test_two_hooks_of_one_name_are_refused(autojump_clock: MockClock) -> None:
    async with hook_house(PretendReceiver(), MemoryDisk()) as house:
        await house.hook()
        twin = await house.outgoing.save(a_hook("hook-2", name="HOOK hook-1"), None)
        assert not isinstance(twin, Hook)


def test_what_is_shown_of_a_message_that_crashed_an_actor_has_no_secret() -> None:
    hook = a_hook(secret="whsec_first", secret_before="whsec_second", url="https://x.example/third")
    saved, rotated = Save(hook, None, Reply()), Secret("hook-1", "whsec_fourth", Reply())
    shown = repr(saved) + repr(rotated) + str(hook)
    assert "hook-1" in shown
    assert not any(secret in shown for secret in ("whsec", "third"))
