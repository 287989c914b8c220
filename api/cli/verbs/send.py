"""`lamplighter send`: set a colour, and show each step until the verdict.

The command is stored before anything is shown, so that Ctrl-C does not affect it. The live
websocket only says when to look; what is shown is the service's own timeline.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from actors.plain_text import one_line
from api.cli import names
from api.cli.client.errors import Mistaken
from api.cli.client.http import Client
from api.cli.client.place import DEFAULT_AT, Place
from api.cli.console import console, errors, print_json
from api.cli.exits import Exit
from api.cli.options import AsJson, At, DevEui, Token, place, run
from api.cli.show.colours import parse_blink, parse_colour, words
from api.cli.show.device import step_line
from api.cli.verbs.lights import gateway_names

if TYPE_CHECKING:
    import trio

LOOK_S = 5.0
"""We look so often even when the websocket says nothing."""
TTL_MOST_S = 7 * 86_400.0

Colour = Annotated[str, typer.Argument(metavar="COLOUR", help="red, green, off, ... or #rrggbb.")]
Blink = Annotated[
    str | None, typer.Option("--blink", metavar="ON/OFF", help="Lit and dark, in 1/100 s: 50/50.")
]
Ttl = Annotated[
    float | None,
    typer.Option(
        "--ttl", min=0.001, max=TTL_MOST_S, help="Seconds it is pursued; 24 h by default."
    ),
]
NoKeep = Annotated[
    bool, typer.Option("--no-keep", help="Do not bring it back to this after a drift.")
]


def send(
    dev_eui: DevEui,
    colour: Colour,
    blink: Blink = None,
    wait: Annotated[
        float,
        typer.Option("--wait", min=0.0, max=86_400.0, help="Seconds to wait for the verdict."),
    ] = 120.0,
    no_wait: Annotated[bool, typer.Option("--no-wait", help="Only store the command.")] = False,
    patient: Annotated[
        bool, typer.Option("--patient", help="Wait on while it is held or overdue.")
    ] = False,
    ttl: Ttl = None,
    no_keep: NoKeep = False,
    idempotency_key: Annotated[
        str | None, typer.Option("--idempotency-key", help="Makes a repetition harmless.")
    ] = None,
    at: At = DEFAULT_AT,
    token: Token = None,
    as_json: AsJson = False,
) -> None:
    """Set the colour of a light and wait until the light itself confirms it."""
    where = place(at, token)
    body = order(colour, blink, ttl, no_keep)
    wait_s = 0.0 if no_wait else wait
    raise run(_send, where, dev_eui, body, idempotency_key, wait_s, patient, as_json)


def order(colour: str, blink: str | None, ttl: float | None, no_keep: bool) -> dict[str, Any]:
    """The body of a command; ends with exit code 2 for what is no colour or blink time."""
    try:
        red, green, blue = parse_colour(colour)
        on, off = parse_blink(blink) if blink is not None else (255, 0)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
    body: dict[str, Any] = {"red": red, "green": green, "blue": blue, "on": on, "off": off}
    body["keep"] = not no_keep
    return body if ttl is None else body | {"ttl_s": ttl}


def verdict(command: Mapping[str, Any]) -> Exit:
    """What a command's state means for a script."""
    final = {
        "verified": Exit.OK,
        "superseded": Exit.SUPERSEDED,
        "expired": Exit.EXPIRED,
        "rejected": Exit.REJECTED,
        "withdrawn": Exit.WITHDRAWN,
    }
    status = command["status"]
    if status in final:
        return final[status]
    if command["overdue"]:
        return Exit.OVERDUE
    return Exit.HELD if status == "held" else Exit.UNVERIFIED


async def _send(
    where: Place,
    text: str,
    body: dict[str, Any],
    key: str | None,
    wait_s: float,
    patient: bool,
    as_json: bool,
) -> Exit:
    if key is not None and not (key.isascii() and key.isprintable() and 0 < len(key) <= 255):
        raise Mistaken("--idempotency-key: 1 to 255 printable ASCII characters")
    async with Client(where) as client:
        dev_eui = await names.light(client, text)
        answer = await client.ask(
            "POST",
            f"/downlink/{dev_eui}",
            body=body | {"wait_for_verification": False},
            headers={"Idempotency-Key": key} if key is not None else {},
        )
        command = answer.body
        telling = _Telling(command, {} if as_json else await gateway_names(client), as_json)
        if answer.replayed:
            errors.print("The idempotency key is known: this is the earlier command.")
        telling.tell(command)
        if wait_s > 0:
            command = await _until_verdict(client, command, wait_s, patient, telling)
    if as_json:
        print_json(command)
    else:
        telling.end(command, waited=wait_s > 0)
    code = verdict(command)
    return Exit.OK if wait_s == 0 and code is Exit.UNVERIFIED else code


class _Telling:
    """Shows each step once."""

    def __init__(self, command: Mapping[str, Any], names: Mapping[str, str], quiet: bool) -> None:
        self._out = console()
        self._names = names
        self._told = 0
        self._quiet = quiet
        if not quiet:
            light = words(command["light"])
            self._out.print(
                f"{command['dev_eui']} shall show {light}  (command {command['id']})",
                soft_wrap=True,
            )

    def tell(self, command: Mapping[str, Any]) -> None:
        """What is new in the timeline."""
        omitted = command["steps_omitted"]
        timeline = command["timeline"]
        new = max(0, omitted + len(timeline) - self._told)
        self._told = omitted + len(timeline)
        if not self._quiet and new:
            for step in timeline[-new:]:
                self._out.print(
                    step_line(step, command["accepted_at"], self._names), soft_wrap=True
                )

    def end(self, command: Mapping[str, Any], *, waited: bool) -> None:
        """The verdict in one line."""
        reason = f": {one_line(command['reason'])}" if command["reason"] else ""
        follow = (
            f"It is still pursued; `lamplighter device {command['dev_eui']}` shows how it goes."
        )
        said = {
            Exit.OK: "[green]✓ Verified:[/] the light itself reports this colour.",
            Exit.UNVERIFIED: f"Not verified yet. {follow}" if waited else f"Stored. {follow}",
            Exit.OVERDUE: f"[yellow]‖ Overdue:[/] the timed attempts brought no proof. {follow}",
            Exit.WITHDRAWN: "[yellow]Withdrawn:[/] somebody took the command back.",
            Exit.SUPERSEDED: "[yellow]Superseded:[/] a newer command took its place.",
        }
        code = verdict(command)
        if code in said:
            self._out.print(said[code], soft_wrap=True)
        elif code is Exit.HELD:
            self._out.print(
                f"‖ Held{reason}. {follow}", style="yellow", markup=False, soft_wrap=True
            )
        else:
            text = f"✗ {str(command['status']).capitalize()}{reason}"
            self._out.print(text, style="red", markup=False, soft_wrap=True)


async def _until_verdict(
    client: Client, command: dict[str, Any], wait_s: float, patient: bool, telling: _Telling
) -> dict[str, Any]:
    """Look whenever something happened, until there is a verdict or the time is over."""
    import trio

    from api.cli.client.live import Follower, Lost, Message, listen

    def over() -> bool:
        code = verdict(command)
        waits = code in {Exit.HELD, Exit.OVERDUE} and patient
        return not (code is Exit.UNVERIFIED or waits)

    follower = Follower(client.place, kinds=["command"], dev_euis=[command["dev_eui"]])
    send, news = trio.open_memory_channel[Message | Lost](64)
    with trio.move_on_after(wait_s):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(listen, follower, send)
            while not over():
                with trio.move_on_after(LOOK_S):
                    await news.receive()
                while _more(news):
                    pass
                command = await client.get(f"/commands/{command['id']}")
                telling.tell(command)
            nursery.cancel_scope.cancel()
    return command


def _more(news: "trio.MemoryReceiveChannel[Any]") -> bool:
    import trio

    try:
        news.receive_nowait()
    except (trio.WouldBlock, trio.EndOfChannel):
        return False
    return True
