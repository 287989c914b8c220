"""A store over a real server that is killed: what was acknowledged is there, and whole."""

from tests.support.killed_store import commit_under_kills
from tests.support.redis_server import RedisServer


async def test_acknowledged_commits_outlive_a_server_that_is_killed() -> None:
    with RedisServer() as server:
        assert await commit_under_kills(server, kills=2) >= 2 * 15
