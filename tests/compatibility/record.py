"""`python -m tests.compatibility.record VERSION`: writes down, at a release, what callers see and
what is stored, so that every later version is held against it.

Three files in `data/`: `surface-VERSION.json` (names and types of routes, problems, verbs, exit
codes, settings, metrics and live messages), `store-VERSION.jsonl.gz` (every record, and every line
of the streams, of a house that has one of everything) and `served-VERSION.json.gz` (what is
answered of that).
"""

import base64
import gzip
import json
import sys
from typing import Any

import structlog
import trio
import typer

from api.cli.app import app as command_line
from api.cli.exits import Exit
from api.http.app import create_app
from api.http.problems import KINDS, TYPE_PREFIX
from api.settings.model import ApiSettings, ChirpStack
from store.memory import MemoryDisk
from store.port import Table
from tests.compatibility import house, surface
from tests.compatibility.conftest import DATA
from tests.support.clock_and_threads import in_virtual_time
from tests.support.fake_application import FakeApplication


async def described() -> dict[str, Any]:
    """The description of the routes."""
    settings = ApiSettings(chirpstack=ChirpStack(target="localhost:8080", api_key="unused"))
    client = create_app(FakeApplication(), settings).test_client()
    return await (await client.get("/openapi.json")).get_json()  # type: ignore[no-any-return]


def seen() -> dict[str, Any]:
    """What callers see by name and type, but for what only a running house tells."""
    return {
        "http": surface.http(trio.run(described)),
        "problems": {f"{TYPE_PREFIX}{kind.slug}": str(kind.status) for kind in KINDS},
        "commands": surface.commands(typer.main.get_command(command_line)),
        "exits": {one.name: str(one.value) for one in Exit},
        "settings": surface.settings(ApiSettings),
    }


async def lived() -> dict[str, Any]:
    """Some time of the house: what it told live and in metrics, what it keeps, and what it says of
    that at this moment."""
    world, told, disk = house.building(), dict[str, list[Any]](), MemoryDisk()
    async with house.served(world, disk) as (home, client):
        async with trio.open_nursery() as nursery:
            over = trio.Event()
            nursery.start_soon(house.follow, client, told, over)
            await house.live(home, client, world)
            await trio.sleep(1)
            over.set()
        metrics = await (await client.get("/metrics")).get_data(as_text=True)
        paths = await house.paths(client, world)
        served = {path: await house.ask(client, "GET", path) for path in paths}
        lines, at = lines_of(disk), home.now()
    found = {"live": house.shapes(told), "metrics": surface.metrics(metrics)}
    return found | {"served": served, "lines": lines, "at": at}


def lines_of(disk: MemoryDisk) -> list[list[Any]]:
    """Every record, and every line of a stream."""
    found: list[list[Any]] = []
    for table in Table:
        found += [
            [table.value, one.key, one.at, base64.b64encode(one.value).decode()]
            for one in disk.records(table)
        ]
    for name in disk.streams():
        for entry in disk.entries(name, since=-1e300, until=1e300):
            value = base64.b64encode(entry.value).decode()
            found.append(["stream", name, entry.entry, entry.at, value])
    return found


def main(version: str) -> None:
    """Write the files of this version."""
    with structlog.testing.capture_logs():
        told = in_virtual_time(lived)
        found = seen() | {"live": told["live"], "metrics": told["metrics"]}
    surface_file = DATA / f"surface-{version}.json"
    surface_file.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    packed = "".join(json.dumps(line) + "\n" for line in told["lines"]).encode()
    (DATA / f"store-{version}.jsonl.gz").write_bytes(gzip.compress(packed, mtime=0))
    served = json.dumps({"at": told["at"], "served": told["served"]}).encode()
    (DATA / f"served-{version}.json.gz").write_bytes(gzip.compress(served, mtime=0))


if __name__ == "__main__":
    main(sys.argv[1])
