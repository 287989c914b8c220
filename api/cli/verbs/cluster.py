"""`lamplighter cluster`: which processes serve the fleet, and who owns which part of it."""

from itertools import islice
from typing import Annotated

import typer

from api.cli.client.errors import ClientError, Refused
from api.cli.client.http import Client
from api.cli.client.place import DEFAULT_AT, Place
from api.cli.console import console, print_json
from api.cli.exits import Exit
from api.cli.options import AsJson, At, Token, place, run

MOVES = 10


def cluster(
    shards: Annotated[bool, typer.Option("--shards", help="Every shard with its owner.")] = False,
    moves: Annotated[
        int, typer.Option("--moves", min=0, max=200, help="So many lines of the newest moves.")
    ] = MOVES,
    at: At = DEFAULT_AT,
    token: Token = None,
    as_json: AsJson = False,
) -> None:
    """Show which processes serve the fleet, and how its parts moved between them."""
    raise run(_cluster, place(at, token), shards, moves, as_json)


async def _cluster(where: Place, shards: bool, moves: int, as_json: bool) -> Exit:
    from api.cli.show import cluster as show

    async with Client(where) as client:
        try:
            found = await client.get("/cluster")
        except Refused as error:
            if error.slug == "not-found":
                raise ClientError("this service runs alone; it is older") from error
            raise
        if as_json:
            print_json(found)
            return Exit.OK
        out, now = console(), client.now()
        out.print(show.members(found, now))
        if shards and found["shards"]:
            out.print(show.shards(found, now))
        for line in (*show.in_short(found), *islice(show.moves(found["moves"]), moves)):
            out.print(line)
    return Exit.OK
