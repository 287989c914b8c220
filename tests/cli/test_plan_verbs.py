"""`lamplighter plan ...` as a process: plans are drawn, shown, kept in a file, taken from one."""

import json
from pathlib import Path

import pytest

from actors.plans.model import Change, Create
from api.cli.exits import Exit
from tests.api.plans.pictures import SVG, png, svg
from tests.cli.test_verbs import served
from tests.support.fake_application import DEV_EUI

pytestmark = pytest.mark.timeout(120)


async def test_a_plan_is_added_shown_exported_removed_and_imported(tmp_path: Path) -> None:
    drawing, packed = tmp_path / "hall.png", tmp_path / "plans.zip"
    drawing.write_bytes(svg("<script/><rect/>"))  # the content tells what it is
    async with served() as here:
        assert "No plans." in (await here.do("plan", "list")).stdout
        done = await here.do("plan", "add", "Hall", str(drawing))
        assert done.returncode == Exit.OK, done.stderr
        assert "SVG, 400 x 300." in done.stdout
        assert "Left out of the drawing: <script>." in done.stdout
        await here.application.plans.edit(Change("plan-1", lights={DEV_EUI: (0.25, 0.5)}))
        shown = (await here.do("plan", "show", "hall")).stdout
        assert DEV_EUI in shown
        assert "25.0%" in shown
        kept = await here.do("plan", "export", str(packed))
        assert (kept.returncode, packed.exists()) == (Exit.OK, True), kept.stderr
        again = await here.do("plan", "export", str(packed))
        assert (again.returncode, "exists already" in again.stderr) == (Exit.MISTAKE, True)
        assert (await here.do("plan", "remove", "plan-1")).returncode == Exit.OK
        taken = await here.do("plan", "import", str(packed), "--json")
        assert json.loads(taken.stdout) == {"added": ["plan-1"], "replaced": []}
        assert here.application.plans.plans["plan-1"].lights == {DEV_EUI: (0.25, 0.5)}


async def test_a_large_picture_is_sent_in_parts_and_takes_the_place_of_the_old_one(
    tmp_path: Path,
) -> None:
    large, small = tmp_path / "large.png", tmp_path / "small.svg"
    large.write_bytes(png()[:-12] + b"\0\x09\xff\xf8teXt" + bytes(0x9FFF8 + 4) + png()[-12:])
    small.write_bytes(SVG)
    async with served() as here:
        assert (await here.do("plan", "add", "Hall", str(small))).returncode == Exit.OK
        done = await here.do("plan", "add", "Hall", str(large))
        assert done.returncode == Exit.OK, done.stderr
        assert list(here.application.plans.pictures.values()) == [large.read_bytes()]
        assert len(here.application.plans.plans) == 1


MISTAKES = (
    (("show", "Yard"), "no plan 'Yard'"),
    (("add", "Hall"), "there is a plan 'Hall' already"),
    (("import", "missing.zip"), "missing.zip: No such file"),
)


async def test_a_mistake_is_named() -> None:
    async with served() as here:
        await here.application.plans.edit(Create("Hall"))
        for words, told in MISTAKES:
            done = await here.do("plan", *words)
            assert done.returncode == Exit.MISTAKE, done.stdout
            assert told in done.stderr
