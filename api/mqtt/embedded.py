"""The running service itself, as the bridge asks it: the board and the way of commands.

It runs where the fleet's own shard lives, so that there is one bridge however many processes serve.
"""

from collections.abc import Collection

import structlog
import trio

from actors.board.changes import DeviceRemoved, GatewayView
from actors.board.sight import EVERYTHING, Sight
from actors.board.subscription import Subscription
from actors.commands import Accepted, CommandOrder
from actors.device.command import Command
from actors.device.foreign_sender import in_words
from actors.device.model import Device
from actors.environment import IntegrationPorts
from actors.refusal import Refusal
from actors.storage.audit import Act
from api.models import DeviceSummary
from api.models.reasons import code_of
from api.mqtt.colours import dark
from api.mqtt.orders import Order
from api.mqtt.port import Ended, Given, Look, NotGiven, Told
from lorawan.kuando.light_state import LightState
from store.errors import StoreError

log = structlog.get_logger()

COMMANDS_LOOKED_AT = 20
"""The newest of a light: more orders than that do not come between a loss and a redelivery."""
BEHIND_MOST = 10_000
"""As many changes as the board keeps: all that is done with one is to note a name."""

_WORDS = {
    Refusal.UNKNOWN_DEVICE: "no light with this DevEUI is known",
    Refusal.MAILBOX_FULL: "too many messages wait for this light",
    Refusal.PARKED: "its actor crashed too often; an operator can revive it",
    Refusal.NO_REPLY: "the light's actor did not answer in time",
    Refusal.KEY_REUSED: "the key of this order belongs to another one",
    Refusal.STORE_FAILING: "the store does not answer",
    Refusal.UNREADABLE: "the stored record of this light cannot be read",
    Refusal.STOPPING: "the service stops",
}
_AGAIN = {Refusal.MAILBOX_FULL, Refusal.NO_REPLY, Refusal.STORE_FAILING, Refusal.STOPPING}


class EmbeddedLamplighter:
    """See `api/mqtt/port.py`. Orders are given by `by`, who sees these lights only."""

    def __init__(
        self, ports: IntegrationPorts, sight: Sight = EVERYTHING, by: str = "mqtt"
    ) -> None:
        self._board = ports.board
        self._commands = ports.commands
        self._clock = ports.clock
        self._audit = ports.audit
        self._sight = sight
        self._by = by

    @property
    def lights(self) -> Collection[str]:
        """Those that may be seen."""
        return [device.dev_eui for device in self._sight.of(self._board.devices.values())]

    @property
    def gateways(self) -> Collection[str]:
        """Those that ChirpStack lists."""
        return [name for name, gateway in self._board.gateways.items() if gateway.known]

    def has_light(self, dev_eui: str) -> bool:
        """Whether it is one of them."""
        device = self._board.devices.get(dev_eui)
        return device is not None and self._sight.sees(device)

    def has_gateway(self, gateway_id: str) -> bool:
        """Likewise."""
        return self.gateway(gateway_id) is not None

    def light(self, dev_eui: str) -> DeviceSummary | None:
        """A light now."""
        device = self._board.devices.get(dev_eui)
        if device is None or not self._sight.sees(device):
            return None
        reach, risk = self._board.reachability(device), self._board.risks.get(dev_eui)
        return DeviceSummary.of(device, reach, risk)

    def gateway(self, gateway_id: str) -> GatewayView | None:
        """A gateway now."""
        gateway = self._board.gateways.get(gateway_id)
        return gateway if gateway is not None and gateway.known else None

    def now(self) -> float:
        """By the service's clock."""
        return self._clock.now()

    async def follow(self, told: Told) -> None:
        """The board, from now on."""
        while True:
            with self._board.subscribe(BEHIND_MOST) as following:
                told.look(Look.FRESH)
                await self._tell(following, told)
            log.warning("bridge fell behind the board", reason=following.closed_reason)
            await trio.sleep(1.0)

    async def give(self, dev_eui: str, order: Order, key: str, mark: str) -> Given | NotGiven:
        """By the way that every command goes."""
        if not self.has_light(dev_eui):
            return NotGiven("unknown-device", _WORDS[Refusal.UNKNOWN_DEVICE])
        asked = CommandOrder(
            dev_eui=dev_eui,
            light=order.light,
            keep=order.keep,
            ttl_s=order.ttl_s,
            correlation_id=mark,
            idempotency_key=key,
            fingerprint=mark,
            by=self._by,
            audit=self._audit.made(
                Act.COMMAND,
                dev_eui,
                by=self._by,
                scope="operator",
                detail={"light": in_words(order.light), "way": "mqtt"},
            ),
        )
        try:
            outcome = await self._commands.give(asked)
        except StoreError as error:
            return NotGiven("store-unavailable", str(error), again=True)
        if isinstance(outcome, Accepted):
            command = outcome.command
            return Given(command.id, command.status)
        words = _WORDS.get(outcome, outcome.value.replace("_", " "))
        return NotGiven(outcome.value.replace("_", "-"), words, again=outcome in _AGAIN)

    async def last_lit(self, dev_eui: str) -> LightState | None:
        """By the newest commands."""
        return next((one.light for one in await self._newest(dev_eui) if not dark(one.light)), None)

    async def given_before(self, dev_eui: str, mark: str, within_s: float) -> Given | None:
        """By the newest commands."""
        since = self._clock.now() - within_s
        for one in await self._newest(dev_eui):
            if one.correlation_id == mark and one.accepted_at > since:
                return Given(one.id, one.status)
        return None

    async def _newest(self, dev_eui: str) -> list[Command]:
        while True:
            try:
                return list(await self._commands.of_device(dev_eui, COMMANDS_LOOKED_AT))
            except StoreError as error:
                log.warning("the store does not answer the bridge", problem=str(error))
                await trio.sleep(1.0)

    async def _tell(self, following: Subscription, told: Told) -> None:
        async for batch in following:
            for change in batch:
                what = change.what
                if isinstance(what, Device | DeviceRemoved):
                    told.light(what.dev_eui)
                elif isinstance(what, GatewayView):
                    told.gateway(what.gateway_id)
                elif isinstance(what, Command) and what.status.final:
                    told.ended(ended_of(what))


def ended_of(command: Command) -> Ended:
    """What is told of a command at its end."""
    return Ended(
        command.id,
        command.dev_eui,
        command.status,
        command.reason,
        command.superseded_by,
        code_of(command.cause),
    )
