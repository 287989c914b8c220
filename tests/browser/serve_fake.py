"""The real web over a service that is played: an office that the test makes do things.

A browser's driver is synchronous, so the service runs in a thread of its own, where it can be
stopped and started again. To look at the page by hand: `python -m tests.browser.serve_fake 8099`.
"""

import signal
import sys
import threading
from collections.abc import Callable, Sequence
from typing import Any, Self, TypeVar

import msgspec
import trio
from pydantic import SecretStr
from quart import Blueprint, Response

from actors.board.changes import AlertView, GatewayView
from actors.commands import Accepted, CommandOrder
from actors.device.command import CommandStatus
from actors.device.model import Device, Phase, Wanted
from actors.quality.model import LightRisk
from actors.refusal import Refusal
from api.http.app import create_app
from api.http.services import services_of
from api.live.hub import Hub
from api.server.web_actor import WebActor
from api.settings.model import ApiSettings, ChirpStack, Web
from lorawan.kuando.light_state import LightState
from tests.browser.office import GREEN, office, order
from tests.browser.played_answers import Played, answers
from tests.support.fake_application import FakeApplication, FakeCommands
from tests.support.fake_quality import told_of

PATIENCE_S = 15.0
"""Three times what the service takes to start or stop on a busy machine."""

T = TypeVar("T")
Seen = Device | GatewayView | AlertView


class PlayedCommands(FakeCommands):
    """A light wants what it is commanded."""

    async def give(self, order: CommandOrder) -> Accepted | Refusal:
        """As before; the light then wants it."""
        taken = await super().give(order)
        if isinstance(taken, Accepted):
            wanted = Wanted(
                order.light, taken.command.id, self._application.clock.now(), order.keep
            )
            self._application.change(
                order.dev_eui, wanted=wanted, command=taken.command, phase=Phase.AWAITING_VERIFY
            )
        return taken


class PlayedHouse(FakeApplication):
    """A fake application whose lights can be made to do things."""

    def __init__(self, boot: str = "boot-1", subjects: Sequence[Seen] | None = None) -> None:
        super().__init__(lights=0)
        self.board.boot = boot
        self.played = Played(self)
        self.commands = PlayedCommands(self)
        given = self.commands.given
        given["cmd-0"] = order(99, GREEN, CommandStatus.VERIFIED, id="cmd-0")
        for subject in office() if subjects is None else subjects:
            self.board.publish(subject)
            command = getattr(subject, "command", None)
            if command is not None:
                given[command.id] = command

    def change(self, dev_eui: str, **changes: Any) -> None:
        """The light is otherwise from now on."""
        self.board.publish(msgspec.structs.replace(self.board.devices[dev_eui], **changes))

    def shows(self, dev_eui: str, shown: LightState) -> None:
        """The light reports this; an order for it is verified."""
        device = self.board.devices[dev_eui]
        assert device.report is not None
        report = msgspec.structs.replace(device.report, light=shown, at=self.clock.now())
        wanted, command = device.wanted, device.command
        if command is not None and command.light == shown:
            self.commands.step(command.id, CommandStatus.VERIFIED)
        proven = wanted is not None and wanted.light == shown
        settled = {"phase": Phase.IDLE, "command": None} if proven else {}
        self.change(dev_eui, report=report, **settled)

    def expects(self, risk: LightRisk) -> None:
        """This is to be expected of the light from now on."""
        self.quality.lights[risk.dev_eui] = risk
        self.board.tell_risk(risk.dev_eui, told_of(risk))

    def switch(self, gateway_id: str, *, online: bool) -> None:
        """The gateway comes or goes."""
        gateway = self.board.gateways[gateway_id]
        self.board.publish(msgspec.structs.replace(gateway, online=online, since=self.clock.now()))


def demonstration(application: PlayedHouse) -> Blueprint:
    """The routes of the demonstration, as far as the page uses them."""
    blueprint = Blueprint("demo", __name__)

    @blueprint.get("/demo/state")
    async def state() -> Response:
        return Response("{}", content_type="application/json")

    @blueprint.post("/demo/gateways/<gateway_id>/<what>")
    async def switch(gateway_id: str, what: str) -> Response:
        application.switch(gateway_id, online=what == "start")
        return Response("{}", content_type="application/json")

    return blueprint


class PlayedService:
    """The web over a played service, in a thread. A context manager; `port` 0 takes a free one."""

    def __init__(
        self, application: PlayedHouse, *, port: int = 0, demo: bool = True, **web: Any
    ) -> None:
        self.application = application
        self.port = port
        self._web = web
        self._demo = demo
        self._ready = threading.Event()
        self._hub: Hub
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

    @property
    def token(self) -> trio.lowlevel.TrioToken:
        """Leads into the thread of the service."""
        assert self._token is not None
        return self._token

    def drop_live(self, code: int) -> None:
        """Close every websocket with this code. In the thread of the service."""
        self._hub.close_all(code, "the test drops it")

    def __enter__(self) -> Self:
        self._thread.start()
        if not self._ready.wait(PATIENCE_S):
            raise RuntimeError("the service does not start")
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Take it down; a second time does nothing."""
        if self._thread.is_alive():
            self.call(self._scope.cancel, reason="the test is over")
        self._thread.join(PATIENCE_S)

    def _run(self) -> None:
        trio.run(self._serve)

    async def _serve(self) -> None:
        quick = {"handler_s": 2.0, "graceful_s": 2.5, "unread_s": 1.0}
        settings = ApiSettings(
            chirpstack=ChirpStack(target="localhost:8080", api_key=SecretStr("unused")),
            web=Web(**{"port": self.port, **quick, **self._web}),
        )
        extra = [answers(self.application.played)]
        if self._demo:
            extra.append(demonstration(self.application))
        app = create_app(self.application, settings, extra=extra)
        self._hub = services_of(app).hub
        actor = WebActor(app, settings.web)
        self._token = trio.lowlevel.current_trio_token()
        with self._scope:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self.application.board.run)
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
