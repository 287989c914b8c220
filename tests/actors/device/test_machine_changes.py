"""The fields that the machine may rewrite are those of the records, with the same types."""

from typing import Any, get_type_hints

import pytest

from actors.device.changes import AttemptChanges, CommandChanges, DeviceChanges
from actors.device.command import Command
from actors.device.model import Attempt, Device


@pytest.mark.parametrize(
    ("changes", "record", "never"),
    [
        (DeviceChanges, Device, {"dev_eui"}),
        (
            AttemptChanges,
            Attempt,
            {
                "number",
                "frame",
                "marker_us",
                "submitted_at",
                "not_before",
                "retry",
                "expires_at",
                "baseline",
                "heard",
                "sw_rev",
                "expected",
                "spacing_s",
                "handed_over",
            },
        ),
        (
            CommandChanges,
            Command,
            {
                # what was asked for
                "id",
                "dev_eui",
                "light",
                "keep",
                "accepted_at",
                "expires_at",
                "correlation_id",
                "heartbeat_only",
                "by",
                # what each step writes
                "status",
                "reason",
                "cause",
                "timeline",
                "steps_omitted",
            },
        ),
    ],
)
def test_what_may_be_rewritten_of_a_record_has_its_names_and_types(
    changes: Any, record: Any, never: set[str]
) -> None:
    fields = get_type_hints(record)
    assert set(fields) == set(record.__struct_fields__)
    assert get_type_hints(changes) == {
        name: kind for name, kind in fields.items() if name not in never
    }
    assert never <= set(fields)
