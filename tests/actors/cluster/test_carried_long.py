"""An answer as long as any is carried from one process to another, and not what is longer."""

import random
import zlib

import msgspec
import pytest
import trio

from actors.cluster import carried, deflated
from actors.cluster.messages import CarriedAnswer, CarriedRequest
from actors.messaging.reply import Reply
from store.engine.shards import FLEET
from tests.actors.cluster.test_carried import REQUEST, START, reads, two

LIGHTS = 50_000
"""The most that a rollout has."""


def a_rollout(lights: int) -> bytes:
    """As it is told by HTTP, each light verified by a command of its own; ids are random."""
    rng = random.Random(1)
    return msgspec.json.encode(
        [
            {
                "dev_eui": f"{rng.getrandbits(64):016x}",
                "state": "verified",
                "command_id": "01K7A3" + f"{rng.getrandbits(80):020x}",
                "light": {"red": 0, "blue": 0, "green": 255, "on": 255, "off": 0},
                "reason": None,
                "reason_code": None,
                "reason_values": None,
            }
            for _ in range(lights)
        ]
    )


def says(body: bytes) -> carried.Serve:
    async def serve(request: CarriedRequest) -> CarriedAnswer:
        await trio.lowlevel.checkpoint()
        return CarriedAnswer(request.id, 200, (("Content-Type", "application/json"),), body)

    return serve


async def test_a_rollout_of_all_lights_is_carried(autojump_clock: object) -> None:
    body = a_rollout(LIGHTS)
    assert len(body) > 8_000_000
    async with two() as (asks, owns), trio.open_nursery() as nursery:
        nursery.start_soon(reads, owns)
        owns.carrier.serve = says(body)
        answer = await asks.carrier.carry(FLEET, REQUEST)
        assert isinstance(answer, CarriedAnswer)
        assert (answer.status, answer.headers) == (200, (("Content-Type", "application/json"),))
        assert answer.body == body
        [stream] = owns.engine.servers.masters[0].data.replies.values()  # type: ignore[union-attr]
        [entry] = stream.entries
        assert len(entry.message) < carried.ANSWER_BYTES_MOST
        nursery.cancel_scope.cancel()


async def test_an_older_process_is_answered_as_it_reads(autojump_clock: object) -> None:
    async with two() as (asks, owns):
        for body, status in ((a_rollout(1_000), 200), (a_rollout(LIGHTS), carried.FAILED)):
            owns.carrier.serve = says(body)
            reply: Reply[CarriedAnswer] = Reply()
            ask = asks.replies.expect(reply)
            older = CarriedRequest(ask, "a", START + trio.current_time() + 9, "GET", "/")
            owns.carrier.take(older)
            answer = await reply.wait(3.0)
            assert (answer.status, answer.deflated) == (status, False)
            assert status != 200 or answer.body == body


@pytest.mark.parametrize("fault", ["endless", "cut", "odd"])
async def test_what_cannot_be_inflated_is_a_failure(
    autojump_clock: object, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    whole = zlib.compress(b"x" * 1_000_000)
    monkeypatch.setattr(deflated, "INFLATED_BYTES_MOST", 500_000)
    body = {"endless": whole, "cut": zlib.compress(b"x" * 9_000)[:-5], "odd": b"odd"}[fault]
    async with two() as (asks, owns), trio.open_nursery() as nursery:
        nursery.start_soon(reads, owns)

        async def serve(request: CarriedRequest) -> CarriedAnswer:
            await trio.lowlevel.checkpoint()
            return CarriedAnswer(request.id, 200, (), body, deflated=True)

        owns.carrier.serve = serve
        answer = await asks.carrier.carry(FLEET, REQUEST)
        assert isinstance(answer, CarriedAnswer)
        assert (answer.status, b"damaged" in answer.body) == (carried.FAILED, True)
        nursery.cancel_scope.cancel()


async def test_what_is_longer_than_any_answer_is_refused_in_words(
    autojump_clock: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deflated, "INFLATED_BYTES_MOST", 3_000_000)
    async with two() as (asks, owns), trio.open_nursery() as nursery:
        nursery.start_soon(reads, owns)
        owns.carrier.serve = says(b"x" * 3_000_001)
        answer = await asks.carrier.carry(FLEET, REQUEST)
        assert isinstance(answer, CarriedAnswer)
        assert (answer.status, b"too large" in answer.body) == (carried.FAILED, True)
        nursery.cancel_scope.cancel()
