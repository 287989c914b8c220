"""Any process of a cluster answers any request: what lives elsewhere is carried there and back."""

import itertools
from typing import Any

import msgspec
import pytest
import trio
from trio.testing import MockClock

from actors.alerts.finding import AlertKind
from actors.cluster.carried import Carrier
from actors.cluster.failover_told import FailoverTold
from actors.device.command import CommandStatus
from actors.messaging.mailbox import Offer
from actors.outgoing.requests import Secret
from store.engine.memory import Fate
from store.engine.shards import shard_of
from tests.api.plans.pictures import SVG
from tests.support.asgi import ask
from tests.support.cluster_doors import HOST, doors
from tests.support.cluster_house import House

NOBODY: Any = None
"""An actor crashes over a request that cannot be answered."""
HOOK = {"url": "https://example.com/", "kinds": ["verdicts"]}


async def test_a_rollout_is_made_seen_and_steered_from_a_process_that_does_not_run_it(
    autojump_clock: MockClock,
) -> None:
    async with doors() as here:
        lights = list(here.street.world.stations)
        order = {"red": 255, "green": 0, "blue": 0, "pace_per_min": 1, "dev_euis": lights}
        status, made = await here.ask(here.other, "POST", "/rollouts", order)
        assert status == 201, made
        for house in here.street.houses:
            status, seen = await here.ask(house, "GET", f"/rollouts/{made['id']}")
            assert (status, seen["id"]) == (200, made["id"])
        status, changed = await here.ask(
            here.other, "PATCH", f"/rollouts/{made['id']}", {"state": "paused"}
        )
        assert (status, changed["state"]) == (200, "paused")
        assert here.fleet.application.rollouts.repository.inspect(made["id"]) is not None


async def test_a_light_is_inspected_anywhere_with_its_actor_and_what_is_expected_of_it(
    autojump_clock: MockClock,
) -> None:
    async with doors() as here:
        await trio.sleep(600)  # quality has gone over the lights
        for dev_eui in here.street.world.stations:
            views = [
                (await here.ask(house, "GET", f"/devices/{dev_eui}"))[1]
                for house in here.street.houses
            ]
            assert views[0]["actor"]["state"] == "running"
            assert views[0]["actor"] == views[1]["actor"]
            assert views[0]["quality"].keys() == views[1]["quality"].keys()


async def test_the_log_of_a_light_is_told_whole_by_any_process(
    autojump_clock: MockClock,
) -> None:
    async with doors(lights=2) as here:
        for dev_eui in here.street.world.stations:
            body = {"red": 255, "green": 0, "blue": 0, "wait_for_verification": True}
            status, told = await here.ask(here.away(dev_eui), "POST", f"/downlink/{dev_eui}", body)
            assert (status, told["status"]) == (200, "verified")
            path = f"/devices/{dev_eui}/events?limit=1000"
            pages = [(await here.ask(house, "GET", path))[1] for house in here.street.houses]
            assert pages[0] == pages[1]
            by_kind = {one["kind"]: one["detail"] for one in reversed(pages[0]["events"])}
            assert by_kind["status"]["shows"].startswith("255,0,0")
            assert len(by_kind["status"]["raw"]) in {48, 50}
            assert by_kind["downlink"]["raw"].startswith("ff0000")
            assert by_kind["txack"]["item"] == by_kind["downlink"]["item"]
            assert by_kind["command"]["became"] == "verified"
            only = f"/devices/{dev_eui}/events?kind=downlink&kind=txack"
            _, frames = await here.ask(here.away(dev_eui), "GET", only)
            assert {one["kind"] for one in frames["events"]} == {"downlink", "txack"}


async def test_a_light_is_taken_off_from_a_process_that_does_not_run_it(
    autojump_clock: MockClock,
) -> None:
    async with doors() as here:
        dev_eui = next(iter(here.street.world.stations))
        away = here.away(dev_eui)
        status, _ = await here.ask(away, "DELETE", f"/devices/{dev_eui}")
        assert status == 204
        await trio.sleep(1)
        for house in here.street.houses:
            assert dev_eui not in house.parts.board.devices
            assert (await here.ask(house, "GET", f"/devices/{dev_eui}"))[0] == 404
        assert (await here.ask(away, "DELETE", f"/devices/{dev_eui}"))[0] == 404


async def test_mistakes_and_unknown_things_are_answered_as_by_the_owner(
    autojump_clock: MockClock,
) -> None:
    async with doors(2) as here:
        for house in (here.fleet, here.other):
            status, problem = await here.ask(house, "GET", "/rollouts/unknown")
            assert (status, problem["type"][-15:]) == (404, "unknown-rollout")
            status, problem = await here.ask(house, "POST", "/rollouts", {"red": 999})
            assert (status, problem["errors"][0]["field"]) == (422, "red")


async def test_a_request_outlives_the_owner_that_it_was_written_for(
    autojump_clock: MockClock,
) -> None:
    async with doors(2) as here:
        fleet, other = here.fleet, here.other
        here.street.close(fleet)
        assert await here.ask(other, "GET", "/rollouts") == (200, {"rollouts": []})
        assert here.fleet is other


async def test_an_owner_that_does_not_answer_is_504_and_nobody_who_has_it_503(
    autojump_clock: MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Carrier.carry, "__defaults__", (3.0,))  # before anybody takes the shard
    async with doors(2) as here:
        fleet, other = here.fleet, here.other
        fleet.engine.cut_off = True
        began = trio.current_time()
        status, problem = await here.ask(other, "GET", "/rollouts")
        assert (status, problem["type"]) == (504, "urn:lamplighter:problem:no-reply")
        assert "the same Idempotency-Key" in problem["detail"]
        assert trio.current_time() - began < 4

        fleet.engine.cut_off = False
        await fleet.application.leave()
        other.engine.cut_off = True
        await trio.sleep(20)
        status, problem = await here.ask(fleet, "GET", "/rollouts")
        assert (status, problem["type"]) == (503, "urn:lamplighter:problem:no-owner")


async def test_a_command_is_asked_of_any_process_and_a_status_too(
    autojump_clock: MockClock,
) -> None:
    async with doors(2) as here:
        dev_eui = next(iter(here.street.world.stations))
        away = here.away(dev_eui)
        assert shard_of(dev_eui) not in away.owned
        colour = {"red": 0, "green": 0, "blue": 255, "wait_for_verification": True}
        status, verdict = await here.ask(away, "POST", f"/downlink/{dev_eui}", colour)
        assert (status, verdict["status"]) == (200, "verified"), verdict
        assert await away.application.commands.ask_status(dev_eui) in {"asked", "busy"}


async def test_a_plan_is_drawn_by_one_process_and_seen_by_all(autojump_clock: MockClock) -> None:
    async with doors(2) as here:
        status, plan = await here.ask(here.other, "POST", "/plans", {"name": "Hall"})
        assert status == 201, plan
        path, half = f"/plans/{plan['id']}/picture", len(SVG) // 2
        for start, content in ((0, SVG[:half]), (half, SVG[half:])):
            place = f"bytes {start}-{start + len(content) - 1}/{len(SVG)}"
            sent = [
                HOST,
                ("Content-Range", place),
                ("Idempotency-Key", "k"),
                ("Content-Length", str(len(content))),
            ]
            app = here.apps[here.other.name]
            status, _, answer = await ask(app, "PUT", f"/api/v1{path}", sent, content)
            assert status == (200 if start else 202), answer
        digest = msgspec.json.decode(answer)["plan"]["picture"]["digest"]
        dev_eui = next(iter(here.street.world.stations))
        change = {"lights": {dev_eui: [0.5, 0.25]}}
        stale, fresh = (("If-Match", f'"{number}"') for number in (1, 2))
        one = f"/plans/{plan['id']}"
        assert (await here.ask(here.other, "PATCH", one, change, stale))[0] == 412
        assert (await here.ask(here.other, "PATCH", one, change, fresh))[0] == 200
        await trio.sleep(1)
        for house in here.street.houses:
            status, seen = await here.ask(house, "GET", one)
            assert (seen["revision"], seen["lights"]) == (3, {dev_eui: [0.5, 0.25]})
            [head] = house.parts.board.plans
            assert (head.revision, head.picture.digest) == (3, digest)
            app = here.apps[house.name]
            status, _, content = await ask(app, "GET", f"/api/v1/plans/pictures/{digest}", [HOST])
            assert (status, b"<rect" in content) == (200, True)
        here.street.close(here.fleet)
        await trio.sleep(60)
        left = here.fleet
        assert [head.revision for head in left.parts.board.plans] == [3]
        assert (await here.ask(left, "DELETE", one))[0] == 204
        assert left.parts.board.plans == []


async def test_a_command_is_taken_back_by_any_process_in_the_order_in_which_it_was_asked(
    autojump_clock: MockClock,
) -> None:
    async with doors(2) as here:
        dev_eui = next(iter(here.street.world.stations))
        colour = {"red": 0, "green": 0, "blue": 255, "wait_for_verification": False}
        for house in (here.owner(dev_eui), here.away(dev_eui)):
            status, made = await here.ask(house, "POST", f"/downlink/{dev_eui}", colour)
            assert status == 202, made
            status, taken = await here.ask(house, "DELETE", f"/commands/{made['id']}")
            assert (status, taken["status"], taken["withdrawn_by"]) == (200, "withdrawn", "local")
            status, again = await here.ask(here.away(dev_eui), "DELETE", f"/commands/{made['id']}")
            assert (status, again["reason"]) == (200, taken["reason"])
            status, made = await here.ask(house, "POST", f"/downlink/{dev_eui}", colour)
            status, nothing = await here.ask(house, "DELETE", f"/devices/{dev_eui}/wanted")
            assert (status, nothing["command"]["id"]) == (200, made["id"])
        await trio.sleep(600)
        for house in here.street.houses:
            device = house.parts.board.devices[dev_eui]
            assert (device.wanted, device.command) == (None, None)


async def test_a_light_that_was_given_up_is_asked_for_nothing_by_any_process_and_says_so_at_once(
    autojump_clock: MockClock,
) -> None:
    async with doors(2) as here:
        dev_eui = next(iter(here.street.world.stations))
        owner, away = here.owner(dev_eui), here.away(dev_eui)
        colour = {"red": 0, "green": 0, "blue": 255, "wait_for_verification": False}
        status, open_one = await here.ask(owner, "POST", f"/downlink/{dev_eui}", colour)
        assert status == 202
        for _ in range(6):  # one more than its budget
            owner.parts.fleet.post(dev_eui, "nonsense")  # type: ignore[arg-type]
            await trio.sleep(0.5)
        await trio.sleep(11)
        asked = [
            ("POST", f"/devices/{dev_eui}/status"),
            ("DELETE", f"/devices/{dev_eui}/wanted"),
            ("DELETE", f"/commands/{open_one['id']}"),
        ]
        for waits in (False, True):  # a command for it does
            for house, (method, path) in itertools.product((owner, away), asked):
                began = trio.current_time()
                status, problem = await here.ask(house, method, path)
                assert (status, problem["type"][-6:]) == (503, "parked"), (house.name, path)
                assert trio.current_time() - began < 0.5
            if not waits:
                assert (await here.ask(away, "POST", f"/downlink/{dev_eui}", colour))[0] == 202
        revived = f"/supervisor/device {dev_eui}/revive"
        assert (await here.ask(away, "POST", revived))[0] == 204
        assert (await here.ask(away, "DELETE", f"/devices/{dev_eui}/wanted"))[0] == 200


async def test_what_runs_once_for_the_fleet_is_seen_parked_and_revived_by_any_process(
    autojump_clock: MockClock,
) -> None:
    async with doors(2) as here:
        for house in (here.other, here.fleet):
            mailbox = here.fleet.parts.fleetwide.outgoing.mailbox
            for _ in range(6):  # one more than its budget
                assert mailbox.offer(Secret("none", "", NOBODY)) is Offer.ACCEPTED
                await trio.sleep(9)
            _, told = await here.ask(house, "GET", "/supervisor?children=40")
            [fleetwide] = [one for one in told["root"]["children"] if one["id"] == "fleetwide"]
            assert told["root"]["children_total"] == len(told["root"]["children"])
            assert fleetwide["children_by_state"]["crashed"] == 1
            assert (fleetwide["children"][0]["id"], fleetwide["children"][0]["state"]) == (
                "hooks",
                "crashed",
            )
            assert told["dead_letters"][0]["actor_id"] == "hooks"
            assert (await here.ask(house, "POST", "/supervisor/hooks/revive"))[0] == 204
            status, problem = await here.ask(house, "POST", "/supervisor/hooks/revive")
            assert (status, problem["type"][-13:]) == (404, "unknown-actor")
            assert (await here.ask(house, "POST", "/hooks", HOOK | {"name": house.name}))[0] == 201
            await trio.sleep(1)
        status, log = await here.ask(here.other, "GET", "/audit?what=revive")
        assert [one["on"] for one in log["entries"]] == ["hooks", "hooks"]


async def test_the_actors_of_a_process_are_told_where_nobody_tells_of_those_of_the_fleet(
    autojump_clock: MockClock,
) -> None:
    async with doors(2) as here:
        fleet, other = here.fleet, here.other
        fleet.engine.cut_off = True
        began = trio.current_time()
        status, told = await here.ask(other, "GET", "/supervisor")
        assert (status, trio.current_time() - began < 2) == (200, True)
        ids = {one["id"] for one in told["root"]["children"]}
        assert "fleetwide" not in ids
        assert {"board", "lights"} <= ids


async def test_a_scene_is_kept_and_a_schedule_goes_on_where_the_fleet_lives_after_a_take_over(
    autojump_clock: MockClock,
) -> None:
    async with doors(2) as here:
        red = {"red": 255, "green": 0, "blue": 0}
        body = {"name": "Night", "parts": [{"light": red, "everything": True}]}
        status, made = await here.ask(here.other, "POST", "/scenes", body)
        assert status == 201, made
        seen = ("If-Match", '"1"')
        status, changed = await here.ask(here.other, "PUT", "/scenes/night", body, seen)
        assert (status, changed["revision"]) == (200, 2)
        timed = {"name": "Often", "cron": "*/10 * * * *", "scene": "Night", "pace_per_min": 600}
        status, made = await here.ask(here.other, "POST", "/schedules", timed)
        assert (status, len(made["next"])) == (201, 5)
        pause = 600 - here.fleet.application.clock.now() % 600
        await trio.sleep(pause + 5)
        assert len((await here.ask(here.other, "GET", "/rollouts"))[1]["rollouts"]) == 1
        fleet, other = here.fleet, here.other
        here.street.close(fleet)
        await trio.sleep(60)
        assert len((await here.ask(other, "GET", "/rollouts"))[1]["rollouts"]) == 1, "not again"
        await trio.sleep(600)
        assert len((await here.ask(other, "GET", "/rollouts"))[1]["rollouts"]) == 2


def loses_the_answer_to_what_is_sent(house: House) -> None:
    """The engine has what the house sends from now on, and the house does not know it for a while:
    it sends it again."""
    until = trio.current_time() + 1.0
    house.engine.fate = lambda request: Fate(
        unanswered=request.name == "post" and trio.current_time() < until
    )


async def test_a_rollout_that_was_sent_twice_is_made_once(autojump_clock: MockClock) -> None:
    async with doors(2) as here:
        loses_the_answer_to_what_is_sent(here.other)
        lights = list(here.street.world.stations)
        order = {"red": 255, "green": 0, "blue": 0, "pace_per_min": 1, "dev_euis": lights}
        status, made = await here.ask(here.other, "POST", "/rollouts", order)
        assert status == 201, made
        await trio.sleep(10)
        status, told = await here.ask(here.fleet, "GET", "/rollouts")
        assert [one["id"] for one in told["rollouts"]] == [made["id"]]
        assert here.fleet.parts.flow.carrier.statistics().repeated == 1


@pytest.mark.parametrize("lost", ["the answer that it is sent", "the owner's mark"])
async def test_a_rollout_that_a_later_owner_reads_again_is_made_once(
    autojump_clock: MockClock, lost: str
) -> None:
    """Its first owner made it, and ended before it answered."""
    async with doors(2) as here:
        fleet, other = here.fleet, here.other
        if lost == "the answer that it is sent":
            loses_the_answer_to_what_is_sent(other)
        else:
            fleet.parts.flow.inbox.place = lambda shard: "0-0"  # type: ignore[method-assign]
        lights = list(here.street.world.stations)
        order = {"red": 255, "green": 0, "blue": 0, "pace_per_min": 1, "dev_euis": lights}
        told: list[int] = []

        async def ask_for_it() -> None:
            told.append((await here.ask(other, "POST", "/rollouts", order))[0])

        fleet.parts.flow.router.answer = lambda boot, answer: None  # type: ignore[method-assign]
        async with trio.open_nursery() as asking:
            asking.start_soon(ask_for_it)
            with trio.fail_after(5):
                while not fleet.parts.board.rollouts:  # noqa: ASYNC110
                    await trio.sleep(0.01)
            here.street.close(fleet)
        assert told == [504], "perhaps it was done: it says so"
        await here.street.owned_by_all()
        assert here.fleet is other
        status, found = await here.ask(other, "GET", "/rollouts")
        assert (status, len(found["rollouts"])) == (200, 1)
        assert other.parts.flow.carrier.statistics().repeated == 1
        status, made = await here.ask(other, "POST", "/rollouts", order)
        assert status == 201, made


async def test_what_is_taken_back_in_a_request_that_was_sent_twice_is_what_was_open_at_first(
    autojump_clock: MockClock,
) -> None:
    async with doors(2) as here:
        dev_eui = next(iter(here.street.world.stations))
        owner, away = here.owner(dev_eui), here.away(dev_eui)
        colour = {"red": 0, "green": 0, "blue": 255, "wait_for_verification": False}
        assert (await here.ask(owner, "POST", f"/downlink/{dev_eui}", colour))[0] == 202
        loses_the_answer_to_what_is_sent(away)
        assert (await here.ask(away, "DELETE", f"/devices/{dev_eui}/wanted"))[0] == 200
        status, made = await here.ask(owner, "POST", f"/downlink/{dev_eui}", colour)
        assert status == 202, made
        assert (await owner.final(made["id"])).status is CommandStatus.VERIFIED


async def test_what_a_failover_took_is_added_up_once_though_it_was_told_twice(
    autojump_clock: MockClock,
) -> None:
    async with doors(2) as here:
        loses_the_answer_to_what_is_sent(here.other)
        told = FailoverTold("other", "boot", here.other.parts.flow.router.to_fleet)
        told.replayed("07", 3)
        told.lost("07", 4)
        await trio.sleep(10)
        [text] = [
            one.text
            for one in here.fleet.parts.sight.findings()
            if one.kind is AlertKind.COMMITS_LOST
        ]
        assert "7 " in text, text
