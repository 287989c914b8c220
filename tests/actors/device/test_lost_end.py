"""What the record of a light tells about the end of a command that is stored as open."""

from typing import Any

import pytest

from actors.device.command import Command, CommandStatus, Step, StepKind
from actors.device.effects import CommandChanged
from actors.device.events import CommandRequested, WithdrawRequested
from actors.device.lost_end import lost_end
from actors.device.machine import step
from actors.device.model import Device, Newest, Wanted
from actors.device.policy import Policy
from lorawan.kuando import LightState

NOW = 1_750_000_000.0
RED, BLUE = LightState(255, 0, 0), LightState(0, 0, 255)
EUI = "2020200000000001"
LINE = "2:aa.bb"
COMMAND = Command(
    "c1", EUI, RED, True, NOW - 60.0, NOW + 600.0, timeline=(Step(NOW - 60.0, StepKind.ACCEPTED),)
)


def wanted(command_id: str, since: float = NOW - 30.0) -> Wanted:
    return Wanted(RED, command_id, since)


def end(now: float = NOW, **device: Any) -> Command | None:
    return lost_end(Device(dev_eui=EUI, **device), COMMAND, now)


def test_the_open_command_of_the_light_has_not_ended() -> None:
    assert end(command=COMMAND, wanted=wanted("c1")) is None


@pytest.mark.parametrize(
    "device",
    [
        {"wanted": wanted("c1")},
        {"wanted": wanted("c1"), "newest": Newest("c1", f"{LINE} 7-0")},
        {"wanted": wanted("c1"), "newest": Newest("expired since", f"{LINE} 8-0")},
        {
            "wanted": wanted("c2"),
            "wanted_before": wanted("c1"),
            "newest": Newest("c2", f"{LINE} 8-0"),
        },
        {"wanted_last": "c1", "newest": Newest("", f"{LINE} 8-0")},
    ],
)
def test_what_stayed_wanted_was_verified(device: dict[str, Any]) -> None:
    ended = end(**device)
    assert ended is not None
    assert (ended.status, ended.ended_at) == (CommandStatus.VERIFIED, NOW)
    assert ended.timeline[-1] == Step(NOW, StepKind.VERIFIED)


def test_what_is_wanted_while_another_command_is_open_need_not_be_verified() -> None:
    """`wanted` is the open command's then, and the one before it stands beside it."""
    other = Command("c2", EUI, BLUE, True, NOW, NOW + 600.0)
    ended = end(command=other, wanted=wanted("c2"), newest=Newest("c2", f"{LINE} 8-0"))
    assert ended is not None
    assert (ended.status, ended.superseded_by) == (CommandStatus.SUPERSEDED, "c2")


@pytest.mark.parametrize(
    ("device", "status"),
    [
        ({"withdrawn": ("c0", "c1"), "wanted": wanted("c0")}, CommandStatus.WITHDRAWN),
        ({"newest": Newest("", f"{LINE} 8-0")}, CommandStatus.WITHDRAWN),
        ({"newest": Newest("c1", f"{LINE} 7-0"), "wanted": wanted("c0")}, CommandStatus.REJECTED),
        ({"wanted": wanted("c2")}, CommandStatus.SUPERSEDED),
        ({"wanted": wanted("c0", NOW - 90.0)}, CommandStatus.REJECTED),
        ({}, CommandStatus.REJECTED),
    ],
)
def test_how_it_ended_otherwise(device: dict[str, Any], status: CommandStatus) -> None:
    ended = end(**device)
    assert ended is not None
    assert ended.status is status
    assert ended.ended_at == NOW
    assert ended.timeline[0] == COMMAND.timeline[0]


def test_it_expired_where_its_time_is_over_and_nothing_newer_is_known() -> None:
    late = NOW + 700.0
    ended = end(late, newest=Newest("c1", f"{LINE} 7-0"))
    assert ended is not None
    assert (ended.status, ended.ended_at) == (CommandStatus.EXPIRED, late)
    by_another = end(late, newest=Newest("c2", f"{LINE} 8-0"))
    assert by_another is not None
    assert by_another.status is CommandStatus.SUPERSEDED


def told(device: Device, event: Any) -> tuple[Device, dict[str, Command]]:
    device, effects = step(device, event, NOW, 0.5, Policy())
    return device, {e.command.id: e.command for e in effects if isinstance(e, CommandChanged)}


def wish(command_id: str, light: LightState = RED, again: bool = False) -> CommandRequested:
    return CommandRequested(command_id, light, True, 600.0, accepted_at=NOW - 60.0, again=again)


def test_a_verified_command_that_its_acceptor_repeats_is_verified_and_not_pursued_anew() -> None:
    """Whoever had stored its verdict gave the light away and is gone."""
    light = Device(dev_eui=EUI, wanted=wanted("c1"))
    after, changed = told(light, wish("c1", again=True))
    assert changed["c1"].status is CommandStatus.VERIFIED
    assert after == light
    _, changed = told(light, wish("c1"))
    assert changed == {}, "read once more: it is stored"


def test_one_that_is_pursued_goes_on_when_it_is_repeated() -> None:
    light, _ = told(Device(dev_eui=EUI), wish("c1"))
    after, changed = told(light, wish("c1", again=True))
    assert (after, changed) == (light, {})


def test_one_that_was_taken_back_stays_so_when_it_is_repeated() -> None:
    light, _ = told(Device(dev_eui=EUI), wish("c1"))
    light, _ = told(light, WithdrawRequested("c1"))
    after, changed = told(light, wish("c1", again=True))
    assert after == light
    assert changed["c1"].status is CommandStatus.WITHDRAWN
