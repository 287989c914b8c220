"""The inquirer: asks ChirpStack what it still knows of a light, and answers with `Inquired`.

The dispatcher has the answer first: it says whose frames the txacks in it were.

Every question is answered within its deadline, with what was learned or with why nothing was; of
one light only the newest question waits.
"""

from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass

import msgspec
import structlog
import trio

from actors.device.effects import Heard
from actors.device.events import (
    DeviceEvent,
    Inquired,
    ItemDropped,
    Joined,
    Transmitted,
    UplinkHeard,
)
from actors.messaging.latest_per_key import LatestPerKey
from lorawan.events import Event
from lorawan.network import (
    Activation,
    NetworkError,
    NetworkForbidden,
    NetworkIntermediary,
    NetworkInvalid,
    NetworkServer,
    NetworkUnknown,
)

log = structlog.get_logger()

WORKERS = 8
"""A replay takes seconds, nearly all of it waiting: 8 answer some 200 lights a minute, and hold no
more than 8 of the server's streams."""
TIMEOUT_S = 8.0

NEVER = (NetworkInvalid, NetworkForbidden, NetworkUnknown, NetworkIntermediary)
"""What this server or key will not give, however often it is asked."""

Retained = UplinkHeard | Joined | Transmitted | ItemDropped


def known_to(running: Activation, known: Heard) -> bool:
    """Whether the server has heard nothing of the light that we were not told of."""
    return (running.dev_addr, running.f_cnt_up) == (known.dev_addr, known.f_cnt + 1)


@dataclass(frozen=True, slots=True)
class InquirerStatistics:
    """Now: `waiting` and `in_hand`. Since the start: `answered`, of these `failed`."""

    waiting: int
    in_hand: int
    answered: int
    failed: int


class Inquirer:
    """The actor. `post` neither waits nor raises; `replay` reads what is kept of a light, over the
    network's own call unless it is given. Bound: one waiting question for each light."""

    def __init__(
        self,
        network: NetworkServer,
        post: Callable[[str, Inquired], object],
        translate: Callable[[Event], DeviceEvent | None],
        *,
        replay: Callable[[str], Awaitable[Sequence[Event]]] | None = None,
        timeout_s: float = TIMEOUT_S,
        workers: int = WORKERS,
    ) -> None:
        self._network = network
        self._post = post
        self._translate = translate
        self._replay_events = replay or network.replay
        self._timeout_s = timeout_s
        self._workers = workers
        self._waiting: LatestPerKey[str, tuple[int, Heard | None]] = LatestPerKey()
        self._in_hand: dict[tuple[str, int], None] = {}
        self._answered = self._failed = 0
        self._replay_denied = False

    def ask(self, dev_eui: str, number: int, known: Heard | None = None) -> None:
        """Answer question `number` of this light, in place of an older one that still waits. Events
        are left out where the server has heard no more of it than `known`."""
        self._waiting.put(dev_eui, (number, known))

    def statistics(self) -> InquirerStatistics:
        """Counters, now."""
        return InquirerStatistics(
            len(self._waiting), len(self._in_hand), self._answered, self._failed
        )

    async def run(self, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Serve until cancelled. Questions that a crash cut off are answered as failed."""
        for dev_eui, number in list(self._in_hand):
            self._answer(dev_eui, Inquired(number, failure="the inquiry was cut off by a crash"))
        async with trio.open_nursery() as workers:
            for worker in range(self._workers):
                workers.start_soon(self._work, name=f"inquirer worker {worker}")
            task_status.started()

    async def _work(self) -> None:
        while True:
            dev_eui, (number, known) = await self._waiting.take()
            self._in_hand[dev_eui, number] = None
            self._answer(dev_eui, await self._inquire(dev_eui, number, known))

    def _answer(self, dev_eui: str, answer: Inquired) -> None:
        self._in_hand.pop((dev_eui, answer.number), None)
        self._answered += 1
        self._failed += answer.failure is not None
        self._post(dev_eui, answer)

    async def _inquire(self, dev_eui: str, number: int, known: Heard | None) -> Inquired:
        try:
            with trio.fail_after(self._timeout_s):
                return await self._gather(dev_eui, number, known)
        except* NetworkError as group:
            failure = f"ChirpStack could not be asked: {_first(group)}"
        except* trio.TooSlowError:
            failure = f"ChirpStack did not answer within {self._timeout_s:g} s"
        except* Exception as group:
            log.exception("inquiry failed", dev_eui=dev_eui)
            failure = f"internal error: {type(_first(group)).__name__}"
        return Inquired(number, failure=failure)

    async def _gather(self, dev_eui: str, number: int, known: Heard | None) -> Inquired:
        events: list[Retained] = []
        disabled: list[bool] = []
        heard: list[Activation] = []

        async def read_setting() -> None:
            with suppress(*NEVER):
                disabled.append((await self._network.device(dev_eui)).disabled)

        async def read_events() -> None:
            if known is not None:
                running = await self._network.activation(dev_eui)
                if running is not None and known_to(running, known):
                    heard.append(running)
                    return
            for event in await self._replay(dev_eui):
                meaning = self._translate(event)
                if isinstance(meaning, Retained):
                    events.append(meaning)

        async with trio.open_nursery() as calls:
            for read in (read_events, read_setting):
                calls.start_soon(read)
        # Last, so that it is younger than the events: it says which session runs.
        activation = heard[0] if heard else await self._network.activation(dev_eui)
        found = Inquired(number, tuple(events), activation)
        return msgspec.structs.replace(found, disabled=disabled[0] if disabled else None)

    async def _replay(self, dev_eui: str) -> Sequence[Event]:
        """The retained events; none where this server or key will never give them."""
        try:
            return await self._replay_events(dev_eui)
        except NEVER as error:
            # The counters tell most of it. If the light itself is gone, or forbidden,
            # or something stands in ChirpStack's place, reading those fails likewise.
            if not self._replay_denied:
                self._replay_denied = True
                log.warning("no replay", dev_eui=dev_eui, error=f"{type(error).__name__}: {error}")
            return ()


def _first(error: BaseException) -> BaseException:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
