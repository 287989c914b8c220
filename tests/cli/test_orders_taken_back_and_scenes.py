"""`cancel`, `scene`, `schedule` and `rollout again` as processes against the real server."""

import json

import pytest

from actors.device.command import CommandStatus
from actors.reasons import other
from actors.rollouts import decisions
from tests.cli.test_verbs import served
from tests.support.fake_application import DEV_EUI

pytestmark = pytest.mark.timeout(120)


async def test_an_order_is_taken_back_by_command_or_by_light() -> None:
    async with served() as here:
        sent = await here.do("send", DEV_EUI, "red", "--no-wait", "--json")
        command_id = json.loads(sent.stdout)["id"]
        taken = await here.do("cancel", command_id)
        assert taken.returncode == 0, taken.stderr
        assert taken.stdout == f"Command {command_id}: nothing of it was sent.\n"
        again = await here.do("cancel", command_id, "--json")
        assert (again.returncode, json.loads(again.stdout)["status"]) == (0, "withdrawn")
        none = await here.do("cancel", DEV_EUI)
        assert (none.returncode, none.stdout) == (11, f"No command of {DEV_EUI} is open.\n"), (
            none.stderr
        )
        nothing = await here.do("cancel", DEV_EUI, "--keep-nothing")
        assert (nothing.returncode, "Nothing is asked" in nothing.stdout) == (0, True)
        sent = await here.do("send", DEV_EUI, "blue", "--no-wait", "--json")
        over = json.loads(sent.stdout)["id"]
        here.application.commands.step(over, CommandStatus.VERIFIED)
        ended = await here.do("cancel", over)
        assert (ended.returncode, "it is verified" in ended.stdout) == (11, True)
        unknown = await here.do("cancel", "nobody")
        assert (unknown.returncode, "no such command" in unknown.stderr) == (2, True)


async def test_scenes_and_schedules_are_saved_shown_applied_and_removed() -> None:
    async with served() as here:
        saved = await here.do("scene", "save", "Night")
        assert (saved.returncode, saved.stdout) == (0, "Scene Night saved: 1 lights.\n")
        words = (
            "scene",
            "save",
            "Alarm",
            "--colour",
            "red",
            "--blink",
            "20/20",
            "--tag",
            "floor=2",
        )
        assert (await here.do(*words)).returncode == 0
        assert (await here.do(*words)).returncode == 0, "replaced"
        shown = await here.do("scene", "show", "alarm")
        assert "tag floor=2" in shown.stdout
        assert [one.revision for one in here.application.scenes.scenes.values()] == [1, 2]
        listed = await here.do("scene", "list")
        assert "Alarm" in listed.stdout
        assert "local" in listed.stdout
        applied = await here.do("scene", "apply", "alarm", "--no-wait", "--pace", "60")
        assert (applied.returncode, "started for 1 lights" in applied.stdout) == (0, True)
        assert here.application.rollouts.orders[0].pace_per_min == 60.0
        wrong = await here.do("scene", "save", "x", DEV_EUI, "--all")
        assert wrong.returncode == 2

        timed = await here.do("schedule", "save", "Evening", "0 18 * * 1-5", "--scene", "night")
        assert (timed.returncode, "Schedule Evening saved: next " in timed.stdout) == (0, True)
        seen = await here.do("schedule", "show", "evening")
        assert seen.stdout.count("  next ") == 5
        assert "(Europe/Berlin, the site's)" in seen.stdout
        assert "18:00 +0" in seen.stdout
        off = await here.do("schedule", "disable", "Evening")
        assert off.stdout == "Schedule Evening saved: disabled.\n"
        assert (await here.do("schedule", "enable", "Evening")).returncode == 0
        assert "scene Night" in (await here.do("schedule", "list")).stdout
        odd = await here.do("schedule", "save", "Odd", "0 18 * *", "--colour", "red")
        assert (odd.returncode, "five fields" in odd.stderr) == (2, True)
        kept = await here.do("scene", "remove", "Night")
        assert (kept.returncode, "the schedule 'Evening' applies it" in kept.stderr) == (2, True)
        for kind, name in (("schedule", "Evening"), ("scene", "Night")):
            assert (await here.do(kind, "remove", name)).returncode == 0
        assert list(here.application.scenes.schedules) == []


async def test_a_rollout_is_tried_again() -> None:
    async with served() as here:
        await here.do("rollout", "start", "red", DEV_EUI, "--no-wait")
        nothing = await here.do("rollout", "again", "roll-1")
        assert (nothing.returncode, "no light of it failed" in nothing.stderr) == (2, True)
        rollout, parts = here.application.rollouts.rolled["roll-1"]
        failed = decisions.failed(parts[0], other("expired"), 1.0)
        moved = decisions.moved(rollout, [(parts[0], failed)], 1.0)
        here.application.rollouts.rolled["roll-1"] = moved, (failed,)
        again = await here.do("rollout", "again", "roll-1", "--no-wait", "--pace", "5")
        assert again.returncode == 0, again.stderr
        assert here.application.rollouts.orders[1].again_of == "roll-1"
