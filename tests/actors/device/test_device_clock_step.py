"""A record after the machine's clock was set: every date of it moved, and nothing else."""

import msgspec
import pytest

from actors.device.clock_step import moved
from actors.device.model import Device
from tests.support.records import a_full_record

BY_S = 90.0
DATE = 1e9
"""No count, level or duration in a record is that large; every date is."""


def leaves(value: object, path: str = "") -> dict[str, object]:
    match value:
        case dict():
            inside = value.items()
        case list() | tuple():
            inside = dict(enumerate(value)).items()
        case _:
            return {path: value}
    return {k: v for key, one in inside for k, v in leaves(one, f"{path}.{key}").items()}


@pytest.mark.parametrize("by_s", [BY_S, -BY_S, 365 * 86_400.0])
def test_every_date_moves_and_nothing_else(by_s: float) -> None:
    device = a_full_record()
    before = leaves(msgspec.to_builtins(device))
    after = leaves(msgspec.to_builtins(moved(device, by_s)))
    assert before.keys() == after.keys()
    dates = 0
    for path, value in before.items():
        if isinstance(value, float) and value > DATE:
            dates += 1
            assert after[path] == pytest.approx(value + by_s), path
        else:
            assert after[path] == value, path
    assert dates >= 25


def test_the_full_record_leaves_no_field_out() -> None:
    """A field that is added to the record has to be thought of here, too."""

    def empty(value: object, path: str) -> list[str]:
        if value is None:
            return [path]
        if isinstance(value, msgspec.Struct):
            return [
                one
                for name in value.__struct_fields__
                for one in empty(getattr(value, name), f"{path}.{name}")
            ]
        return []

    device = a_full_record()
    assert empty(device, "device") == []
    assert Device.__struct_fields__ == device.__struct_fields__


def test_a_record_moved_there_and_back_is_the_same() -> None:
    device = a_full_record()
    assert moved(moved(device, BY_S), -BY_S) == device
