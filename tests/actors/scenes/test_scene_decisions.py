"""Which light gets which colour of a scene, and what may be changed."""

from typing import Any

from actors.device.model import Wanted
from actors.replace import replace
from actors.scenes import edits, repository
from actors.scenes.edits import Kit, Reason, Refused
from actors.scenes.model import NAMED_MOST, SCENES_MOST, Part, Scene, Schedule
from actors.scenes.resolve import Source, as_now, most_frequent, resolved
from lorawan.kuando.light_state import LightState
from store.port import Record
from tests.support.fake_application import a_light

RED, GREEN, BLUE = LightState(255, 0, 0), LightState(0, 255, 0), LightState(0, 0, 255)
A, B, C = (f"202020000000000{n}" for n in "abc")
DEVICES = {
    A: a_light(A, tags={"floor": "2"}),
    B: a_light(B, tags={"floor": "3"}),
    C: a_light(C, tags={}, application_name="Hall", application_id="app-2"),
}


def scene(id_: str = "1", name: str = "Night", **more: Any) -> Scene:
    fields: dict[str, Any] = {
        "parts": (Part(RED, (A,)),),
        "created_at": 1.0,
        "changed_at": 1.0,
    }
    return Scene(id=id_, name=name, **(fields | more))


def schedule(**more: Any) -> Schedule:
    fields: dict[str, Any] = {
        "id": "s",
        "name": "evening",
        "cron": "0 18 * * *",
        "created_at": 1.0,
        "changed_at": 1.0,
        "mark": 1.0,
    }
    return Schedule(**(fields | more))


def test_a_light_that_is_named_goes_before_tags_and_the_first_part_that_means_it_counts() -> None:
    parts = (
        Part(GREEN, everything=True),
        Part(BLUE, tag="floor=3"),
        Part(RED, (B, "ffffffffffffffff")),
    )
    meant = resolved(parts, DEVICES)
    assert meant.colours == {A: GREEN, B: RED, C: GREEN}
    assert meant.missing == ("ffffffffffffffff",), "told, and no obstacle"
    assert list(meant.colours) == sorted(meant.colours)
    assert most_frequent(meant.colours) == GREEN


def test_tags_and_applications_find_lights() -> None:
    assert resolved((Part(RED, tag="floor"),), DEVICES).colours == {A: RED, B: RED}
    assert resolved((Part(RED, tag="floor=3"),), DEVICES).colours == {B: RED}
    assert resolved((Part(RED, application="Hall"),), DEVICES).colours == {C: RED}
    both = Part(RED, application="Hall", tag="floor")
    assert resolved((both,), DEVICES).colours == {}


def test_a_scene_is_made_of_what_lights_should_show_or_do_show() -> None:
    wanted = replace(DEVICES[A], wanted=Wanted(RED, "c", 1.0))
    nothing = replace(DEVICES[B], wanted=None, report=None)
    devices = [wanted, nothing, DEVICES[C]]
    assert as_now(devices, Source.WANTED) == (Part(RED, (A,)), Part(GREEN, (C,)))
    assert as_now(devices, Source.SHOWN) == (Part(GREEN, (A, C)),)


def test_nobodys_change_is_overwritten() -> None:
    first = edits.scene_saved(Kit(), scene(), None)
    assert isinstance(first, Scene)
    kit = Kit({"1": first})
    second = edits.scene_saved(kit, scene(name="Late"), 1)
    assert isinstance(second, Scene)
    assert (second.revision, second.created_at) == (2, 1.0)
    stale = edits.scene_saved(Kit({"1": second}), scene(), 1)
    assert isinstance(stale, Refused)
    assert stale.reason is Reason.STALE
    gone = edits.scene_saved(Kit(), scene(), 1)
    assert isinstance(gone, Refused)
    assert gone.reason is Reason.UNKNOWN


def test_names_are_taken_once_in_any_case_of_letters() -> None:
    taken = edits.scene_saved(Kit({"1": scene()}), scene("2", "NIGHT"), None)
    assert isinstance(taken, Refused)
    assert taken.reason is Reason.NAME_TAKEN
    assert edits.found({"1": scene()}, "night") == scene()
    assert edits.found({"1": scene()}, "1") == scene()


def test_the_bounds_hold() -> None:
    full = Kit({str(n): scene(str(n), f"scene {n}") for n in range(SCENES_MOST)})
    more = edits.scene_saved(full, scene("new", "new"), None)
    assert isinstance(more, Refused)
    assert more.reason is Reason.TOO_MANY
    large = scene("2", "large", parts=(Part(RED, tuple(f"{n:016x}" for n in range(NAMED_MOST))),))
    refused = edits.scene_saved(Kit({"1": scene()}), large, None)
    assert isinstance(refused, Refused)
    assert "200,000" in refused.why
    assert isinstance(edits.scene_saved(Kit(), large, None), Scene)


def test_a_scene_that_a_schedule_applies_stays() -> None:
    kit = Kit({"1": scene()}, {"s": schedule(scene_id="1")})
    refused = edits.scene_removed(kit, "1", None)
    assert isinstance(refused, Refused)
    assert refused.reason is Reason.IN_USE
    assert edits.schedule_removed(kit, "s", 1) == schedule(scene_id="1")
    assert edits.scene_removed(Kit(kit.scenes), "1", None) == scene()
    lost = edits.schedule_saved(Kit(), schedule(scene_id="1"), None, 5.0)
    assert isinstance(lost, Refused)
    assert lost.reason is Reason.NO_SCENE


def test_another_calendar_begins_now_and_another_colour_does_not() -> None:
    kit = Kit({"1": scene()}, {"s": schedule(scene_id="1", mark=7.0)})
    same = edits.schedule_saved(kit, schedule(scene_id="1", pace_per_min=5.0), 1, 99.0)
    assert isinstance(same, Schedule)
    assert (same.mark, same.revision) == (7.0, 2)
    for change in ({"cron": "0 19 * * *"}, {"time_zone": "Asia/Tokyo"}, {"enabled": False}):
        other = edits.schedule_saved(kit, schedule(scene_id="1", **change), 1, 99.0)
        assert isinstance(other, Schedule)
        assert other.mark == 99.0


def test_they_are_read_as_they_were_stored_and_odd_ones_are_left() -> None:
    kept = [scene(), scene("2", "Bright"), schedule(part=Part(BLUE, tag="floor"))]
    records = [Record(put.key, put.value, 1.0) for put in (repository.put(k, 1.0) for k in kept)]
    read = repository.read([*records, Record("scene:3", b"{", 1.0), Record("quality/x", b"", 1.0)])
    assert list(read.scenes.values()) == [kept[1], kept[0]]
    assert read.schedules == {"s": kept[2]}
