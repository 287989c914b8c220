"""`GET /api/v1/cluster`: one process alone, and several."""

from typing import Any

from quart.typing import TestClientProtocol as Client

from tests.support.fake_application import FakeApplication
from tests.support.fake_cluster import one_lost, three_processes


async def cluster(client: Client) -> dict[str, Any]:
    response = await client.get("/api/v1/cluster")
    assert response.status_code == 200
    return await response.get_json()  # type: ignore[no-any-return]


async def test_a_process_alone_is_one_member_that_owns_everything(client: Client) -> None:
    told = await cluster(client)
    assert told["mode"] == "embedded"
    assert [(one["shards"], one["fleet"]) for one in told["members"]] == [(64, True)]
    assert (told["shards"], told["moves"], told["shards_unowned"]) == ([], [], 0)
    assert told["answering"] == told["members"][0]["boot"]


async def test_the_store_is_named_by_its_kind_and_never_by_its_address(client: Client) -> None:
    told = await cluster(client)
    assert told["store"]["kind"] == "sqlite"
    assert "lamplighter.db" not in repr(told)


async def test_of_three_processes_each_part_is_told_with_its_owner(
    client: Client, application: FakeApplication
) -> None:
    application.cluster.now = three_processes()
    told = await cluster(client)
    assert len(told["shards"]) == told["shards_total"] == 65
    owned = [one["owner"] for one in told["shards"]]
    assert {m["boot"]: owned.count(m["boot"]) for m in told["members"]} == {
        "boot-north": 19,
        "boot-south": 23,
        "boot-west": 23,
    }


async def test_parts_of_a_lost_process_are_expired_until_they_are_taken(
    client: Client, application: FakeApplication
) -> None:
    application.cluster.now = one_lost()
    told = await cluster(client)
    expired = [one for one in told["shards"] if one["state"] == "expired"]
    assert len(expired) == told["shards_unowned"] == 11
    assert told["moves"][0]["before"] == "west"
