"""`lamplighter watch`: the fleet as it changes, over the live websocket.

Only what the service said is drawn. While the connection is lost the screen says so, so that
nothing old is taken for new.
"""

from collections import deque
from collections.abc import Mapping
from contextlib import aclosing
from typing import TYPE_CHECKING, Any

import typer
from rich.console import Group, RenderableType
from rich.text import Text

from actors.plain_text import one_line, plainly
from api.cli import names
from api.cli.client.http import Client
from api.cli.client.place import DEFAULT_AT, Place
from api.cli.console import console, errors, print_line
from api.cli.exits import Exit
from api.cli.options import AsJson, At, DevEuis, Token, place, run
from api.cli.show import states, tables
from api.cli.show.times import clock

if TYPE_CHECKING:
    import trio

    from api.cli.client.live import Lost, Message

DRAW_S = 0.25
"""Four pictures a second: enough for eyes, little for a slow line."""
NEWS_KEPT = 5
CHROME_LINES = 13
"""Lines that are not lights: head, headings, counts and news."""


def watch(
    dev_euis: DevEuis = None,
    at: At = DEFAULT_AT,
    token: Token = None,
    as_json: AsJson = False,
) -> None:
    """Watch the fleet live, the troubled lights first. Ends with Ctrl-C."""
    code = run(_watch, place(at, token), dev_euis or [], as_json)
    raise typer.Exit(0) if code.exit_code == Exit.INTERRUPTED else code


class Picture:
    """What is known of the fleet, fed by the messages."""

    def __init__(self) -> None:
        self.devices: dict[str, dict[str, Any]] = {}
        self.gateways: dict[str, dict[str, Any]] = {}
        self.alerts: dict[str, dict[str, Any]] = {}
        self.news: deque[Text] = deque(maxlen=NEWS_KEPT)
        self.link = "connecting"
        self._at = 0.0
        self._seen = 0.0

    def now(self) -> float:
        """The service's time."""
        import trio

        return self._at + trio.current_time() - self._seen

    def take(self, message: "Message | Lost") -> None:
        """Note what came."""
        import trio

        from api.cli.client.live import Lost

        if isinstance(message, Lost):
            self.link = f"connection lost: {one_line(message.reason)}; trying again"
            return
        body = plainly(message.body)
        if message.kind == "hello":
            self.link = "live"
        if "at" in body:
            self._at, self._seen = float(body["at"]), trio.current_time()
        if message.kind == "snapshot":
            if body["part"] == 1:
                self.devices.clear()
                self.gateways = {each["gateway_id"]: each for each in body["gateways"]}
                self.alerts = {each["id"]: each for each in body["alerts"]}
            self.devices.update((each["dev_eui"], each) for each in body["devices"])
        for change in body.get("changes", ()) if message.kind == "changes" else ():
            self._at, self._seen = float(change["at"]), trio.current_time()
            self._change(change)

    def _change(self, change: Mapping[str, Any]) -> None:
        what = change["what"]
        line = describe(change, self.devices, self.gateways)
        match change["kind"]:
            case "device":
                self.devices[what["dev_eui"]] = what
            case "removed":
                self.devices.pop(what["dev_eui"], None)
            case "gateway":
                self.gateways[what["gateway_id"]] = what
            case "alert":
                self.alerts[what["id"]] = what
            case _:
                pass  # commands are told, not kept; actors are seen in their light
        if line is not None:
            self.news.append(Text(f"{clock(change['at'])}  ", style="dim") + Text(line))

    @property
    def names(self) -> dict[str, str]:
        """The gateways' names by id."""
        return {key: each["name"] for key, each in self.gateways.items()}

    def draw(self, where: Place, lines: int) -> RenderableType:
        """The whole picture in so many lines."""
        devices = sorted(self.devices.values(), key=lambda each: states.sort_key(each, "state"))
        room = max(3, lines - CHROME_LINES)
        online = sum(each["online"] for each in self.gateways.values())
        opened = sum(each["open"] for each in self.alerts.values())
        head = Text(f"Lamplighter {where.at}  ", style="bold")
        head += Text(self.link, style="green" if self.link == "live" else "bold red")
        counts = [
            (kind, sum(states.kind_of(each) == kind for each in devices)) for kind in states.ORDER
        ]
        told = Text("  ").join(
            Text(f"{states.MARKS[k]} {n} {k}", style=states.STYLES[k]) for k, n in counts if n
        )
        told += Text(
            f"   {online} of {len(self.gateways)} gateways online, {opened} open alerts",
            style="red" if opened else "default",
        )
        rest = len(devices) - room
        more = Text(f"... and {rest} more" if rest > 0 else "", style="dim")
        table = tables.lights(devices[:room], self.now(), self.names)
        return Group(head, told, table, more, *self.news)


def describe(
    change: Mapping[str, Any],
    devices: Mapping[str, Mapping[str, Any]],
    gateways: Mapping[str, Mapping[str, Any]],
) -> str | None:
    """A change in words; None where it says nothing that a person would miss."""
    what = change["what"]
    names = {key: str(each["name"]) for key, each in gateways.items()}
    match change["kind"]:
        case "command":
            if what["step"] is None:
                return None
            name = devices.get(what["dev_eui"], {}).get("name") or what["dev_eui"]
            return f"{name}: {states.step_words(what['step'], names)}"
        case "removed":
            return f"{what['name'] or what['dev_eui']}: removed, {what['why']}"
        case "device":
            before = devices.get(what["dev_eui"])
            name = what["name"] or what["dev_eui"]
            if before is None:
                return f"{name}: new"
            if before["reported"] != what["reported"]:
                return f"{name}: {states.why(what, names, change['at'])}"
            if before["reachability"] != what["reachability"]:
                told = states.unreached(what, names, change["at"]) or "It is not heard yet."
                return f"{name}: {'It can be reached again.' if what['reachable'] else told}"
            if states.state(before) != states.state(what):
                return f"{name}: {states.state(what)}"
            return None
        case "gateway" if what["online"] != gateways.get(what["gateway_id"], {}).get("online"):
            return f"gateway {what['name'] or what['gateway_id']}: " + (
                "online" if what["online"] else "offline"
            )
        case "alert":
            return f"alert {'opened' if what['open'] else 'closed'}: {what['summary']}"
        case _:
            return None


async def _watch(where: Place, texts: list[str], as_json: bool) -> Exit:
    import trio

    from api.cli.client.live import Follower, Lost, Message

    async with Client(where) as client:
        follower = Follower(where, dev_euis=await names.lights(client, texts))
    send, news = trio.open_memory_channel[Message | Lost](100)
    async with trio.open_nursery() as nursery, aclosing(news):
        nursery.start_soon(follower.run, send)
        out = console()
        if as_json:
            await _tell_json(news)
        elif out.is_terminal:
            await _draw(where, news)
        else:
            await _tell(news)
    return Exit.OK


async def _tell_json(news: "trio.MemoryReceiveChannel[Message | Lost]") -> None:
    from api.cli.client.live import Lost

    async for message in news:
        if isinstance(message, Lost):
            errors.print(f"connection lost: {one_line(message.reason)}", markup=False)
        elif message.kind == "changes":
            for change in message.body["changes"]:
                print_line(change)


async def _tell(news: "trio.MemoryReceiveChannel[Message | Lost]") -> None:
    """Not on a terminal: one line a change."""
    from api.cli.client.live import Lost

    picture, out = Picture(), console()
    async for message in news:
        picture.take(message)
        if isinstance(message, Lost):
            errors.print(picture.link, markup=False)
        while picture.news:
            out.print(picture.news.popleft(), soft_wrap=True)


async def _draw(where: Place, news: "trio.MemoryReceiveChannel[Message | Lost]") -> None:
    import trio
    from rich.live import Live

    picture, out = Picture(), console()
    with Live(console=out, screen=True, auto_refresh=False) as screen:
        while True:
            with trio.move_on_after(1.0):
                picture.take(await news.receive())
                with trio.move_on_after(DRAW_S):
                    while True:
                        picture.take(await news.receive())
            screen.update(picture.draw(where, out.height), refresh=True)
