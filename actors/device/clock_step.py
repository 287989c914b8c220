"""The machine's clock was set: every date in a light's record moves by as much.

A date in a record was made as "so long from now" or "so long ago"; that is what stays true. Dates
of ChirpStack were turned into ours when they came (`actors/clocks/server_dates.py`), so they move
as well, and an age stays the age it was. What is already told (history, ended commands) is left
alone.

By the names of `model.py` a date is `since`, `at`, `not_before`, or ends in `_at` or `_until`.
"""

from typing import TypeVar

import msgspec
from msgspec.structs import replace

from actors.device.model import Device
from actors.reasons import Reason, dated

T = TypeVar("T")


def moved(device: Device, by_s: float) -> Device:
    """The record after the date was set by `by_s` seconds, backwards where negative."""
    return _moved(device, by_s)


def _moved(value: T, by_s: float) -> T:
    if isinstance(value, Reason):
        return dated(value, by_s)  # type: ignore[return-value]
    if isinstance(value, msgspec.Struct):
        changes = {}
        for name in value.__struct_fields__:
            before = getattr(value, name)
            if _is_date(name) and before is not None:
                changes[name] = before + by_s
            elif isinstance(before, msgspec.Struct | tuple):
                changes[name] = _moved(before, by_s)
        return replace(value, **changes)
    if isinstance(value, tuple):
        return tuple(_moved(one, by_s) for one in value)  # type: ignore[return-value]
    return value


def _is_date(name: str) -> bool:
    return name in {"since", "at", "not_before"} or name.endswith(("_at", "_until"))
