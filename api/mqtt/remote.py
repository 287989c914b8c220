"""A Lamplighter that runs somewhere else, as the bridge asks it: HTTP and the live websocket.

Who is named with an order, and which lights there are, follows from the token.
"""

import random
from collections.abc import Collection
from contextlib import aclosing
from typing import Any

import msgspec
import structlog
import trio

from actors.board.changes import GatewayView
from actors.device.command import CommandStatus
from api.cli.client.errors import LATER, ClientError, Refused, Unanswered
from api.cli.client.http import Client
from api.cli.client.live import Follower, Lost, Message
from api.cli.client.place import Place
from api.models import DeviceSummary
from api.mqtt.colours import dark
from api.mqtt.orders import Order
from api.mqtt.port import Ended, Given, Look, NotGiven, Told
from lorawan.kuando.light_state import LightState

log = structlog.get_logger()

COMMANDS_LOOKED_AT = 20
"""As of the service's own bridge."""
MESSAGES_WAITING_MOST = 100
"""Of the websocket, 100 kB each; one that is slower is dropped by the service, and resumes."""
AGAIN_S = 5.0
"""Before the service is looked for again that never answered."""


class RemoteLamplighter:
    """See `api/mqtt/port.py`. `client` is open while this is used."""

    def __init__(self, place: Place, client: Client, rng: random.Random) -> None:
        self._place = place
        self._client = client
        self._rng = rng
        self._lights: dict[str, DeviceSummary] = {}
        self._gateways: dict[str, GatewayView] = {}

    @property
    def lights(self) -> Collection[str]:
        """Those that the token may see."""
        return list(self._lights)

    @property
    def gateways(self) -> Collection[str]:
        """Those that ChirpStack lists."""
        return list(self._gateways)

    def has_light(self, dev_eui: str) -> bool:
        """Whether it is one of them."""
        return dev_eui in self._lights

    def has_gateway(self, gateway_id: str) -> bool:
        """Likewise."""
        return gateway_id in self._gateways

    def light(self, dev_eui: str) -> DeviceSummary | None:
        """As it was told last."""
        return self._lights.get(dev_eui)

    def gateway(self, gateway_id: str) -> GatewayView | None:
        """Likewise."""
        return self._gateways.get(gateway_id)

    def now(self) -> float:
        """By the clock of this machine."""
        return self._client.now()

    async def follow(self, told: Told) -> None:
        """The live websocket. Raises ClientError for what only a person can mend."""
        while True:
            send, news = trio.open_memory_channel[Message | Lost](MESSAGES_WAITING_MOST)
            async with trio.open_nursery() as nursery, aclosing(news):
                nursery.start_soon(self._run_follower, send)
                await _Reader(self._lights, self._gateways, told).read(news)
                nursery.cancel_scope.cancel()
            told.look(Look.LOST)
            await trio.sleep(AGAIN_S)

    async def give(self, dev_eui: str, order: Order, key: str, mark: str) -> Given | NotGiven:
        """As every client does."""
        body = {**msgspec.structs.asdict(order.light), "keep": order.keep}
        if order.ttl_s is not None:
            body["ttl_s"] = order.ttl_s
        headers = {"Idempotency-Key": key, "X-Request-ID": mark, "Prefer": "respond-async"}
        try:
            answer = await self._client.ask(
                "POST", f"/downlink/{dev_eui}", body=body, headers=headers
            )
        except Refused as error:
            again = error.status >= 500 or error.status in LATER
            return NotGiven(error.slug or f"http-{error.status}", str(error), again=again)
        except Unanswered as error:
            return NotGiven("unanswered", str(error), again=True)
        return Given(str(answer.body["id"]), CommandStatus(answer.body["status"]))

    async def last_lit(self, dev_eui: str) -> LightState | None:
        """By the newest commands."""
        lights = [msgspec.convert(one["light"], LightState) for one in await self._newest(dev_eui)]
        return next((one for one in lights if not dark(one)), None)

    async def given_before(self, dev_eui: str, mark: str, within_s: float) -> Given | None:
        """By the newest commands."""
        newest = await self._newest(dev_eui)
        since = self._client.now() - within_s
        for one in newest:
            if one["correlation_id"] == mark and one["accepted_at"] > since:
                return Given(str(one["id"]), CommandStatus(one["status"]))
        return None

    async def _newest(self, dev_eui: str) -> list[dict[str, Any]]:
        while True:
            try:
                found = await self._client.get(
                    f"/devices/{dev_eui}/commands", {"limit": COMMANDS_LOOKED_AT}
                )
            except (Refused, Unanswered) as error:
                if isinstance(error, Refused) and error.status == 404:
                    return []
                log.warning("the service does not answer the bridge", problem=str(error))
                await trio.sleep(AGAIN_S)
            else:
                commands: list[dict[str, Any]] = found["commands"]
                return commands

    async def _run_follower(self, send: trio.MemorySendChannel[Message | Lost]) -> None:
        kinds = ("device", "gateway", "command")
        try:
            await Follower(self._place, kinds=kinds, jitter=self._rng).run(send)
        except Unanswered as error:
            log.warning("the service is not reached", problem=str(error))


class _Reader:
    """Takes the messages of one connection, and those that resume it, into the fleet as known."""

    def __init__(
        self, lights: dict[str, DeviceSummary], gateways: dict[str, GatewayView], told: Told
    ) -> None:
        self._lights = lights
        self._gateways = gateways
        self._told = told
        self._coming: dict[str, DeviceSummary] = {}

    async def read(self, news: trio.MemoryReceiveChannel[Message | Lost]) -> None:
        """Until they end. Raises ClientError where the service is of another version."""
        async for message in news:
            try:
                self._take(message)
            except (msgspec.ValidationError, KeyError) as error:
                text = f"the service speaks otherwise; are both of the same version? ({error})"
                raise ClientError(text) from error

    def _take(self, message: Message | Lost) -> None:
        if isinstance(message, Lost):
            log.warning("the service is not followed", problem=message.reason)
            self._told.look(Look.LOST)
            return
        body = message.body
        match message.kind:
            case "hello" if body["resumed"]:
                self._told.look(Look.FRESH)
            case "snapshot":
                self._snapshot(body)
            case "changes":
                for change in body["changes"]:
                    self._change(change["kind"], change["what"])
            case _:
                pass

    def _snapshot(self, body: dict[str, Any]) -> None:
        if body["part"] == 1:
            self._coming = {}
            self._gateways.clear()
            for what in body["gateways"]:
                self._gateway(what)
        for what in body["devices"]:
            light = msgspec.convert(what, DeviceSummary)
            self._coming[light.dev_eui] = light
        if body["part"] == body["parts"]:
            self._lights.clear()
            self._lights.update(self._coming)
            self._coming = {}
            self._told.look(Look.FRESH)

    def _change(self, kind: str, what: dict[str, Any]) -> None:
        match kind:
            case "device":
                light = msgspec.convert(what, DeviceSummary)
                self._lights[light.dev_eui] = light
                self._told.light(light.dev_eui)
            case "removed":
                self._lights.pop(what["dev_eui"], None)
                self._told.light(what["dev_eui"])
            case "gateway":
                self._gateway(what)
                self._told.gateway(what["gateway_id"])
            case "command" if CommandStatus(what["status"]).final:
                self._told.ended(
                    Ended(
                        what["id"],
                        what["dev_eui"],
                        CommandStatus(what["status"]),
                        what["reason"],
                        what["superseded_by"],
                        what["reason_code"],
                    )
                )
            case _:
                pass

    def _gateway(self, what: dict[str, Any]) -> None:
        gateway = msgspec.convert(what, GatewayView)
        if gateway.known:
            self._gateways[gateway.gateway_id] = gateway
        else:
            self._gateways.pop(gateway.gateway_id, None)
