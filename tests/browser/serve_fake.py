"""The real web over a house that is played: an office with lights in every state.

A browser's driver is synchronous, so the service runs in a thread of its own, where it can be
stopped and started again. To look at the page by hand: `python -m tests.browser.serve_fake 8099`.
"""

import signal
import sys
import threading
from collections.abc import Callable
from typing import Any, Self, TypeVar

import msgspec
import trio
from quart import Blueprint, Response

from actors.board.changes import ActorView, AlertView, GatewayView
from actors.device.model import (
    Command,
    CommandStatus,
    Device,
    Hearing,
    Phase,
    Step,
    StepKind,
    Wanted,
)
from actors.surface import Accepted, Refusal
from api.app import create_app
from api.settings import ApiSettings, ChirpStack
from api.web import WebActor
from lorawan.kuando.light import AFTER_JOIN, Light
from tests.support.fake_house import NOW, FakeHouse, a_light

ROOF, HALL, YARD = "0016c001f153a14c", "0016c001f153a14d", "0016c001f153a14e"
RED, GREEN, BLUE = Light(255, 0, 0), Light(0, 255, 0), Light(0, 0, 255)
YELLOW, VIOLET, DARK = Light(255, 190, 0), Light(150, 0, 255), Light(0, 0, 0)
BLINKING = Light(255, 0, 0, 100, 100)
PATIENCE_S = 15.0
"""Three times what the service takes to start or stop on a busy machine."""

T = TypeVar("T")


def eui(number: int) -> str:
    """The DevEUI of the light of this number."""
    return f"202020390729{number:04x}"


def light(number: int, name: str, shown: Light, **changes: Any) -> Device:
    """A light that shows this, as wanted."""
    device = a_light(eui(number), name=name)
    assert device.report is not None
    report = msgspec.structs.replace(device.report, light=shown)
    wanted = Wanted(shown, "cmd-0", NOW - 700)
    return msgspec.structs.replace(device, **{"report": report, "wanted": wanted, **changes})


def order(number: int, wanted: Light, status: CommandStatus, *steps: Step, **changes: Any) -> Command:
    """An order under way for the light of this number."""
    accepted = Step(NOW - 95, StepKind.ACCEPTED)
    command = Command(
        id=f"order-{number}",
        dev_eui=eui(number),
        light=wanted,
        keep=True,
        accepted_at=NOW - 95,
        expires_at=NOW + 86_000,
        status=status,
        timeline=(accepted, *steps),
    )
    return msgspec.structs.replace(command, **changes)


def pursued(command: Command, name: str, shown: Light, phase: Phase, **changes: Any) -> Device:
    """The light that this order is for."""
    number = int(command.dev_eui[-4:], 16)
    wanted = Wanted(command.light, command.id, command.accepted_at)
    return light(number, name, shown, phase=phase, command=command, wanted=wanted, **changes)


def office() -> list[Device | GatewayView | AlertView | ActorView]:
    """Lights in every state, three gateways of which one is away, and the alerts of that."""
    away = (Hearing(YARD, NOW - 400, -118, -9.0, 3.5, latest=True, online=False),)
    held = "every gateway that hears this light is offline: Yard (since 08:46 UTC)"
    waiting = order(
        20, VIOLET, CommandStatus.HELD, Step(NOW - 94, StepKind.HELD, 4, reason=held), reason=held
    )
    sent = order(
        21,
        BLUE,
        CommandStatus.TRANSMITTED,
        Step(NOW - 92, StepKind.QUEUED, 9),
        Step(NOW - 60, StepKind.TRANSMITTED, 9, ROOF),
        Step(NOW - 30, StepKind.UNPROVEN, 9, reason="the light did not answer"),
        Step(NOW - 9, StepKind.QUEUED, 10),
        Step(NOW - 7, StepKind.TRANSMITTED, 10, HALL),
    )
    lost = order(22, RED, CommandStatus.TRANSMITTED, attempts=3, overdue=True)
    rejoined = light(23, "Reception", AFTER_JOIN, wanted=Wanted(RED, "cmd-0", NOW - 5_000))
    joined = {"session": None, "report": None, "phase": Phase.UNINITIALIZED}
    lights = [
        light(1, "Desk 1", GREEN),
        light(2, "Desk 2", RED),
        light(3, "Desk 10", BLINKING),
        light(4, "Meeting room Turing", YELLOW),
        light(5, "Meeting room Hopper", GREEN),
        light(6, "Quiet room", VIOLET),
        light(7, "Workshop", Light(255, 96, 0)),
        light(8, "Laboratory", BLUE),
        light(9, "Server room", Light(0, 220, 255, 32, 160)),
        light(10, "Canteen", Light(255, 255, 255)),
        light(11, "Archive", DARK),
        light(12, "Stairs", AFTER_JOIN, wanted=None),
        pursued(waiting, "Loading dock with a rather long name", GREEN, Phase.AWAITING_VERIFY, hearings=away),
        pursued(sent, "Desk 3", GREEN, Phase.AWAITING_VERIFY),
        pursued(lost, "Gate", AFTER_JOIN, Phase.FAILED, last_error="no proof after 3 attempts"),
        msgspec.structs.replace(rejoined, phase=Phase.INITIALIZING),
        light(24, "Post room", GREEN, wanted=Wanted(BLUE, "cmd-0", NOW - 90), phase=Phase.RETRYING),
        light(25, "Spare", GREEN, wanted=None, **joined),
    ]
    return [
        *lights,
        GatewayView(ROOF, "Roof", since=NOW - 90_000, heard_at=NOW - 60, airtime_used_s=41.2, airtime_budget_s=360.0, pending=1),
        GatewayView(HALL, "Hall", since=NOW - 90_000, heard_at=NOW - 20, airtime_used_s=337.0, airtime_budget_s=360.0),
        GatewayView(YARD, "Yard", online=False, since=NOW - 460, heard_at=NOW - 500, airtime_used_s=3.1, airtime_budget_s=360.0, pending=2),
        AlertView("alert-1", "gateway_offline", YARD, "gateway Yard is offline", NOW - 430, NOW - 430),
        AlertView("alert-2", "light_failed", eui(22), "Gate does not show its colour: no proof after 3 attempts", NOW - 120, NOW - 60, 1),
    ]


class PlayedHouse(FakeHouse):
    """A fake house whose lights can be made to do things."""

    def __init__(self, boot: str = "boot-1") -> None:
        super().__init__(lights=0)
        self.board.boot = boot
        for subject in office():
            self.board.publish(subject)
            command = getattr(subject, "command", None)
            if command is not None:
                self.commands[command.id] = command

    async def command(self, dev_eui: str, light: Light, **options: Any) -> Accepted | Refusal:
        """As before; the light then wants it."""
        taken = await super().command(dev_eui, light, **options)
        if isinstance(taken, Accepted):
            wanted = Wanted(light, taken.command.id, self.now(), options["keep"])
            self.change(
                dev_eui, wanted=wanted, command=taken.command, phase=Phase.AWAITING_VERIFY
            )
        return taken

    def change(self, dev_eui: str, **changes: Any) -> None:
        """The light is otherwise from now on."""
        self.board.publish(msgspec.structs.replace(self.board.devices[dev_eui], **changes))

    def shows(self, dev_eui: str, shown: Light) -> None:
        """The light reports this; an order for it is verified."""
        device = self.board.devices[dev_eui]
        assert device.report is not None
        report = msgspec.structs.replace(device.report, light=shown, at=self.now())
        wanted, command = device.wanted, device.command
        if command is not None and command.light == shown:
            self.step(command.id, CommandStatus.VERIFIED)
        proven = wanted is not None and wanted.light == shown
        settled = {"phase": Phase.IDLE, "command": None} if proven else {}
        self.change(dev_eui, report=report, **settled)

    def switch(self, gateway_id: str, *, online: bool) -> None:
        """The gateway comes or goes."""
        gateway = self.board.gateways[gateway_id]
        self.board.publish(msgspec.structs.replace(gateway, online=online, since=self.now()))


def demonstration(house: PlayedHouse) -> Blueprint:
    """The routes of the demonstration, as far as the page uses them."""
    blueprint = Blueprint("demo", __name__)

    @blueprint.get("/demo/state")
    async def state() -> Response:
        return Response("{}", content_type="application/json")

    @blueprint.post("/demo/gateways/<gateway_id>/<what>")
    async def switch(gateway_id: str, what: str) -> Response:
        house.switch(gateway_id, online=what == "start")
        return Response("{}", content_type="application/json")

    return blueprint


class PlayedService:
    """The web over a played house, in a thread. A context manager; `port` 0 takes a free one."""

    def __init__(
        self, house: PlayedHouse, *, port: int = 0, demo: bool = True, **web: object
    ) -> None:
        self.house = house
        self.port = port
        self._web = web
        self._demo = demo
        self._ready = threading.Event()
        self._token: trio.lowlevel.TrioToken | None = None
        self._scope = trio.CancelScope()
        self._thread = threading.Thread(target=self._run, name="played service")

    @property
    def url(self) -> str:
        """Where its pages are."""
        return f"http://127.0.0.1:{self.port}/"

    def call(self, what: Callable[..., T], *args: Any, **options: Any) -> T:
        """Call it in the thread of the service."""
        return trio.from_thread.run_sync(lambda: what(*args, **options), trio_token=self._token)

    def __enter__(self) -> Self:
        self._thread.start()
        if not self._ready.wait(PATIENCE_S):
            raise RuntimeError("the service does not start")
        return self

    def __exit__(self, *_: object) -> None:
        if self._thread.is_alive():
            self.call(self._scope.cancel, reason="the test is over")
        self._thread.join(PATIENCE_S)

    def _run(self) -> None:
        trio.run(self._serve)

    async def _serve(self) -> None:
        settings = ApiSettings(
            chirpstack=ChirpStack(target="localhost:8080", api_key="unused"),
            web={"port": self.port, "handler_s": 2.0, "graceful_s": 2.5, "unread_s": 1.0, **self._web},
        )
        extra = [demonstration(self.house)] if self._demo else []
        actor = WebActor(create_app(self.house, settings, extra=extra), settings.web)
        self._token = trio.lowlevel.current_trio_token()
        with self._scope:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self.house.board.run)
                await nursery.start(actor.run)
                self.port = actor.port
                self._ready.set()


def main() -> None:
    """Serve until interrupted."""
    port = int(sys.argv[1]) if len(sys.argv) > 1 else 8099
    with PlayedService(PlayedHouse(), port=port):
        signal.sigwait({signal.SIGINT, signal.SIGTERM})


if __name__ == "__main__":
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
    main()
