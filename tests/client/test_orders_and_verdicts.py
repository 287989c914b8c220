"""A colour is ordered and its verdict heard, by both clients, over real sockets."""

import pytest
import trio

from actors.device.command import CommandStatus
from lamplighter.client import (
    Ended,
    Expired,
    Invalid,
    NotFound,
    NotVerified,
    Rejected,
    StillPursued,
    Superseded,
    Unauthenticated,
    Withdrawn,
)
from lamplighter.client.models import CommandView, LightBody
from tests.support.both_clients import KINDS, served
from tests.support.fake_application import DEV_EUI, FakeApplication

RED = (255, 0, 0)
both = pytest.mark.parametrize("kind", KINDS)


async def ending(application: FakeApplication, status: CommandStatus, **changes: object) -> None:
    """Once somebody waits for the verdict, it is this one."""
    await application.commands.awaited.wait()
    application.commands.step("cmd-1", status, **changes)


@both
async def test_a_command_returns_once_the_light_has_proven_it(kind: str) -> None:
    async with served(kind) as (do, application, _), trio.open_nursery() as nursery:
        nursery.start_soon(ending, application, CommandStatus.VERIFIED)
        verdict = await do("command", DEV_EUI, LightBody(red=255, green=0, blue=0, on=5, off=5))
        assert isinstance(verdict, CommandView)
        assert verdict.status == "verified"
        assert (verdict.light.red, verdict.light.on, verdict.light.off) == (255, 5, 5)
        assert [step.kind for step in verdict.timeline] == ["accepted", "verified"]


@both
@pytest.mark.parametrize(
    ("status", "error"),
    [
        (CommandStatus.SUPERSEDED, Superseded),
        (CommandStatus.WITHDRAWN, Withdrawn),
        (CommandStatus.EXPIRED, Expired),
        (CommandStatus.REJECTED, Rejected),
    ],
)
async def test_another_end_is_an_error_with_the_command(
    kind: str, status: CommandStatus, error: type[NotVerified]
) -> None:
    async with served(kind) as (do, application, _), trio.open_nursery() as nursery:
        nursery.start_soon(ending, application, status)
        with pytest.raises(error) as raised:
            await do("command", DEV_EUI, RED)
        assert isinstance(raised.value, NotVerified)
        assert raised.value.command.status == status.value
        assert raised.value.command.id == "cmd-1"


@both
async def test_without_a_verdict_in_time_it_is_told_as_still_pursued(kind: str) -> None:
    async with served(kind) as (do, application, _):
        with pytest.raises(StillPursued, match="not verified yet") as raised:
            await do("command", DEV_EUI, RED, wait_s=1.2)
        assert raised.value.command.status == "accepted"
        assert list(application.commands.given) == ["cmd-1"], "asked again, it is one order"


@both
async def test_an_order_returns_at_once_is_found_and_taken_back_once(kind: str) -> None:
    async with served(kind) as (do, application, _):
        given = await do("order", DEV_EUI, RED, keep=False, ttl_s=60, key="k-1")
        again = await do("order", DEV_EUI, RED, keep=False, ttl_s=60, key="k-1")
        assert (given.id, given.status, given.keep) == (again.id, "accepted", False)
        assert given.expires_at - given.accepted_at == 60
        assert (await do("find_command", given.id)).id == given.id
        assert [one.id for one in (await do("commands", DEV_EUI)).commands] == [given.id]
        assert (await do("withdraw", given.id)).status == "withdrawn"
        verified = await do("order", DEV_EUI, RED)
        application.commands.step(verified.id, CommandStatus.VERIFIED)
        with pytest.raises(Ended) as ended:
            await do("withdraw", verified.id)
        assert ended.value.command.status == "verified"
        assert (await do("want_nothing", DEV_EUI)).command is None


@both
async def test_a_mistake_is_told_in_words_and_in_fields(kind: str) -> None:
    async with served(kind) as (do, _, _):
        with pytest.raises(Invalid, match="red") as raised:
            await do("order", DEV_EUI, (256, 0, 0))
        assert [one.field for one in raised.value.mistakes] == ["red"]
        assert raised.value.slug == "invalid"
        with pytest.raises(NotFound, match="no such device") as unknown:
            await do("command", "20" * 8, RED)
        assert (unknown.value.status, unknown.value.slug) == (404, "unknown-device")


@both
async def test_a_token_is_needed_where_one_is_configured(kind: str) -> None:
    token = "operator-token-0123456789abcdef"
    tokens = {"operator": [token], "webhook": ["webhook-token-0123456789abcdef"]}
    async with served(kind, tokens=tokens) as (do, _, _):
        with pytest.raises(Unauthenticated):
            await do("order", DEV_EUI, RED)
    async with served(kind, token=token, tokens=tokens) as (do, _, _):
        assert (await do("order", DEV_EUI, RED)).status == "accepted"
