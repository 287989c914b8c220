"""What an edit makes of the plans, and how much there may be."""

import msgspec
import pytest

from actors.board.plan import Picture
from actors.plans.decisions import decided, edited
from actors.plans.model import (
    PICTURES_BYTES_MOST,
    PLACES_MOST,
    PLANS_MOST,
    Change,
    Create,
    Edited,
    Plan,
    PlanRefusal,
    Remove,
    SetPicture,
    Take,
)
from actors.plans.records import writes
from actors.plans.uploads import Full, Part, Received, Uploads
from store.port import Delete, Put, Table

NOW = 1_760_000_000.0
A = Plan(id="a", name="Hall", order=3, revision=4, lights={"l1": (0.1, 0.2), "l2": (0.3, 0.4)})
PLANS = {"a": A}


def picture(digest: str, size_bytes: int = 10) -> Picture:
    return Picture(digest, "image/png", 4, 3, size_bytes)


def after(edit: object, plans: dict[str, Plan] = PLANS, revision: int | None = None) -> Plan:
    made = edited(plans, edit, revision, NOW, "anna")  # type: ignore[arg-type]
    assert isinstance(made, Edited)
    return made.plan


def file_of(*some: Plan, into: dict[str, Plan]) -> tuple[Edited, ...]:
    made = decided(into, [Take(plan, b"") for plan in some], None, NOW, "anna")
    assert isinstance(made, tuple)
    return made


def test_a_new_plan_stands_behind_the_others() -> None:
    made = after(Create("Yard", id="b"))
    assert made == Plan(id="b", name="Yard", order=4, revision=1, changed_at=NOW, by="anna")
    assert after(Create("Yard", 0, "b")).order == 0


def test_only_the_places_that_are_named_change() -> None:
    made = after(Change("a", lights={"l1": None, "l3": (1.0, 1.0)}, gateways={"g": (0.0, 0.0)}))
    assert made.lights == {"l2": (0.3, 0.4), "l3": (1.0, 1.0)}
    assert (made.gateways, made.name, made.order, made.revision) == ({"g": (0, 0)}, "Hall", 3, 5)


def test_who_read_an_older_revision_changes_nothing() -> None:
    edit = Change("a", name="Foyer")
    assert after(edit, revision=4).name == "Foyer"
    assert edited(PLANS, edit, 3, NOW, "") is PlanRefusal.CHANGED
    assert edited(PLANS, Remove("a"), 3, NOW, "") is PlanRefusal.CHANGED
    assert edited({}, edit, None, NOW, "") is PlanRefusal.UNKNOWN


def test_there_is_a_bound_of_plans_places_and_pictures() -> None:
    many = {f"{n}": msgspec.structs.replace(A, id=f"{n}") for n in range(PLANS_MOST)}
    assert edited(many, Create("x", id="x"), None, NOW, "") is PlanRefusal.TOO_MANY
    [taken] = file_of(many["7"], into=many)
    assert taken.plan.revision == 5, "one in the place of another"
    places = {f"{n}": (0.0, 0.0) for n in range(PLACES_MOST - 1)}
    assert edited(PLANS, Change("a", lights=places), None, NOW, "") is PlanRefusal.TOO_MANY_PLACES
    half = PICTURES_BYTES_MOST // 2 + 1
    big = {"b": msgspec.structs.replace(A, id="b", picture=picture("x", half))}
    other = SetPicture("a", picture("y", half), b"")
    assert edited({**PLANS, **big}, other, None, NOW, "") is PlanRefusal.PICTURES_TOO_LARGE
    assert after(SetPicture("a", picture("x", half), b""), {**PLANS, **big}).picture is not None


def test_a_file_of_plans_is_taken_in_whole_or_not_at_all() -> None:
    half = PICTURES_BYTES_MOST // 2
    here = {n: msgspec.structs.replace(A, id=n, picture=picture(n, half)) for n in "ab"}
    file = [msgspec.structs.replace(A, id=n, picture=picture(f"new {n}", half)) for n in "ab"]
    made = file_of(*file, into=here)
    assert [(one.plan.id, one.plan.revision) for one in made] == [("a", 5), ("b", 5)]
    contents = {"new a": b"1", "new b": b"2"}
    tables = [(type(one), one.table, one.key) for one in writes(here, made, contents)]
    assert tables == [
        *((Put, Table.PLAN, n) for n in "ab"),
        *((Put, Table.PICTURE, f"new {n}") for n in "ab"),
        *((Delete, Table.PICTURE, n) for n in "ab"),
    ]
    swapped = [msgspec.structs.replace(A, id=n, picture=picture(o, half)) for n, o in ("ab", "ba")]
    made = file_of(*swapped, into=here)
    kept = writes(here, made, {"a": b"1", "b": b"2"})
    assert not any(isinstance(one, Delete) for one in kept), "both are shown, by the other plan"
    places = {f"{n}": (0.0, 0.0) for n in range(PLACES_MOST + 1)}
    wide = msgspec.structs.replace(A, id="c", lights=places)
    wrong = [Take(file[0], b""), Take(wide, None)]
    assert decided(here, wrong, None, NOW, "") is PlanRefusal.TOO_MANY_PLACES
    large = [Take(msgspec.structs.replace(file[0], id="c"), b"")]
    assert decided(here, large, None, NOW, "") is PlanRefusal.PICTURES_TOO_LARGE
    many = [Take(msgspec.structs.replace(A, id=f"{n}"), None) for n in range(PLANS_MOST)]
    assert decided({"z": A}, many, None, NOW, "") is PlanRefusal.TOO_MANY


def test_a_picture_lies_in_the_store_as_long_as_a_plan_shows_it() -> None:
    one = msgspec.structs.replace(A, picture=picture("x"))
    two = msgspec.structs.replace(one, id="b")
    plans = {"a": one, "b": two}
    made = edited(plans, SetPicture("a", picture("y"), b"new"), None, NOW, "")
    assert isinstance(made, Edited)
    put, kept = writes(plans, [made], {"y": b"new"})
    assert (put.table, put.key) == (Table.PLAN, "a")
    assert kept == Put(Table.PICTURE, "y", b"new", NOW), "the other plan still shows x"
    plans = {"a": made.plan, "b": two}
    gone = edited(plans, Remove("b"), None, NOW, "")
    assert isinstance(gone, Edited)
    assert writes(plans, [gone], {}) == [Delete(Table.PLAN, "b"), Delete(Table.PICTURE, "x")]


def part(start: int, size: int, total: int = 10) -> Part:
    return Part(start, total, b"x" * size)


def test_parts_are_put_together_in_their_order() -> None:
    uploads = Uploads()
    assert uploads.add("k", part(0, 4), 0.0) == Received(4)
    assert uploads.add("k", part(6, 4), 1.0) == Received(4), "a part is missing"
    assert uploads.add("k", part(0, 4, 8), 1.0) == Received(4), "begun anew, with another size"
    assert uploads.add("k", part(4, 4, 8), 2.0) == b"x" * 8
    assert uploads.add("k", part(4, 4, 8), 2.0) == Received(0), "it is over"
    assert uploads.add("k", part(0, 8, 8), 2.0) == b"x" * 8


@pytest.mark.parametrize("later_s", [0.0, 60.0])
def test_uploads_are_bounded_until_they_are_given_up(later_s: float) -> None:
    uploads = Uploads()
    for key in "abcd":
        assert uploads.add(key, part(0, 4), 0.0) == Received(4)
    assert uploads.add("e", part(0, 4), later_s) == Full()
    assert uploads.add("e", part(0, 4), later_s + 60.1) == Received(4)
    assert uploads.add("f", part(0, 4, 40 * 1024 * 1024), later_s + 60.1) == Full()
