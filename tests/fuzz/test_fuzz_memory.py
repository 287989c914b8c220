"""Memory under thousands of hostile requests: what strangers send leaves nothing behind for ever.

A first round may fill the tables that are bounded; what rounds after it add is next to nothing.
What a known light says grows with its history, which the store keeps by design and is measured
against what one line of it may have.
"""

import gc
import json
import tracemalloc
from collections.abc import Awaitable, Callable
from itertools import count, islice

import pytest
import trio
from quart_trio import QuartTrio

from api.http.app import create_app
from tests.api.conftest import OPERATOR, TOKENS, WEBHOOK, settings_with
from tests.fuzz.conftest import rounds
from tests.support.asgi import ask
from tests.support.clock_and_threads import in_virtual_time
from tests.support.running_application import make_world, running_application

FILL = 1_100
"""More than the tables of what strangers send have places (1,000)."""
MANY, SOME = rounds(300), rounds(60)
"""In each of the two rounds after it. The service itself keeps some 15 kB in the minutes of a
round, 50 bytes a request. A stranger that was kept for ever would be 500."""
FREE = {"rate_per_s": 1e6, "rate_burst": 1_000_000, "tokens": TOKENS}
HOOK = "/api/v1/webhooks/chirpstack?event="
LONG = "x" * 1_000
Send = Callable[[QuartTrio, str, int], Awaitable[int]]


async def _hook(app: QuartTrio, event: str, body: object) -> int:
    headers = [("Host", "localhost"), ("Content-Type", "application/json")]
    headers.append(("X-Lamplighter-Token", WEBHOOK))
    return (await ask(app, "POST", HOOK + event, headers, json.dumps(body).encode()))[0]


async def _as_operator(
    app: QuartTrio, method: str, target: str, *more: tuple[str, str], body: bytes = b""
) -> int:
    headers = [("Host", "localhost"), ("Authorization", f"Bearer {OPERATOR}"), *more]
    return (await ask(app, method, target, headers, body))[0]


def _info(dev_eui: str, profile: str, n: int) -> dict[str, object]:
    tags = {f"{n}-{k}": LONG for k in range(20)}
    return {"devEui": dev_eui, "deviceProfileName": profile, "deviceName": LONG, "tags": tags}


def _up(info: object, n: int) -> dict[str, object]:
    heard = [{"gatewayId": f"{n:08x}{k:08x}", "snr": k % 9} for k in range(60)]
    return {
        "time": "2026-01-01T00:00:00Z",
        "deviceInfo": info,
        "devAddr": f"{n:08x}",
        "fCnt": n,
        "rxInfo": heard,
        "deduplicationId": LONG,
    }


async def strangers(app: QuartTrio, dev_eui: str, n: int) -> int:
    return await _hook(app, "up", _up(_info(f"{n:016x}", f"sensor {n}", n), n))


async def strangers_with_much_to_say(app: QuartTrio, dev_eui: str, n: int) -> int:
    words = {"description": LONG, "code": f"{n}{LONG}", "context": {f"{n}": LONG}}
    info = _info(f"{n:016x}", "sensor", n)
    return await _hook(app, "log", {"time": "2026-01-01T00:00:00Z", "deviceInfo": info, **words})


async def kinds_that_are_none(app: QuartTrio, dev_eui: str, n: int) -> int:
    return await _hook(app, f"kind{n}", {})


async def malformed(app: QuartTrio, dev_eui: str, n: int) -> int:
    return await _hook(app, "up", {f"{n}": LONG, "time": f"{n}", "deviceInfo": {"devEui": LONG}})


async def keys_of_refused_commands(app: QuartTrio, dev_eui: str, n: int) -> int:
    more = (("Idempotency-Key", f"key-{n}"), ("Content-Type", "application/json"))
    body = b'{"red": 1, "green": 2, "blue": 3}'
    return await _as_operator(app, "POST", f"/api/v1/downlink/{n:016x}", *more, body=body)


async def paths_methods_and_ids(app: QuartTrio, dev_eui: str, n: int) -> int:
    more = (("X-Request-ID", f"request-{n}"), ("Prefer", f"wait={n}"))
    return await _as_operator(app, f"M{n}", f"/api/v1/gateways/{n}/status?x{n}=1", *more)


async def gateways_and_parked_that_are_none(app: QuartTrio, dev_eui: str, n: int) -> int:
    if n % 2:
        return await _as_operator(app, "POST", f"/api/v1/supervisor/device {n}/revive")
    return await _as_operator(app, "GET", f"/api/v1/gateways/{n:016x}/outages")


async def tokens_that_are_none(app: QuartTrio, dev_eui: str, n: int) -> int:
    headers = [("Host", "localhost"), ("Authorization", f"Bearer guess-{n:020}")]
    return (await ask(app, "GET", f"/api/v1/commands/{n}", headers))[0]


async def a_light_that_others_speak_for(app: QuartTrio, dev_eui: str, n: int) -> int:
    await trio.sleep(1.0)
    return await _hook(app, "up", _up(_info(dev_eui, "kuando", n), n))


async def growth(
    send: Send, fill: int, requests: int, logged: list[object]
) -> tuple[float, set[int]]:
    """Bytes that stay of one request once the tables are full, and how all were answered."""
    world = make_world(lights=1)
    async with trio.open_nursery() as nursery:
        await nursery.start(world.run)
        async with running_application(world) as home:
            await home.settled()
            app, dev_eui = (
                create_app(home.application, settings_with(**FREE)),
                next(iter(home.devices)),
            )
            statuses: set[int] = set()
            kept: list[int] = []
            number = count()
            tracemalloc.start()
            try:
                for most in (fill, requests, requests):
                    for n in islice(number, most):
                        statuses.add(await send(app, dev_eui, n))
                    # Trio keeps a deadline till it is over, waited for or not: 192 s at most.
                    await trio.sleep(200.0)
                    logged.clear()
                    gc.collect()
                    kept.append(tracemalloc.get_traced_memory()[0])
            finally:
                tracemalloc.stop()
            assert home.application.dead_letters.recent(1) == []
        nursery.cancel_scope.cancel()
    return (kept[2] - kept[0]) / (2 * requests), statuses


@pytest.mark.parametrize(
    ("send", "statuses", "fill", "requests", "bytes_most"),
    [
        (strangers, {202}, FILL, MANY, 300),
        (strangers_with_much_to_say, {202}, FILL, MANY, 300),
        (kinds_that_are_none, {202}, 200, MANY, 200),
        (malformed, {422, 400}, 200, MANY, 200),
        (keys_of_refused_commands, {404}, 200, MANY, 200),
        (paths_methods_and_ids, {405}, 200, MANY, 200),
        (gateways_and_parked_that_are_none, {404}, 200, MANY, 200),
        (tokens_that_are_none, {401}, 200, MANY, 200),
        # Each says that a new session began, and ChirpStack's answer that none did: six lines of
        # history, one with 50 gateways, and four versions of the record with eight gateways each in
        # the board's ring (which ends with its 10,000 changes). Measured: 14.3 kB alone, 15.0 kB
        # after other tests, since lines hold the payload, the data rate and each gateway's signal.
        (a_light_that_others_speak_for, {204}, 50, SOME, 16_500),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_nothing_stays(
    quiet_logs: list[object],
    send: Send,
    statuses: set[int],
    fill: int,
    requests: int,
    bytes_most: int,
) -> None:
    kept, answered = in_virtual_time(growth, send, fill, requests, quiet_logs)
    assert answered <= statuses
    assert kept < bytes_most
