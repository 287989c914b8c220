"""What a release showed, took and stored is shown, taken and read by this version.

The files are written at each release by `tests/compatibility/record.py`, and are never changed
afterwards; 0.1.0, which had other folders, has tests of its own. What is changed on purpose stands
in `CHANGED` or `OTHERWISE`, with its reason, and in the upgrade notes.
"""

import base64
import gzip
import json
from functools import cache
from typing import Any

import pytest

from store.memory import MemoryDisk
from store.port import Append, Put, Table
from tests.compatibility import house, record, surface
from tests.compatibility.conftest import DATA
from tests.support.clock_and_threads import in_virtual_time

RELEASES = sorted(
    file.name.removeprefix("store-").removesuffix(".jsonl.gz")
    for file in DATA.glob("store-*.jsonl.gz")
)
CHANGED: dict[str, str] = {}
"""Places whose type or presence was changed on purpose since a release, and why."""
OTHERWISE = {
    # The house is cut off in the midst of things, and begun again.
    r"devices/\w+/commands commands\S+\.(status|reason|attempts|overdue|timeline.*)": "restart",
    r"hooks hooks\S+\.(failing_since|waiting|delivered|last_ok_at)": "nobody takes anything",
}
"""What is not answered as a release did, by path and place, and why. Nothing may be missing."""
KINDS = ("http", "problems", "commands", "exits", "settings", "live", "metrics")


def recorded(version: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((DATA / f"surface-{version}.json").read_text("utf-8"))
    return found


@cache
def told_now() -> dict[str, Any]:
    """What a house of this version tells and keeps."""
    return in_virtual_time(record.lived)


@cache
def seen_now() -> dict[str, Any]:
    """The same as is recorded, of this version."""
    return record.seen() | {"live": told_now()["live"], "metrics": told_now()["metrics"]}


def disk_of(version: str) -> MemoryDisk:
    """The store as it was left."""
    disk = MemoryDisk()
    packed = gzip.decompress((DATA / f"store-{version}.jsonl.gz").read_bytes())
    for line in packed.splitlines():
        match json.loads(line):
            case ["stream", name, entry, at, value]:
                disk.apply([Append(name, entry, at, base64.b64decode(value))])
            case [table, key, at, value]:
                disk.apply([Put(Table(table), key, base64.b64decode(value), at)])
    return disk


def test_a_release_is_recorded() -> None:
    assert "0.2.0" in RELEASES
    assert set(recorded("0.2.0")) == set(KINDS)


def test_a_missing_name_another_type_and_a_new_demand_are_noticed() -> None:
    old = {"GET /x": {"200": "", "200 a": "string", "? query b": "string"}}
    for new, said in (
        ({}, "GET /x is missing"),
        ({"GET /x": {"200": "", "? query b": "string"}}, "GET /x 200 a is missing"),
        ({"GET /x": old["GET /x"] | {"200 a": "null string"}}, "may be null string"),
        ({"GET /x": old["GET /x"] | {"? query c!": "string"}}, "? query c! is required now"),
        ({"GET /x": old["GET /x"] | {"200 c": "string"}}, None),
    ):
        found = missing_of("http", old, new)
        assert bool(found) is (said is not None), new
        assert said is None or said in found[0]


def missing_of(kind: str, old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    """What of one kind of surface this version lacks, or demands more."""
    if kind in {"problems", "exits"}:
        return surface.broken(old, new, kind, CHANGED)
    if kind == "settings":  # a default may change, a name may not
        return [f"{name} is missing" for name in old if name not in new]
    if kind == "metrics":
        return surface.unlike(old, new)
    found = []
    for name, flat in old.items():
        if name not in new:
            found.append(f"{name} is missing")
        elif kind == "live":
            found += surface.unlike(flat, new[name])
        else:
            found += surface.broken(flat, new[name], name, CHANGED)
            found += [
                f"{name} {more} is required now"
                for more, shape in new[name].items()
                if more not in flat and (more.endswith("!") or "required" in shape.split())
            ]
    return found


@pytest.mark.parametrize("version", RELEASES)
@pytest.mark.parametrize("kind", KINDS)
def test_all_that_callers_saw_is_still_there(version: str, kind: str) -> None:
    old = recorded(version)[kind]
    assert len(old) > 5
    assert missing_of(kind, old, seen_now()[kind]) == []


@pytest.mark.parametrize("version", RELEASES)
def test_all_that_was_stored_is_told_again(version: str) -> None:
    told = json.loads(gzip.decompress((DATA / f"served-{version}.json.gz").read_bytes()))
    assert len(told["served"]) > 10

    async def read() -> list[str]:
        found = []
        world = house.building()
        world.advance(told["at"] - house.EPOCH_AT)
        async with house.served(world, disk_of(version), told["at"]) as (home, client):
            for path, old in told["served"].items():
                new = await house.ask(client, "GET", path)
                where = f"{path[1:].partition('?')[0]} "
                found += surface.differences(old, new, where, OTHERWISE)
            assert home.application.unreadable.listed() == ()
        return found

    assert in_virtual_time(read) == []


def test_the_recorder_writes_what_this_test_reads() -> None:
    """At the next release it is run again: it must not have rotted by then."""
    kept = {line[0] for line in told_now()["lines"]}
    assert kept == {"stream", *(table.value for table in Table)}
    assert set(recorded("0.2.0")) == set(seen_now())
    assert len(told_now()["served"]) > 10
