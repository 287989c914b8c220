"""A server that is too old is refused in words, and nothing is left in it. Not collected by itself:
`make engines` runs it with such a server."""

import pytest

from api.cli.doctor.engine import engine as doctor
from api.cli.doctor.finding import Level
from store.engine.open import engine_from_url
from store.errors import StoreRefused
from tests.support.redis_server import RedisServer
from tests.support.redis_sites import client_of


@pytest.mark.parametrize("options", ["", "?unsafe=yes"])
async def test_a_server_that_is_too_old_is_refused(options: str) -> None:
    with RedisServer() as server:
        engine = engine_from_url(f"{server.url}{options}")
        with pytest.raises(StoreRefused, match=r"version 6\.\d+\.\d+ is too old; 7\.0 is the"):
            await engine.open()
        await engine.close()
        assert client_of(server).keys("*") == []


async def test_the_doctor_says_the_same_and_what_to_do() -> None:
    with RedisServer() as server:
        [found] = await doctor(server.url)
        assert found.level is Level.PROBLEM
        assert "is too old; 7.0 is the oldest that will do" in found.says
        assert found.remedy == "use Valkey, or Redis 7.0 or later"
