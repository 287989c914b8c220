"""`lamplighter initialize`: send lights their settings again, with progress.

Several lights are begun a few at a time, because the service takes at most 20 runs at once.
"""

from typing import Annotated, Any

import typer

from api.cli import names
from api.cli.client.http import Client
from api.cli.client.place import DEFAULT_AT, Place
from api.cli.console import console, print_json
from api.cli.exits import Exit
from api.cli.options import AsJson, At, DevEuis, Token, place, run

TOGETHER = 10
LOOK_S = 1.0


def initialize(
    dev_euis: DevEuis = None,
    everything: Annotated[bool, typer.Option("--all", help="Every light.")] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Also where this session has its settings already.")
    ] = False,
    wait: Annotated[
        float, typer.Option("--wait", min=0.0, help="Seconds to wait for the end.")
    ] = 3_600.0,
    at: At = DEFAULT_AT,
    token: Token = None,
    as_json: AsJson = False,
) -> None:
    """Send lights their settings again (automatic uplinks, status interval)."""
    if everything == bool(dev_euis):
        raise typer.BadParameter("name lights, or give --all")
    raise run(_initialize, place(at, token), dev_euis or [], force, wait, as_json)


async def _initialize(
    where: Place, texts: list[str], force: bool, wait_s: float, as_json: bool
) -> Exit:
    import trio
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    runs: list[dict[str, Any]] = []
    out = console()
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    async with Client(where) as client:
        dev_euis = await names.lights(client, texts)
        paths = [f"/devices/{one}/initialize" for one in dev_euis] or ["/devices/initialize"]
        with Progress(*columns, console=out, disable=as_json or not out.is_terminal) as progress:
            bar = progress.add_task("settings", total=None)
            with trio.move_on_after(wait_s or 1e-9) if wait_s else trio.CancelScope():
                for start in range(0, len(paths), TOGETHER):
                    begun = [
                        (await client.ask("POST", path, body={"force": force})).body
                        for path in paths[start : start + TOGETHER]
                    ]
                    first = len(runs)
                    runs += begun
                    while wait_s and any(each["ended_at"] is None for each in runs[first:]):
                        await trio.sleep(LOOK_S)
                        for index in range(first, len(runs)):
                            path = f"/devices/initialize/{runs[index]['id']}"
                            runs[index] = await client.get(path)
                        total = max(len(paths), _sum(runs, "total"))
                        done = _sum(runs, "done") + _sum(runs, "skipped") + _sum(runs, "failed")
                        progress.update(bar, total=total, completed=done)
    if as_json:
        print_json({"runs": runs})
    else:
        told = [f"{_sum(runs, name)} {name}" for name in ("done", "skipped", "failed")]
        out.print(f"{_sum(runs, 'total')} lights: {', '.join(told)}")
    if _sum(runs, "failed"):
        return Exit.PARTLY
    ended = len(runs) == len(paths) and all(each["ended_at"] is not None for each in runs)
    if not ended and wait_s:
        return Exit.UNVERIFIED
    return Exit.OK


def _sum(runs: list[dict[str, Any]], name: str) -> int:
    return sum(int(each[name]) for each in runs)
