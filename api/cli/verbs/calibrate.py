"""`lamplighter calibrate`: measure how soon lights answer and how long forwarders wait.

It says before what it sends and what that costs, and asks; then it follows the run and shows what
was found. The service keeps it.
"""

import sys
from typing import Annotated, Any

import typer
from rich.console import Console

from api.cli import names
from api.cli.client.errors import ClientError, Mistaken
from api.cli.client.http import Client
from api.cli.client.place import DEFAULT_AT, Place
from api.cli.completion import complete_gateway
from api.cli.console import console, print_json
from api.cli.exits import Exit
from api.cli.options import AsJson, At, DevEuis, Token, place, run
from api.cli.show import calibration as words

LOOK_S = 1.0
PATH = "/calibrations"


def calibrate(
    dev_euis: DevEuis = None,
    software: Annotated[
        list[str] | None,
        typer.Option("--software", metavar="N.N", help="This software revision, known or not."),
    ] = None,
    gateway: Annotated[
        list[str] | None,
        typer.Option(
            "--gateway",
            metavar="GATEWAY",
            help="This gateway (its name or id), known or not.",
            autocompletion=complete_gateway,
        ),
    ] = None,
    lights: Annotated[
        int, typer.Option("--lights", min=1, max=20, help="Probes for each of them.")
    ] = 5,
    again: Annotated[bool, typer.Option("--again", help="Also what is known already.")] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what it would send, and send nothing.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    show: Annotated[
        bool, typer.Option("--show", help="Only what is known, and what is not.")
    ] = False,
    at: At = DEFAULT_AT,
    token: Token = None,
    as_json: AsJson = False,
) -> None:
    """Measure how soon lights answer and how long gateways' forwarders wait."""
    if dev_euis and (software or gateway or again):
        raise typer.BadParameter("name lights, or what to find out, not both")
    if show and (dry_run or yes or dev_euis or software or gateway or again):
        raise typer.BadParameter("--show goes with nothing else")
    body: dict[str, Any] = {"lights": lights, "again": again}
    raise run(
        _calibrate,
        place(at, token),
        body,
        {"dev_euis": dev_euis or [], "software": software or [], "gateway_ids": gateway or []},
        "show" if show else "plan" if dry_run else "run" if yes else "ask",
        as_json,
    )


async def _calibrate(
    where: Place, body: dict[str, Any], chosen: dict[str, list[str]], mode: str, as_json: bool
) -> Exit:
    out = console()
    if mode == "show":
        async with Client(where) as client:
            return _shown(out, await client.get(PATH), client.now(), as_json)
    body["sw_revs"] = [_read_software(text) for text in chosen["software"]]
    async with Client(where) as client:
        body["dev_euis"] = await names.lights(client, chosen["dev_euis"])
        body["gateway_ids"] = [await names.gateway(client, one) for one in chosen["gateway_ids"]]
        body = {field: value for field, value in body.items() if value not in ([], False)}
        plan = (await client.ask("POST", f"{PATH}/plan", body=body)).body
        if mode == "plan":
            _plan_shown(out, plan, as_json)
            return Exit.OK
        if not plan["lights"]:
            if as_json:
                print_json(plan)
            else:
                words.tell_plan(out, plan)
            return Exit.FAILED if plan["left_out"] else Exit.OK
        if not as_json:
            words.tell_plan(out, plan)
        if mode == "ask" and not _agreed(out, as_json):
            out.print("Nothing was sent.")
            return Exit.OK
        begun = (await client.ask("POST", PATH, body=body)).body
        found = await _follow(client, out, begun, as_json)
        if as_json:
            print_json(found)
        else:
            words.tell_run(out, found["run"])
            words.tell_known(out, found, client.now())
    return _outcome(found["run"])


def _shown(out: Console, found: dict[str, Any], now: float, as_json: bool) -> Exit:
    if as_json:
        print_json(found)
    else:
        words.tell_known(out, found, now)
    return Exit.OK


def _plan_shown(out: Console, plan: dict[str, Any], as_json: bool) -> None:
    if as_json:
        print_json(plan)
    else:
        words.tell_plan(out, plan)


def _agreed(out: Console, as_json: bool) -> bool:
    """Whether whoever sits there wants it. Without a terminal nobody can say so."""
    if as_json or not (sys.stdin.isatty() and out.is_terminal):
        raise Mistaken("nobody is there to be asked: give --yes, or --dry-run to see the cost")
    return typer.confirm("Send them?")


async def _follow(
    client: Client, out: Console, begun: dict[str, Any], as_json: bool
) -> dict[str, Any]:
    """Until the run is over; what is known then."""
    import trio
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    run_id, found = begun["run"]["id"], begun
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=out, disable=as_json or not out.is_terminal) as progress:
        bar = progress.add_task("probing", total=begun["run"]["total"])
        while found["run"]["state"] == "running":
            progress.update(bar, completed=len(found["run"]["results"]))
            await trio.sleep(LOOK_S)
            found = await client.get(PATH)
            if found["run"] is None or found["run"]["id"] != run_id:
                raise ClientError("the service was started anew meanwhile: the run is over")
        progress.update(bar, completed=len(found["run"]["results"]))
    return found


def _outcome(ended: dict[str, Any]) -> Exit:
    measured = [one["outcome"] == "measured" for one in ended["results"]]
    if ended["state"] == "done" and all(measured):
        return Exit.OK
    return Exit.PARTLY if any(measured) else Exit.FAILED


def _read_software(text: str) -> int:
    """A revision as people write it (6.1) times ten. Raises Mistaken."""
    whole, _, tenth = text.partition(".")
    if whole.isdecimal() and ((tenth.isdecimal() and len(tenth) == 1) or not _):
        number = int(whole) * 10 + int(tenth or 0)
        if number <= 255:
            return number
    raise Mistaken(f"a software revision is written like 6.1, not {text!r}")
