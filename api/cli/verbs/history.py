"""`lamplighter history`: the log of events of a light, and what comes to it.

The live websocket only says when to look: what is shown are the service's own lines.
"""

import re
from datetime import datetime
from typing import Annotated, Any

import typer

from api.cli import names
from api.cli.client.errors import Mistaken
from api.cli.client.http import Client
from api.cli.client.place import DEFAULT_AT, Place
from api.cli.console import console, print_file, print_line
from api.cli.exits import Exit
from api.cli.options import AsCsv, AsJson, At, DevEui, Token, place, run
from api.cli.show import history as show
from api.cli.verbs.lights import gateway_names

LIMIT = 50
LOOK_S = 10.0
"""We look so often even when the websocket says nothing."""
LATE_S = 900.0
"""What an inquiry tells late has its own time, before that of newer lines."""
PAGE = 1_000

_SPAN = re.compile(r"(\d+(?:\.\d+)?)\s*(s|min|m|h|d)")
_SECONDS = {"s": 1.0, "m": 60.0, "min": 60.0, "h": 3_600.0, "d": 86_400.0}


def history(
    device: DevEui,
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Go on with what comes, until Ctrl-C.")
    ] = False,
    kind: Annotated[
        list[str] | None,
        typer.Option("--kind", help="Only this: status, downlink, txack, join, ...; repeatable."),
    ] = None,
    since: Annotated[
        str | None,
        typer.Option("--since", help="From then on: 90 min, 2 h, 7 d, Unix seconds or RFC 3339."),
    ] = None,
    until: Annotated[str | None, typer.Option("--until", help="Before then, likewise.")] = None,
    limit: Annotated[
        int, typer.Option("--limit", min=1, max=10_000, help="So many of the newest at most.")
    ] = LIMIT,
    at: At = DEFAULT_AT,
    token: Token = None,
    as_json: AsJson = False,
    as_csv: AsCsv = False,
) -> None:
    """Show the log of events of a light, the newest last: what it said, was sent, and refused."""
    if as_csv and (follow or as_json):
        raise typer.BadParameter("--csv goes neither with --follow nor with --json")
    if follow and until is not None:
        raise typer.BadParameter("what is followed has no end: --until goes without --follow")
    query = {"kind": kind, "since": since, "until": until}
    code = run(_history, place(at, token), device, query, limit, follow, as_json, as_csv)
    raise typer.Exit(0) if follow and code.exit_code == Exit.INTERRUPTED else code


async def _history(
    where: Place,
    text: str,
    query: dict[str, Any],
    limit: int,
    follow: bool,
    as_json: bool,
    as_csv: bool,
) -> Exit:
    async with Client(where) as client:
        dev_eui = await names.light(client, text)
        for name in ("since", "until"):
            query[name] = await _time(client, name, query[name])
        path = f"/devices/{dev_eui}/events"
        if as_csv:
            print_file(await client.get_file(path, query | {"limit": limit, "format": "csv"}))
            return Exit.OK
        told = _Told(client, path, query, {} if as_json else await gateway_names(client), as_json)
        await told.first(limit)
        if follow:
            await _follow(where, dev_eui, told)
    return Exit.OK


class _Told:
    """Tells each line once."""

    def __init__(
        self,
        client: Client,
        path: str,
        query: dict[str, Any],
        gateways: dict[str, str],
        as_json: bool,
    ) -> None:
        self._client = client
        self._path = path
        self._query = query
        self._gateways = gateways
        self._as_json = as_json
        self._out = console()
        self._seen: dict[str, float] = {}
        """Ids of lines by their times, of the newest quarter of an hour: a light writes some 20
        lines a minute at the very most."""
        self._newest = 0.0

    async def first(self, limit: int) -> None:
        """The newest that there are."""
        found: list[dict[str, Any]] = []
        until = self._query["until"]
        while len(found) < limit:
            asked = {"limit": min(PAGE, limit - len(found)), "until": until}
            page = await self._client.get(self._path, self._query | asked)
            found += page["events"]
            until = page["next_until"]
            if until is None:
                break
        self._newest = found[0]["at"] if found else self._client.now()
        self._tell(found)

    async def new(self) -> None:
        """What came since, and what is told late."""
        asked = {"since": max(0.0, self._newest - LATE_S), "limit": PAGE}
        page = await self._client.get(self._path, self._query | asked)
        fresh = [one for one in page["events"] if one["entry"] not in self._seen]
        if page["events"]:
            self._newest = max(self._newest, page["events"][0]["at"])
        self._seen = {e: at for e, at in self._seen.items() if at >= self._newest - LATE_S}
        self._tell(fresh)

    def _tell(self, newest_first: list[dict[str, Any]]) -> None:
        for event in reversed(newest_first):
            self._seen[event["entry"]] = event["at"]
            if self._as_json:
                print_line(event)
            else:
                self._out.print(show.line(event, self._gateways), soft_wrap=True)


async def _follow(where: Place, dev_eui: str, told: _Told) -> None:
    import trio

    from api.cli.client.live import Follower, Lost, Message, listen

    follower = Follower(where, kinds=["device", "command"], dev_euis=[dev_eui])
    send, news = trio.open_memory_channel[Message | Lost](64)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(listen, follower, send)
        while True:
            with trio.move_on_after(LOOK_S):
                await news.receive()
            while news.statistics().current_buffer_used:
                news.receive_nowait()
            await told.new()


async def _time(client: Client, name: str, text: str | None) -> float | None:
    """Unix seconds of what the person wrote; a span is so long ago by the service's clock."""
    if text is None:
        return None
    if span := _SPAN.fullmatch(text.strip()):
        now = float((await client.get("/clock"))["now"])
        return max(0.0, now - float(span[1]) * _SECONDS[span[2]])
    try:
        return float(text)
    except ValueError:
        pass
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise Mistaken(f"--{name}: {text!r} is no time such as 2h, 7d, 2025-01-31T12:00") from None
    return moment.astimezone().timestamp()
