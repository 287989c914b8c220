"""What is shown beside the fleet's own records comes through the store as it was."""

import msgspec
import pytest

from actors.board.board import Board
from actors.board.changes import ActorView, GatewayView
from actors.board.outlook import RiskTold, WarningTold
from actors.clocks.clock import RunClock
from actors.cluster import views
from actors.device.model import Device
from actors.supervision import ChildState
from store.port import Put, Table

LIGHT = "20202000000000a1"


def board() -> Board:
    return Board(RunClock(1_000.0), "boot")


async def test_a_gateway_a_risk_and_an_actor_in_trouble_are_shown_as_they_were() -> None:
    there = board()
    there.publish(Device(dev_eui=LIGHT, since=0.0))
    gateway = GatewayView("a" * 16, "roof", online=False, airtime_budget_s=360.0, grade="B")
    risk = RiskTold(0.4, (WarningTold("margin", 5.0),))
    actor = ActorView(f"device {LIGHT}", ChildState.PARKED, 5, "ValueError: odd")
    puts = [
        views.gateway_put(gateway, 1.0),
        views.risk_put(LIGHT, risk, 1.0),
        views.actor_put(actor, 1.0),
    ]
    assert all(put.table is Table.META and put.key.startswith("view/") for put in puts)
    assert all(views.show(put, there) for put in puts)
    assert there.gateways == {gateway.gateway_id: gateway}
    assert there.risks == {LIGHT: risk}
    assert there.snapshot().actors == (actor,)


async def test_other_records_of_the_same_table_are_left_alone() -> None:
    assert not views.show(Put(Table.META, "learned:fleet", b"{}", 1.0), board())


async def test_one_that_cannot_be_read_shows_nothing() -> None:
    there = board()
    with pytest.raises(msgspec.MsgspecError):
        views.show(Put(Table.META, "view/gateway/b", b'{"v":99}', 1.0), there)
    assert there.gateways == {}
